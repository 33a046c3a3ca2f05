import { plainOptions, refuseOthers } from '../checks/index.ts'
import { CachedKms, DATA_KEY_OPTIONS, type SharedDataKeys } from '../data-keys/index.ts'
import type { KeyManagementService } from '../kms/index.ts'
import type { DataKeyStore } from '../ports/index.ts'
import { composeKms, type ComposeKmsOptions, resilienceValues } from '../resilience/index.ts'

import { checkConfig } from './check-config.ts'
import type { CreateKmsOptions } from './create-kms.ts'
import { buildKms, type CheckedConfig } from './kms-config.ts'
import { resilientConfigSchema, type ResilientKmsConfig } from './resilience.ts'
import { Resolving } from './resolving.ts'

/** What a configuration cannot hold. */
export interface CreateResilientKmsOptions
  extends
    CreateKmsOptions,
    Pick<ComposeKmsOptions, 'observer' | 'circuitStore' | 'repairs' | 'audit'> {
  /** Where data-key records of messages by reference live. */
  readonly dataKeyStore?: DataKeyStore
  /** Data keys that processes share: `sharedDataKeys` of `edge-kms/shared-keys`. */
  readonly shared?: SharedDataKeys
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
 * @throws KmsError `ERR_KMS_CONFIG` that names the path of what is wrong and the nearest known name,
 * and repeats no value
 *
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
  const { resolve, runtime, network, signer, dataKeyStore, shared, ...rest } = plainOptions(options)
  const { observer, circuitStore, repairs, audit, ...others } = rest
  refuseOthers(others)
  const { kms: given, $schema: _schema, ...plain } = checkConfig(resilientConfigSchema, config)
  const top = new Resolving(resolve, { runtime, network, signer })
  const { cache, ...resilience } = top.all(plain, '')
  const ports = { ...top.ports, ...top.signing }
  const build = (one: CheckedConfig, place: string): KeyManagementService =>
    buildKms(one, new Resolving(resolve, ports, place))
  const members = isList(given)
    ? given.map((one, i) => build(one, `kms.${String(i)}`))
    : [build(given, 'kms')]
  const layers = { observer, circuitStore, repairs, audit }
  const kms = composeKms(members, { ...resilience, ...layers, ...top.ports })
  const values = resilienceValues(resilience)
  const { cacheTtlMs: ttlMs, cacheMaxStaleMs: maxStaleMs, encryptForMs, maxMessages } = values
  const limits = {
    ttlMs,
    maxStaleMs,
    maxStaleWriteMs: maxStaleMs,
    encryptForMs,
    ...(maxMessages !== undefined && { maxMessages }),
    // The stack's own deadline ends a call first, and says which KMS was asked.
    callTimeoutMs: Math.min(values.deadlineMs + 1_000, DATA_KEY_OPTIONS.callTimeoutMs.most),
    ...cache,
    ...(dataKeyStore && { dataKeyStore }),
    ...(shared && { shared }),
  }
  const keys = top.within('cache', () => new CachedKms({ ...limits, kms, ...top.ports }))
  return { kms, keys }
}

const isList: (given: unknown) => given is readonly CheckedConfig[] = Array.isArray
