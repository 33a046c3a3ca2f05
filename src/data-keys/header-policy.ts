import { KmsError } from '../errors.ts'
import type { EncryptionContext, KeyManagementService, WrappedKey } from '../kms/index.ts'
import type { KeyHeader } from '../wire/index.ts'

/** The wraps that the service may open, in the message's order. */
export function eligibleWraps(kms: KeyManagementService, header: KeyHeader): readonly WrappedKey[] {
  return header.wraps.filter((wrap) => kms.canUnwrap(wrap)) // W3.26
}

/**
 * The wraps that are left after one was tried. Compared by key, not by object: a KMS may answer
 * with a copy, and each wrap must be tried once at most.
 */
export function withoutWrap(wraps: readonly WrappedKey[], by: WrappedKey): readonly WrappedKey[] {
  const left = wraps.filter((wrap) => wrap.kekId !== by.kekId || wrap.provider !== by.provider)
  return left.length < wraps.length ? left : []
}

/**
 * What can be refused from the header and the caller's context alone, before any I/O (W6.1).
 *
 * @throws KmsError `ERR_ENVELOPE_UNKNOWN_KEY`, `ERR_DECRYPT_FAILED`
 */
export function checkHeader(
  kms: KeyManagementService,
  header: KeyHeader,
  context: EncryptionContext | undefined,
): void {
  if (!header.wraps.some((wrap) => kms.canUnwrap(wrap))) {
    throw new KmsError('ERR_ENVELOPE_UNKNOWN_KEY') // W3.27
  }
  for (const key in header.stored) {
    // Object.hasOwn: a stored `toString` must not equal an inherited one.
    const given = context !== undefined && Object.hasOwn(context, key) ? context[key] : undefined
    if (given !== header.stored[key]) throw new KmsError('ERR_DECRYPT_FAILED') // W6.2
  }
}
