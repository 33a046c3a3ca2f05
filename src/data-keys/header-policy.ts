import { KmsError } from '../errors.ts'
import { type EncryptionContext, keysOf } from '../kms/index.ts'
import type { KeyHeader } from '../wire/index.ts'
import type { DataKeySource } from './data-key-source.ts'

/**
 * What can be refused from the header and the caller's context alone, before any I/O (W6.1).
 *
 * @throws KmsError `ERR_CONTEXT_INVALID`, `ERR_ENVELOPE_UNKNOWN_KEY`, `ERR_DECRYPT_FAILED`
 */
export function checkHeader(
  source: Pick<DataKeySource, 'policy' | 'canOpen'>,
  header: KeyHeader,
  context: EncryptionContext = {},
): void {
  const keys = keysOf(context)
  demandKeys(source.policy.requiredContextKeys, keys)
  if (!source.canOpen(header.wraps)) throw new KmsError('ERR_ENVELOPE_UNKNOWN_KEY') // W3.27
  for (const key in header.stored) {
    // Own keys only: a stored `toString` must not equal an inherited one.
    const given = keys.includes(key) ? context[key] : undefined
    if (given !== header.stored[key]) throw new KmsError('ERR_DECRYPT_FAILED') // W6.2
  }
}

/** @throws KmsError `ERR_CONTEXT_INVALID` */
export function demandKeys(required: readonly string[], keys: readonly string[]): void {
  if (required.every((key) => keys.includes(key))) return
  throw new KmsError('ERR_CONTEXT_INVALID', { message: 'requiredContextKeys is not met' })
}
