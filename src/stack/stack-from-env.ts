import { configError, plainOptions, refuseOthers, wrongOption } from '../checks/index.ts'
import { EnvelopeCipher } from '../envelope/index.ts'
import type { KeyManagementService } from '../kms/index.ts'
import type { Network } from '../ports/index.ts'
import type { ResilienceConfig } from '../resilience/index.ts'
import { webNetwork } from '../runtime/index.ts'
import { chooseKms } from './choose-kms.ts'
import { composeStack, type KeyStack, type StackCacheConfig } from './compose-stack.ts'
import { deferringKeys } from './deferring-keys.ts'
import type { KmsSourceOptions, StackFromEnvOptions, StackPlan } from './stack-options.ts'

/** The parts of a stack. */
export interface Stack extends KeyStack {
  readonly cipher: EnvelopeCipher
}

/**
 * Returns a cipher, its data keys and its KMS, configured by the environment variables of Node, Deno, Bun or a
 * Worker.
 *
 * One variable names the key: `EDGE_KMS_AWS_KEY_ID`, `EDGE_KMS_GCP_KEY_ID`, `EDGE_KMS_AZURE_KEY_ID`,
 * `EDGE_KMS_VAULT_KEY_ID`, or `EDGE_KMS_KEY_V1` and so on for a local key. Set the variables of exactly one vendor.
 * Credentials come from the variables that the vendor's own clients read; they never select the vendor.
 *
 * It is synchronous, sends nothing, and reads the environment only during this call. A bundle contains only the
 * vendors whose functions you import.
 *
 * @param env - `process.env`, a Worker's `env`, `denoEnv()` of `edge-kms/deno`, or a proxy that reads single variables
 * @throws KmsError `ERR_KMS_CONFIG` if no variable is set, two are, or one is empty, misspelt or wrong. It names the
 * variable and never holds a value
 *
 * @example
 * ```ts
 * import { stackFromEnv } from 'edge-kms'
 * import { awsKmsFromEnv } from 'edge-kms/aws-kms'
 * import { localKmsFromEnv } from 'edge-kms/local'
 *
 * // The AWS key in production, a local key where EDGE_KMS_KEY_V1 is set.
 * export const stackOf = (env: object) => stackFromEnv(env, { kms: [awsKmsFromEnv, localKmsFromEnv] })
 * ```
 */
export function stackFromEnv(env: object, options: StackFromEnvOptions): Stack {
  if (Object(options) !== options)
    throw wrongOption('options', 'an object such as { kms: awsKmsFromEnv }', options)
  const {
    kms: sources,
    fetch,
    network: given,
    runtime,
    readTextFile,
    bindings,
    ...rest
  } = plainOptions(options)
  const { resilience, cache, shared, circuitStore, dataKeyStore, defer, ...more } = rest
  const { observer, audit, repairs, form, acceptVersions, maxRecordBytes, ...others } = more
  refuseOthers(others)
  if (defer !== undefined && typeof defer !== 'function')
    throw wrongOption('defer', 'a function', defer)
  const network = networkOf(given, fetch)
  const told = defined({ network, runtime, readTextFile, bindings }) satisfies KmsSourceOptions
  const plan = planOf(chooseKms(env, sources)(env, told))
  const stack = composeStack(plan.kms, {
    resilience: onlyOne('resilience', resilienceOf(resilience), plan.resilience) ?? {},
    cache: onlyOne('cache', cacheOf(cache), plan.cache) ?? {},
    shared: unlessFalse(onlyOne('shared', shared, plan.shared)),
    circuitStore: unlessFalse(onlyOne('circuitStore', circuitStore, plan.circuitStore)),
    ...{ dataKeyStore, observer, audit, repairs, runtime, network, join: plan.join },
  })
  const keys = defer === undefined ? stack.keys : deferringKeys(stack.keys, defer)
  const cipher = new EnvelopeCipher({ keys, ...defined({ form, acceptVersions, maxRecordBytes }) })
  return Object.freeze({ ...stack, cipher })
}

function planOf(made: KeyManagementService | StackPlan): StackPlan {
  if (Object(made) !== made)
    throw wrongOption('kms', 'a function that returns a KMS or a plan', made)
  return 'kms' in made ? made : { kms: made }
}

/** Refuses an option that code and configuration both set: one of the two would be ignored. */
function onlyOne<T>(name: string, given: T | undefined, planned: T | undefined): T | undefined {
  if (given === undefined || planned === undefined) return given ?? planned
  throw configError(`${name} must be set in the configuration, which describes a whole stack`)
}

function resilienceOf(given: StackFromEnvOptions['resilience']): ResilienceConfig | undefined {
  if (given === undefined) return undefined
  return typeof given === 'string' ? { preset: given } : plainOptions(given, 'resilience')
}

/** A plan may switch a store off. The part that takes the store refuses other mistakes. */
function unlessFalse<T>(store: T | false): T | undefined {
  return store === false ? undefined : store
}

function cacheOf(given: StackFromEnvOptions['cache']): StackCacheConfig | undefined {
  if (given === false) return { maxEntries: 0 }
  return given === undefined ? undefined : plainOptions(given, 'cache')
}

function networkOf(
  network: Network | undefined,
  fetch: StackFromEnvOptions['fetch'],
): Network | undefined {
  if (fetch === undefined) return network
  if (network !== undefined)
    throw configError('fetch and network exclude each other: give one of them')
  if (typeof fetch !== 'function') throw wrongOption('fetch', 'a function', fetch)
  return { ...webNetwork, fetch: (url, init) => fetch(url, init) }
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** Returns the options that are there. */
function defined<T extends object>(options: T): Defined<T> {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as Defined<T>
}
