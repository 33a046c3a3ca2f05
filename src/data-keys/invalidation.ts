import { refuseOthers, wrongOption } from '../checks/index.ts'
import { type Bytes, equalBytes } from '../bytes/index.ts'
import { canonicalContext, type EncryptionContext } from '../kms/index.ts'
import { LIMITS } from '../wire/index.ts'
import type { DataEncryptionKey } from './data-encryption-key.ts'
import type { HeldKeys } from './held-keys.ts'
import { isOfContext } from './opened-keys.ts'

/** What `CachedKms.invalidate` drops: the keys of one context, one data key, or with neither everything. */
export interface Invalidation {
  readonly context?: EncryptionContext
  /** 32 bytes, as `EncryptedEnvelope.parse` gives them. */
  readonly commitment?: Bytes
}

/**
 * Which keys an invalidation means; `undefined`: all.
 *
 * @throws KmsError `ERR_KMS_CONFIG`, `ERR_CONTEXT_INVALID`
 */
export function meantBy({
  context,
  commitment,
  ...others
}: Invalidation): ((key: DataEncryptionKey) => boolean) | undefined {
  refuseOthers(others)
  if (commitment !== undefined) {
    const isOne = (commitment as unknown) instanceof Uint8Array
    // A text of it, or a part, would drop nothing and say that it did.
    if (context !== undefined || !isOne || commitment.length !== LIMITS.commitmentBytes) {
      throw wrongOption('commitment')
    }
    return ({ header }) => equalBytes(header.commitment, commitment)
  }
  if (context === undefined) return undefined
  canonicalContext(context)
  return (key) => isOfContext(key, context)
}

/** Lets go of these keys, for readers and writers, and holds nothing that is under way. */
export function dropFrom(
  { opened, active }: HeldKeys,
  isMeant: (key: DataEncryptionKey) => boolean,
): void {
  opened.epoch += 1
  for (const held of [...opened.keys.values(), ...active.values()]) {
    if (isMeant(held.key)) held.cachedAtMs = -Infinity
  }
}
