import { demandSignal, plainOptions, refuseOthers, wrongOption } from '../../checks/index.ts'
import { type Bytes, equalBytes } from '../../bytes/index.ts'
import {
  canonicalContext,
  contextEquals,
  type ContextInput,
  type EncryptionContext,
  type KmsSignalOptions,
} from '../../kms/index.ts'
import { LIMITS } from '../../wire/index.ts'
import type { DataEncryptionKey } from '../data-encryption-key.ts'

/** Selects what `CachedKms.invalidate` drops: the keys of one context, one data key, or with neither everything. */
export interface Invalidation {
  readonly context?: ContextInput
  /** 32 bytes, as `EncryptedEnvelope.parse` gives them. */
  readonly commitment?: Bytes
}

/**
 * Returns which keys an invalidation means; `undefined`: all.
 *
 * @throws KmsError `ERR_KMS_CONFIG`, `ERR_CONTEXT_INVALID`
 */
export function meantBy(
  what: Invalidation,
  { signal }: KmsSignalOptions,
): ((key: DataEncryptionKey) => boolean) | undefined {
  if (signal !== undefined) demandSignal(signal)
  if (Object(what) !== what) throw wrongOption('invalidate()', 'called with an object', what)
  const { context, commitment, ...others } = plainOptions(what)
  refuseOthers(others)
  if (commitment !== undefined) {
    const isOne = (commitment as unknown) instanceof Uint8Array
    // A text of it, or a part, would drop nothing and say that it did.
    if (context !== undefined || !isOne || commitment.length !== LIMITS.commitmentBytes) {
      throw wrongOption('commitment', 'a Uint8Array of 32 bytes, without a context')
    }
    return ({ header }) => equalBytes(header.commitment, commitment)
  }
  if (context === undefined) return undefined
  const map = context as EncryptionContext // the next line checks what it holds
  canonicalContext(map)
  return (key) => contextEquals(map, key.context)
}
