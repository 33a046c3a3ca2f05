import type { JsonObject } from '../../../src/http/index.ts'
import { textOf } from './input.ts'
import { Refusal } from './refusal.ts'
import type { TransitKeyState } from './transit-keys.ts'

/** Applies `keys/<name>/config`, or changes nothing. @throws Refusal 400 */
export function configure(key: TransitKeyState, input: JsonObject): void {
  const latest = key.versions.length
  const decryption = boundOf(input, 'decryption', latest)
  const encryption = boundOf(input, 'encryption', latest) ?? key.minEncryptionVersion
  const least = decryption === undefined ? key.minDecryptionVersion : Math.max(1, decryption)
  if (encryption > 0 && encryption < least)
    throw new Refusal(
      400,
      `cannot set min encryption/decryption values; min encryption version of ${String(encryption)} must be greater than or equal to min decryption version of ${String(least)}`,
    )
  const seconds = autoRotateSeconds(input)
  key.minDecryptionVersion = least
  key.minEncryptionVersion = encryption
  key.autoRotateSeconds = seconds ?? key.autoRotateSeconds
  key.exportable ||= input['exportable'] === true // Vault never takes it back.
  const { deletion_allowed: deletion } = input
  if (typeof deletion === 'boolean') key.deletionAllowed = deletion
}

/** Returns `auto_rotate_period` in seconds. @throws Refusal 400 */
export function autoRotateSeconds(input: JsonObject): number | undefined {
  const name = 'auto_rotate_period'
  const text = textOf(input, name)
  if (text === '') return undefined
  const seconds = secondsOf(text)
  if (seconds === undefined) throw notOfType(name)
  if (seconds !== 0 && seconds < 3_600)
    throw new Refusal(400, 'auto rotate period must be 0 to disable or at least an hour')
  return seconds
}

/** An integer, as a number or as a text; 0 where it is absent. @throws Refusal 400 */
export function integerOf(input: JsonObject, name: string): number {
  const text = textOf(input, name)
  if (!/^-?\d{0,9}$/.test(text)) throw notOfType(name)
  return Number(text)
}

function boundOf(
  input: JsonObject,
  kind: 'encryption' | 'decryption',
  latest: number,
): number | undefined {
  const name = `min_${kind}_version`
  if (input[name] === undefined) return undefined
  const asked = integerOf(input, name)
  if (asked < 0) throw new Refusal(400, `min ${kind} version cannot be negative`)
  if (asked > latest)
    throw new Refusal(
      400,
      `cannot set min ${kind} version of ${String(asked)}, latest key version is ${String(latest)}`,
    )
  return asked
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

/** Go's durations, as far as periods need them: `3600`, `90m`, `1h30m`, `30d`. */
function secondsOf(text: string): number | undefined {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  if (!/^(?:\d{1,9}[smhd])+$/.test(text)) return undefined
  const parts = [...text.matchAll(/(\d+)([smhd])/g)]
  return parts.reduce(
    (sum, [, count, unit = '']) => sum + Number(count) * (UNIT_SECONDS[unit] ?? 0),
    0,
  )
}

function notOfType(name: string): Refusal {
  return new Refusal(400, `Field validation failed: error converting input for field "${name}"`)
}
