import {
  configError,
  demandVariable,
  deniedVariables,
  fromVariable,
  plainOptions,
  variableOf,
} from '../../checks/index.ts'
import { vaultAppRole, type VaultLogin, vaultToken } from '../../credentials/vault/index.ts'
import { checkEndpoint } from '../../http/index.ts'
import {
  type KeyManagementService,
  type KmsFromEnv,
  kmsFromEnv,
  type KmsFromEnvOptions,
} from '../../kms/index.ts'
import { createVaultTransitKms } from './create-vault-transit-kms.ts'
import type { VaultTransitKmsOptions } from './options.ts'

/** Options of {@link vaultKmsFromEnv}: those of `createVaultTransitKms` that are not read from the environment. */
export interface VaultKmsFromEnvOptions
  extends
    KmsFromEnvOptions,
    Omit<Partial<VaultTransitKmsOptions>, 'key' | 'mount' | 'endpoint' | 'network' | 'runtime'> {}

const KEY_ID = 'EDGE_KMS_VAULT_KEY_ID'
const ADDRESS = 'VAULT_ADDR'
const TOKEN = 'VAULT_TOKEN'
const ROLE = 'VAULT_ROLE_ID'

/**
 * Returns a KMS for the transit key of Vault or OpenBao in `EDGE_KMS_VAULT_KEY_ID`: its mount and name,
 * `transit/app`, or its name alone. `VAULT_ADDR` is the address and `VAULT_NAMESPACE` the namespace. It logs in by
 * `VAULT_TOKEN`, or by AppRole with `VAULT_ROLE_ID` and `VAULT_SECRET_ID`; pass `auth` for any other method. Plain
 * http is allowed only to a loopback address.
 *
 * @throws KmsError `ERR_KMS_CONFIG` that names the variable
 *
 * @example
 * ```ts
 * import { stackFromEnv } from 'edge-kms'
 * import { vaultKmsFromEnv } from 'edge-kms/vault-transit'
 *
 * export const cipherOf = (env: object) => stackFromEnv(env, { kms: vaultKmsFromEnv }).cipher
 * ```
 */
export const vaultKmsFromEnv: KmsFromEnv<VaultKmsFromEnvOptions> =
  /* @__PURE__ */ kmsFromEnv<VaultKmsFromEnvOptions>([KEY_ID], make)

function make(env: object, options: VaultKmsFromEnvOptions): KeyManagementService {
  const path = demandVariable(env, KEY_ID, 'it names the key')
  const endpoint = demandVariable(env, ADDRESS, `${KEY_ID} needs it`)
  const { readTextFile: _readTextFile, auth, network, runtime, ...rest } = plainOptions(options)
  const ports = { ...(network && { network }), ...(runtime && { runtime }) }
  const namespace = rest.namespace ?? variableOf(env, 'VAULT_NAMESPACE')
  const [mount, key] = /^(?:(.*)\/)?(.*)$/.exec(path)?.slice(1) ?? []
  const login = auth ?? authOf(env)
  const rules = { allowHttpLoopback: true, ...rest }
  fromVariable(ADDRESS, endpoint, () => checkEndpoint(endpoint, rules))
  return fromVariable(KEY_ID, path, () =>
    createVaultTransitKms({
      ...rules,
      ...ports,
      ...(namespace !== undefined && { namespace }),
      ...(mount !== undefined && { mount }),
      endpoint,
      key: key ?? '',
      auth: login,
    }),
  )
}

function authOf(env: object): VaultLogin {
  const token = variableOf(env, TOKEN)
  if (token !== undefined) return fromVariable(TOKEN, token, () => vaultToken(token))
  const roleId = variableOf(env, ROLE)
  const secretId = variableOf(env, 'VAULT_SECRET_ID')
  if (roleId !== undefined)
    return vaultAppRole({ roleId, ...(secretId !== undefined && { secretId }) })
  throw configError(
    `no login to Vault is set: set ${TOKEN}, or ${ROLE} and VAULT_SECRET_ID, or give auth${deniedVariables(env, [TOKEN, ROLE])}`,
  )
}
