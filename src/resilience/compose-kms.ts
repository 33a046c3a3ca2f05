import type { KeyManagementService } from '../kms/index.ts'
import { composeLayers, type ComposeKmsOptions, type JoinKms } from './compose-layers.ts'
import { MultiKms } from './multi-kms.ts'

/**
 * Returns one KMS with all the layers that keep an outage from spreading. If you pass several KMSs, each of their
 * KEKs wraps every data key.
 *
 * The order of the layers is fixed, from outside in: deadline, audit, several KEKs, and for each of them retry,
 * circuit breaker, bulkhead, attempt timeout. Keep the cache outside of them, as `EnvelopeCipher` does: an open
 * circuit must not refuse a data key that is in memory. A KMS of {@link kmsByContext} gets only the deadline and the
 * audit, because its `create` composes the stack of each customer.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @example
 * ```ts
 * import { composeKms, EnvelopeCipher } from 'edge-kms'
 * import { createLocalKms } from 'edge-kms/local'
 *
 * const versions = [{ version: 1, key: crypto.getRandomValues(new Uint8Array(32)) }]
 * const kms = composeKms(createLocalKms({ versions }), { preset: 'production', deadlineMs: 3_000 })
 * export const cipher = new EnvelopeCipher({ kms })
 * ```
 */
export function composeKms(
  kms: KeyManagementService | readonly KeyManagementService[],
  options: ComposeKmsOptions = {},
): KeyManagementService {
  return composeLayers(kms, options, joinKms)
}

/** Returns a {@link MultiKms}. The plan of a stack with several KMSs needs this function as `join`. */
export const joinKms: JoinKms = (options) => new MultiKms(options)
