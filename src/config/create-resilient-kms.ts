import { CachedKms, type KmsCacheConfig } from '../data-keys/index.ts'
import { configError } from '../http/index.ts'
import { type KeyManagementService, refuseOthers } from '../kms/index.ts'
import {
  composeKms,
  type ComposeKmsOptions,
  type ResilienceConfig,
  resilienceValues,
  type ResilienceValues,
} from '../resilience/index.ts'
import type { DataKeyStore } from '../ports/index.ts'
import { createKms, type CreateKmsOptions } from './create-kms.ts'
import type { KmsConfig } from './kms-config.ts'

/** A whole stack as plain JSON: one KMS or several, and what `composeKms` takes. */
export interface ResilientKmsConfig extends ResilienceConfig {
  /** Several: each wraps every data key, and any one of them opens it. */
  readonly kms: KmsConfig | readonly KmsConfig[]
  /** Values over those of the preset. */
  readonly cache?: ResilientCacheConfig | undefined
}

/** The cache of data keys and its limits; units and bounds are those of `CachedKms`. */
export interface ResilientCacheConfig extends Omit<KmsCacheConfig, 'network'> {
  readonly encryptForMs?: number
  readonly maxMessages?: number
  readonly maxBytes?: number
  readonly requiredContextKeys?: readonly string[]
}

/** What a configuration cannot hold. */
export interface CreateResilientKmsOptions
  extends
    CreateKmsOptions,
    Pick<ComposeKmsOptions, 'observer' | 'circuitStore' | 'repairs' | 'audit'> {
  /** Where data-key records of messages by reference live. */
  readonly dataKeyStore?: DataKeyStore
}

/** A stack that works. */
export interface ResilientKms {
  /** What readiness asks, and what a rotation calls. */
  readonly kms: KeyManagementService
  /** For `new EnvelopeCipher({ keys })`. */
  readonly keys: CachedKms
}

/**
 * A whole stack from plain JSON: providers, everything against outages, and the cache of the preset.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @example
 * ```ts
 * import { EnvelopeCipher } from 'edge-kms'
 * import { createResilientKms } from 'edge-kms/config'
 *
 * export function cipherOf(env: { readonly EDGE_KMS_KEY: string }): EnvelopeCipher {
 *   const versions = [{ version: 1, key: { env: 'EDGE_KMS_KEY' } }]
 *   const { keys } = createResilientKms(
 *     { preset: 'highAvailability', deadlineMs: 3_000, kms: { provider: 'local', versions } },
 *     { resolve: () => env.EDGE_KMS_KEY },
 *   )
 *   return new EnvelopeCipher({ keys })
 * }
 * ```
 */
export function createResilientKms(
  config: ResilientKmsConfig,
  options: CreateResilientKmsOptions = {},
): ResilientKms {
  const { kms: given, cache, ...resilience } = Object(config) as ResilientKmsConfig
  const { resolve, runtime, network, dataKeyStore, ...rest } = options
  const { observer, circuitStore, repairs, audit, ...others } = rest
  refuseOthers(others)
  const ports = { ...(runtime && { runtime }), ...(network && { network }) }
  const list: readonly KmsConfig[] = Array.isArray(given) ? given : [given]
  if (list.length === 0) throw configError('kms is an empty list')
  const members = list.map((one) => createKms(one, { ...ports, ...(resolve && { resolve }) }))
  const layers = { observer, circuitStore, repairs, audit }
  const kms = composeKms(members, { ...resilience, ...layers, ...ports })
  const keys = new CachedKms({
    ...cacheValues(cache, resilienceValues(resilience)),
    kms,
    ...ports,
    ...(dataKeyStore && { dataKeyStore }),
  })
  return { kms, keys }
}

/** By name: nothing but numbers and key names may come from JSON. */
function cacheValues(
  cache: ResilientCacheConfig | undefined,
  preset: ResilienceValues,
): ResilientCacheConfig {
  const given = Object(cache) as ResilientCacheConfig
  const { ttlMs = preset.cacheTtlMs, maxEntries, encryptForMs, maxMessages, ...more } = given
  const { maxBytes, requiredContextKeys, ...others } = more
  refuseOthers(others)
  return {
    ttlMs,
    encryptForMs: encryptForMs ?? preset.encryptForMs,
    maxMessages: maxMessages ?? preset.maxMessages,
    ...(maxEntries !== undefined && { maxEntries }),
    ...(maxBytes !== undefined && { maxBytes }),
    ...(requiredContextKeys !== undefined && { requiredContextKeys }),
  }
}
