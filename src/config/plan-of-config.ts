import { configError, refuseOthers } from '../checks/index.ts'
import type { KeyManagementService } from '../kms/index.ts'
import { type ComposeKmsOptions, joinKms, type ResilienceConfig } from '../resilience/index.ts'
import type { StackCacheConfig, StackPlan } from '../stack/index.ts'
import { checkConfig } from './check-config.ts'
import type { CreateKmsOptions } from './create-kms.ts'
import { forCustomer, outsideOf } from './customer-stack.ts'
import { buildKms, type CheckedConfig } from './kms-config.ts'
import { resilientConfigSchema, type ResilientKmsConfig } from './resilience.ts'
import { Resolving } from './resolving.ts'
import { sharedOf, type StoreBindings, storeOf } from './stores.ts'

/** The tools that read a configuration of a stack. */
export interface PlanOptions extends CreateKmsOptions {
  readonly bindings?: StoreBindings | undefined
  /** Layers that the code adds to the stack: each customer's own layers use them, too. */
  readonly layers?: Pick<ComposeKmsOptions, 'observer' | 'circuitStore' | 'repairs' | 'audit'>
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
  const { bindings, layers = {}, ...reading } = options
  const { resolve, runtime, network, signer, googleCloudKms, ...others } = reading
  refuseOthers(others)
  const { kms: given, $schema: _schema, ...plain } = checkConfig(resilientConfigSchema, config)
  const top = new Resolving(resolve, { runtime, network, signer, googleCloudKms })
  const { cache = {}, circuitStore: named, shared, ...resilience } = top.all(plain, '')
  const ports = { ...top.ports, ...top.signing, ...top.clients }
  const planned = named && storeOf(named, bindings, 'circuitStore')
  const circuitStore = onlyOne('circuitStore', layers.circuitStore, planned)
  const whole = { ...resilience, ...layers, circuitStore, ...top.ports }
  const build = (one: CheckedConfig, place: string): KeyManagementService =>
    buildKms(one, new Resolving(resolve, ports, place), forCustomer(whole))
  const kms = isList(given)
    ? given.map((one, i) => build(one, `kms.${String(i)}`))
    : [build(given, 'kms')]
  const outside = outsideOf(kms, { ...resilience, circuitStore })
  return {
    kms,
    join: joinKms,
    resilience: resilienceOf(outside),
    cache,
    circuitStore: outside.circuitStore,
    shared: shared && sharedOf(shared, bindings),
  }
}

function resilienceOf({
  circuitStore: _store,
  ...resilience
}: ComposeKmsOptions): ResilienceConfig {
  return resilience
}

/** Refuses an option that JSON and code both set: one of the two would be ignored. */
export function onlyOne<T>(
  name: string,
  given: T | undefined,
  planned: T | false | undefined,
): T | undefined {
  if (given !== undefined && planned !== undefined)
    throw configError(`${name} is set in the configuration too: set it in one place`)
  return given ?? (planned === false ? undefined : planned)
}

const isList: (given: unknown) => given is readonly CheckedConfig[] = Array.isArray
