import type { DecryptItem, EncryptItem, Outcome } from '../../../src/index.ts'
import { prepared, type Weighed } from './in-parts.ts'
import { ownBytes } from './own-bytes.ts'
import { OPTIONS, plainOptions } from './plain-options.ts'

/** Options that stay here: a signal and a callback do not cross RPC. */
const LOCAL = ['signal', 'defer']

/**
 * Returns the options of a caller that go to the service.
 *
 * @throws KmsError `ERR_KMS_CONFIG`, `ERR_CONTEXT_INVALID`
 */
export function callerOptions(
  kind: Exclude<keyof typeof OPTIONS, 'encryptItem' | 'decryptItem'>,
  options: object = {},
): Record<string, unknown> {
  const {
    signal: _signal,
    defer: _defer,
    ...crossing
  } = plainOptions(options, [...OPTIONS[kind], ...LOCAL])
  return crossing
}

/**
 * Returns an item of `encryptMany` as it crosses.
 *
 * @throws TypeError if its plaintext is not a `Uint8Array`
 */
export function encryptItem(
  item: EncryptItem | undefined,
  i: number,
): Weighed<EncryptItem> | Outcome<never> {
  const plaintext = ownBytes(item?.plaintext as Uint8Array, `items[${String(i)}].plaintext`)
  return prepared(() =>
    weighed({ ...plainOptions(item as object, OPTIONS.encryptItem), plaintext }),
  )
}

/** Returns an item of `decryptMany` as it crosses. Anything but bytes is an empty message, which the service refuses. */
export function decryptItem(item: DecryptItem | undefined): Weighed<DecryptItem> | Outcome<never> {
  const given: unknown = item?.envelope
  const envelope = ownBytes(given instanceof Uint8Array ? given : new Uint8Array(0), 'envelope')
  return prepared(() =>
    weighed({ ...plainOptions((item ?? {}) as object, OPTIONS.decryptItem), envelope }),
  )
}

function weighed<T extends object>(item: T): Weighed<T> {
  let bytes = 0
  for (const value of Object.values(item) as unknown[]) {
    // Texts take up to two bytes a character, and a map has names too.
    bytes += value instanceof Uint8Array ? value.length : 2 * JSON.stringify(value).length
  }
  return { item, bytes }
}
