import { type BrowserRule, fromVariable, plainOptions, variableOf } from '../../checks/index.ts'
import {
  type KeyManagementService,
  type KmsFromEnv,
  kmsFromEnv,
  type KmsFromEnvOptions,
  localKeyNames,
} from '../../kms/index.ts'
import { EnvKeyProvider } from './env-key-provider.ts'
import type { LocalKmsOptions } from './local-kms.ts'

/** Options of {@link localKmsFromEnv}: those of `createLocalKms` that are not read from the environment. */
export interface LocalKmsFromEnvOptions
  extends KmsFromEnvOptions, BrowserRule, Omit<Partial<LocalKmsOptions>, 'versions' | 'runtime'> {}

/**
 * Returns a local KMS whose keys are in `EDGE_KMS_KEY_V1`, `EDGE_KMS_KEY_V2`, …, each the base64 of 32 random bytes;
 * `EDGE_KMS_KEY_RETIRED` lists versions that no longer wrap. In an environment that cannot list its names, it looks
 * for versions 1 to 64.
 *
 * @throws KmsError `ERR_KMS_CONFIG` that names the variable
 *
 * @example
 * ```ts
 * import { stackFromEnv } from 'edge-kms'
 * import { localKmsFromEnv } from 'edge-kms/local'
 *
 * export const cipherOf = (env: object) => stackFromEnv(env, { kms: localKmsFromEnv }).cipher
 * ```
 */
export const localKmsFromEnv: KmsFromEnv<LocalKmsFromEnvOptions> =
  /* @__PURE__ */ kmsFromEnv<LocalKmsFromEnvOptions>(['EDGE_KMS_KEY_V1'], make)

const RETIRED = 'EDGE_KMS_KEY_RETIRED'

function make(env: object, options: LocalKmsFromEnvOptions): KeyManagementService {
  const { runtime, network: _network, readTextFile: _readTextFile, ...rest } = plainOptions(options)
  const found: Record<string, string> = {}
  for (const name of [...localKeyNames(env), RETIRED]) {
    const value = variableOf(env, name)
    if (value !== undefined) found[name] = value
  }
  const ports = { ...(runtime && { runtime }) }
  return fromVariable('EDGE_KMS_KEY_V…', '', () => new EnvKeyProvider(found, { ...rest, ...ports }))
}
