import type { KekVersion, WrappedKey } from './wrapped-key.ts'

/**
 * Returns whether a data key is wrapped under the current version of every KEK; `undefined` if that is unknown,
 * because the message is by reference or the vendor does not reveal versions.
 *
 * @param wraps - of an `EncryptedEnvelope` or a data-key record
 * @param current - what `currentVersion` of the service answered
 *
 * @example
 * ```ts
 * import { EncryptedEnvelope, isCurrentVersion, type KeyManagementService } from 'edge-kms'
 *
 * export async function isStale(kms: KeyManagementService, envelope: Uint8Array) {
 *   const { wraps } = EncryptedEnvelope.parse(envelope)
 *   return isCurrentVersion(wraps, await kms.currentVersion({})) === false
 * }
 * ```
 */
export function isCurrentVersion(
  wraps: readonly WrappedKey[],
  current: readonly KekVersion[],
): boolean | undefined {
  if (wraps.length === 0 || current.length === 0) return undefined
  let isSure = true
  for (const { provider, kekId, kekVersion } of current) {
    const wrap = wraps.find((one) => one.provider === provider && one.kekId === kekId)
    if (wrap === undefined) return false
    if (kekVersion === '' || wrap.kekVersion === '') isSure = false
    else if (wrap.kekVersion !== kekVersion) return false
  }
  return isSure ? true : undefined
}
