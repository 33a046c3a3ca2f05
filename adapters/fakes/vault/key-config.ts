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
  if (key.minAvailableVersion > encryption) throw belowAvailable('encryption', 'than')
  if (key.minAvailableVersion > least) throw belowAvailable('decryption', 'then')
  const seconds = autoRotateSeconds(input)
  key.minDecryptionVersion = least
  key.minEncryptionVersion = encryption
  key.autoRotateSeconds = seconds ?? key.autoRotateSeconds
  key.exportable ||= input['exportable'] === true // Vault never takes it back.
  const { deletion_allowed: deletion } = input
  if (typeof deletion === 'boolean') key.deletionAllowed = deletion
}

/** Applies `keys/<name>/trim`: versions below are destroyed. @throws Refusal 400 */
export function trim(key: TransitKeyState, input: JsonObject): void {
  if (input['min_available_version'] === undefined)
    throw new Refusal(400, 'missing min_available_version')
  const asked = integerOf(input, 'min_available_version')
  const problem = trimProblem(key, asked)
  if (problem !== undefined) throw new Refusal(400, `minimum available version ${problem}`)
  key.minAvailableVersion = asked
  for (const { bytes } of key.versions.slice(0, asked - 1)) bytes.fill(0)
}

/** In the order of OpenBao's own checks, with its words and their spelling. */
function trimProblem(key: TransitKeyState, asked: number): string | undefined {
  const { minAvailableVersion, minEncryptionVersion, minDecryptionVersion } = key
  if (asked < minAvailableVersion) return 'cannot be decremented'
  if (minEncryptionVersion === 0) return 'cannot be set when minimum encryption version is not set'
  if (asked > minEncryptionVersion) return 'cannot be greater than minmum encryption version'
  if (asked > minDecryptionVersion) return 'cannot be greater than minimum decryption version'
  return asked === 0 ? 'should be positive' : undefined
}

function belowAvailable(kind: 'encryption' | 'decryption', than: string): Refusal {
  return new Refusal(400, `min ${kind} version should not be less ${than} min available version`)
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
