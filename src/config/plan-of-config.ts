import { refuseOthers } from '../checks/index.ts'
import type { KeyManagementService } from '../kms/index.ts'
import type { ResilienceConfig } from '../resilience/index.ts'
import type { StackCacheConfig, StackPlan } from '../stack/index.ts'
import { checkConfig } from './check-config.ts'
import type { CreateKmsOptions } from './create-kms.ts'
import { buildKms, type CheckedConfig } from './kms-config.ts'
import { resilientConfigSchema, type ResilientKmsConfig } from './resilience.ts'
import { Resolving } from './resolving.ts'
import { sharedOf, type StoreBindings, storeOf } from './stores.ts'

/** What reads a configuration of a stack. */
export interface PlanOptions extends CreateKmsOptions {
  readonly bindings?: StoreBindings | undefined
}

/** The plan of a configuration: what it does not say is a default. */
export interface ConfigPlan extends StackPlan {
  readonly resilience: ResilienceConfig
  readonly cache: StackCacheConfig
}

/**
 * Returns the plan of a stack that a configuration describes.
 *
 * @throws KmsError `ERR_KMS_CONFIG` that names the path of what is wrong, and repeats no value
 */
export function planOfConfig(config: ResilientKmsConfig, options: PlanOptions): ConfigPlan {
  const { resolve, runtime, network, signer, bindings, ...others } = options
  refuseOthers(others)
  const { kms: given, $schema: _schema, ...plain } = checkConfig(resilientConfigSchema, config)
  const top = new Resolving(resolve, { runtime, network, signer })
  const { cache = {}, circuitStore, shared, ...resilience } = top.all(plain, '')
  const ports = { ...top.ports, ...top.signing }
  const build = (one: CheckedConfig, place: string): KeyManagementService =>
    buildKms(one, new Resolving(resolve, ports, place))
  const kms = isList(given)
    ? given.map((one, i) => build(one, `kms.${String(i)}`))
    : [build(given, 'kms')]
  return {
    kms,
    resilience,
    cache,
    circuitStore: circuitStore && storeOf(circuitStore, bindings, 'circuitStore'),
    shared: shared && sharedOf(shared, bindings),
  }
}

const isList: (given: unknown) => given is readonly CheckedConfig[] = Array.isArray
