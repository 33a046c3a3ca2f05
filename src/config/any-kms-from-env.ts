import { configError, deniedVariables, variableOf } from '../checks/index.ts'
import { isKmsError } from '../errors.ts'
import type { KeyManagementService, KmsFromEnv } from '../kms/index.ts'
import { awsKmsFromEnv } from '../providers/aws-kms/index.ts'
import { azureKmsFromEnv } from '../providers/azure-key-vault/index.ts'
import { gcpKmsFromEnv } from '../providers/gcp-kms/index.ts'
import { localKmsFromEnv } from '../providers/local/index.ts'
import { vaultKmsFromEnv } from '../providers/vault-transit/index.ts'
import {
  chooseKms,
  CONFIG,
  variablesIn,
  type KmsSource,
  type KmsSourceOptions,
  type StackPlan,
} from '../stack/index.ts'
import { createKms } from './create-kms.ts'
import type { KmsConfig } from './kms-config.ts'
import { planOfConfig } from './plan-of-config.ts'
import type { ConfigResolver } from './references.ts'
import type { ResilientKmsConfig } from './resilience.ts'

/** Options of {@link anyKmsFromEnv}. */
export interface AnyKmsFromEnvOptions extends KmsSourceOptions {
  /**
   * Resolves `{ "env": … }` and `{ "file": … }` of `EDGE_KMS_CONFIG`. By default variables are those of the environment,
   * and references to files are refused.
   */
  readonly resolve?: ConfigResolver | undefined
}

/** A source for `stackFromEnv` that takes every vendor. */
export interface AnyKmsFromEnv {
  (env: object, options?: AnyKmsFromEnvOptions): KeyManagementService | StackPlan
  readonly variables: readonly string[]
}

const vendors = (): readonly KmsFromEnv[] => [
  localKmsFromEnv,
  awsKmsFromEnv,
  gcpKmsFromEnv,
  azureKmsFromEnv,
  vaultKmsFromEnv,
]

/**
 * Returns the KMS or the stack that `EDGE_KMS_CONFIG` describes, in the JSON of `createKms` or of
 * `createResilientKms`. Without that variable, it returns the KMS of the vendor whose key variable is set. It brings
 * every vendor and zod into a bundle.
 *
 * @throws KmsError `ERR_KMS_CONFIG` that names the variable and the path in it, and never repeats a value
 *
 * @example
 * ```ts
 * import { stackFromEnv } from 'edge-kms'
 * import { anyKmsFromEnv } from 'edge-kms/config'
 *
 * export const cipherOf = (env: object) => stackFromEnv(env, { kms: anyKmsFromEnv }).cipher
 * ```
 */
export const anyKmsFromEnv: AnyKmsFromEnv = /* @__PURE__ */ source()

/** One call without effects, so that a bundle that only has `createKms` drops it with all that it brings. */
function source(): AnyKmsFromEnv {
  const variables = [CONFIG, ...vendors().flatMap((vendor) => vendor.variables)]
  return Object.freeze(
    Object.assign((env: object, options: AnyKmsFromEnvOptions = {}) => fromEnv(env, options), {
      variables: Object.freeze(variables),
    }),
  )
}

function fromEnv(env: object, options: AnyKmsFromEnvOptions): KeyManagementService | StackPlan {
  const configured: KmsSource = Object.assign(() => configuredBy(env, options), {
    variables: [CONFIG],
  })
  const { resolve: _resolve, ...told } = options
  return chooseKms(env, [configured, ...vendors()])(env, told)
}

function configuredBy(
  env: object,
  options: AnyKmsFromEnvOptions,
): KeyManagementService | StackPlan {
  const json = variableOf(env, CONFIG) ?? ''
  const config = parse(json)
  const { runtime, network, bindings, resolve = variablesOf(env, json) } = options
  const common = { resolve, runtime, network }
  try {
    // One KMS has a `provider`; of one by context, `kms` is the KMS of each customer.
    if (isKmsConfig(Object(config) as object)) return createKms(config as KmsConfig, common)
    return planOfConfig(config as ResilientKmsConfig, { ...common, bindings })
  } catch (error) {
    if (!isKmsError(error, 'ERR_KMS_CONFIG')) throw error
    const denied = deniedVariables(env, [...variablesIn(json)])
    throw configError(`${CONFIG}: ${error.message}${denied}`)
  }
}

function isKmsConfig(config: object): boolean {
  return Object.hasOwn(config, 'provider') || !Object.hasOwn(config, 'kms')
}

/** Variables alone, read now: a platform may have no files. */
function variablesOf(env: object, json: string): ConfigResolver {
  const names = [...variablesIn(json)]
  const values = new Map(names.map((name) => [name, variableOf(env, name)]))
  return (reference) => ('env' in reference ? values.get(reference.env) : undefined)
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json) as unknown
  } catch {
    // The parser's message quotes what it read.
    throw configError(`${CONFIG} must be JSON, got other text`)
  }
}
