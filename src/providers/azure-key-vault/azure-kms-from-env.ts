import { demandVariable, fromVariable, plainOptions } from '../../checks/index.ts'
import { azureCredentialsOfEnv } from '../../credentials/azure/index.ts'
import {
  type KeyManagementService,
  type KmsFromEnv,
  kmsFromEnv,
  type KmsFromEnvOptions,
} from '../../kms/index.ts'
import { createAzureKeyVaultKms } from './create-azure-key-vault-kms.ts'
import type { AzureKeyVaultOptions } from './options.ts'

/** Options of {@link azureKmsFromEnv}: those of `createAzureKeyVaultKms` that are not read from the environment. */
export interface AzureKmsFromEnvOptions
  extends KmsFromEnvOptions, Omit<Partial<AzureKeyVaultOptions>, 'keyId' | 'network' | 'runtime'> {}

const KEY_ID = 'EDGE_KMS_AZURE_KEY_ID'

/**
 * Returns a KMS for the key of Azure Key Vault or Managed HSM in `EDGE_KMS_AZURE_KEY_ID`: the key's URL without a
 * version. It takes the first credentials that are set, from the variables that Azure's own clients read:
 * - an application, by `AZURE_TENANT_ID` and `AZURE_CLIENT_ID` with `AZURE_CLIENT_SECRET`,
 *   `AZURE_CLIENT_CERTIFICATE_PATH` or `AZURE_FEDERATED_TOKEN_FILE`
 * - the identity of an app, by `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`
 * - otherwise the identity of the machine, or the one of `AZURE_CLIENT_ID`
 *
 * `AZURE_AUTHORITY_HOST` names another cloud.
 *
 * @throws KmsError `ERR_KMS_CONFIG` that names the variable
 *
 * @example
 * ```ts
 * import { stackFromEnv } from 'edge-kms'
 * import { azureKmsFromEnv } from 'edge-kms/azure-key-vault'
 *
 * export const cipherOf = (env: object) => stackFromEnv(env, { kms: azureKmsFromEnv }).cipher
 * ```
 */
export const azureKmsFromEnv: KmsFromEnv<AzureKmsFromEnvOptions> =
  /* @__PURE__ */ kmsFromEnv<AzureKmsFromEnvOptions>([KEY_ID], make)

function make(env: object, options: AzureKmsFromEnvOptions): KeyManagementService {
  const keyId = demandVariable(env, KEY_ID, 'it names the key')
  const { readTextFile, credentials, network, runtime, ...rest } = plainOptions(options)
  const ports = { ...(network && { network }), ...(runtime && { runtime }) }
  const found = credentials ?? azureCredentialsOfEnv(env, { ...ports, readTextFile })
  return fromVariable(KEY_ID, keyId, () =>
    createAzureKeyVaultKms({ ...rest, ...ports, keyId, credentials: found }),
  )
}
