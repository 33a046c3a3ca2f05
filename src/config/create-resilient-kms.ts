import { plainOptions } from '../checks/index.ts'
import type { SharedDataKeys } from '../data-keys/index.ts'
import type { DataKeyStore } from '../ports/index.ts'
import type { ComposeKmsOptions } from '../resilience/index.ts'
import { composeStack, type KeyStack } from '../stack/index.ts'
import type { CreateKmsOptions } from './create-kms.ts'
import { onlyOne, planOfConfig } from './plan-of-config.ts'
import type { ResilientKmsConfig } from './resilience.ts'
import type { StoreBindings } from './stores.ts'

/** Ports and objects that JSON cannot hold. */
export interface CreateResilientKmsOptions
  extends
    CreateKmsOptions,
    Pick<ComposeKmsOptions, 'observer' | 'circuitStore' | 'repairs' | 'audit'> {
  /** The store of data-key records, for messages by reference. */
  readonly dataKeyStore?: DataKeyStore
  /** Data keys that processes share: `sharedDataKeys` of `edge-kms/shared-keys`. */
  readonly shared?: SharedDataKeys
  /** Stores by the names that `circuitStore` and `shared` of the configuration use. */
  readonly bindings?: StoreBindings
}

/** The parts of a stack. */
export type ResilientKms = KeyStack

/**
 * Returns a whole stack from plain JSON: providers, all layers against outages, and the cache of the preset.
 *
 * @throws KmsError `ERR_KMS_CONFIG` that names the path of the wrong value and the nearest known name, and never
 * repeats a value
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
  const { dataKeyStore, shared, observer, circuitStore, repairs, audit, ...reading } =
    plainOptions(options)
  const layers = { observer, circuitStore, repairs, audit }
  const plan = planOfConfig(config, { ...reading, layers })
  const { runtime, network } = reading
  return composeStack(plan.kms, {
    resilience: plan.resilience,
    cache: plan.cache,
    join: plan.join,
    circuitStore: plan.circuitStore || undefined,
    shared: onlyOne('shared', shared, plan.shared),
    ...{ dataKeyStore, observer, repairs, audit, runtime, network },
  })
}
