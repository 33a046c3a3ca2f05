import { placed } from '../checks/index.ts'
import {
  CachedKms,
  DATA_KEY_OPTIONS,
  type DataKeyOptions,
  type KmsCacheConfig,
  type SharedDataKeys,
} from '../data-keys/index.ts'
import { isKmsError } from '../errors.ts'
import type { KeyManagementService } from '../kms/index.ts'
import type { DataKeyStore } from '../ports/index.ts'
import {
  type ComposeKmsOptions,
  composeLayers,
  type JoinKms,
  type ResilienceConfig,
  resilienceValues,
} from '../resilience/index.ts'

/** The cache of data keys and its limits in a stack; units and bounds are those of `CachedKms`. */
export interface StackCacheConfig
  extends
    Omit<KmsCacheConfig, 'network' | 'shared'>,
    Omit<DataKeyOptions, 'kms' | 'dataKeyStore' | 'runtime' | 'network'> {}

/** The parts of a stack, beside its KMSs. */
export interface StackParts extends Omit<ComposeKmsOptions, keyof ResilienceConfig> {
  readonly resilience: ResilienceConfig
  readonly cache: StackCacheConfig
  readonly dataKeyStore?: DataKeyStore | undefined
  readonly shared?: SharedDataKeys | undefined
  /** For several KMSs. */
  readonly join?: JoinKms | undefined
}

/** A stack without a cipher. */
export interface KeyStack {
  /** The KMS, for readiness checks and rotations. */
  readonly kms: KeyManagementService
  /** The cache of data keys, for `new EnvelopeCipher({ keys })`. */
  readonly keys: CachedKms
}

/**
 * Returns one KMS or several with everything against outages, and the cache above them: with the values of
 * the preset, and over them those that were given.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function composeStack(
  members: KeyManagementService | readonly KeyManagementService[],
  { resilience, cache, dataKeyStore, shared, join, ...layers }: StackParts,
): KeyStack {
  const kms = composeLayers(members, { ...resilience, ...layers }, join)
  const values = resilienceValues(resilience)
  const { cacheTtlMs: ttlMs, cacheMaxStaleMs: maxStaleMs, encryptForMs, maxMessages } = values
  const { runtime, network } = layers
  const options = {
    ttlMs,
    maxStaleMs,
    maxStaleWriteMs: maxStaleMs,
    encryptForMs,
    ...(maxMessages !== undefined && { maxMessages }),
    // The stack's own deadline ends a call first, and says which KMS was asked.
    callTimeoutMs: Math.min(values.deadlineMs + 1_000, DATA_KEY_OPTIONS.callTimeoutMs.most),
    ...cache,
    ...(dataKeyStore !== undefined && { dataKeyStore }),
    ...(shared !== undefined && { shared }),
    ...(runtime && { runtime }),
    ...(network && { network }),
  }
  try {
    return { kms, keys: new CachedKms({ ...options, kms }) }
  } catch (error) {
    throw isKmsError(error, 'ERR_KMS_CONFIG') ? placed('cache', error) : error
  }
}
