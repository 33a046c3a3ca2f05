import { KmsError } from '../errors.ts'
import { type EncryptionContext, keysOf } from '../kms/index.ts'
import type { KeyHeader } from '../wire/index.ts'

/** The policy that a header is checked against. */
export interface HeaderPolicy {
  readonly requiredContextKeys: readonly string[]
  /** Whether a wrap is for a KEK of this context. */
  canOpen(wraps: KeyHeader['wraps'], context: EncryptionContext): boolean
}

/**
 * Refuses what the header and the caller's context alone show to be wrong, before any I/O (W6.1).
 *
 * @throws KmsError `ERR_CONTEXT_INVALID`, `ERR_ENVELOPE_UNKNOWN_KEY`, `ERR_DECRYPT_FAILED`
 */
export function checkHeader(
  policy: HeaderPolicy,
  header: KeyHeader,
  context: EncryptionContext = {},
): void {
  const keys = keysOf(context)
  demandKeys(policy.requiredContextKeys, keys)
  if (!policy.canOpen(header.wraps, context)) throw new KmsError('ERR_ENVELOPE_UNKNOWN_KEY') // W3.27
  for (const key in header.stored) {
    // Own keys only: a stored `toString` must not equal an inherited one.
    const given: unknown = keys.includes(key) ? context[key] : undefined
    if (given !== header.stored[key]) throw new KmsError('ERR_DECRYPT_FAILED') // W6.2
  }
}

/** @throws KmsError `ERR_CONTEXT_INVALID` if a required key is missing (W1.16) */
export function demandKeys(required: readonly string[], keys: readonly string[]): void {
  const missing = required.find((key) => !keys.includes(key))
  if (missing === undefined) return
  const message = `the context must have the key "${missing}", which requiredContextKeys names`
  throw new KmsError('ERR_CONTEXT_INVALID', { message })
}
