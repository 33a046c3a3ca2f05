import type { KeyManagementService } from '../kms/index.ts'
import { composeLayers, type ComposeKmsOptions, type JoinKms } from './compose-layers.ts'
import { MultiKms } from './multi-kms.ts'

/**
 * Returns one KMS, or several whose KEKs each wrap every data key, with everything that keeps an outage
 * from spreading. The order is fixed, outside in: deadline, audit, several KEKs, and for each of them
 * retry, circuit breaker, bulkhead, attempt timeout. The cache belongs outside: an open circuit must
 * not refuse a data key that is in memory. `EnvelopeCipher` has it there. A KMS of {@link kmsByContext} gets
 * the deadline and the audit only: its `create` composes the stack of each customer.
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

/** Returns a {@link MultiKms}: what the plan of a stack with several KMSs needs as `join`. */
export const joinKms: JoinKms = (options) => new MultiKms(options)
