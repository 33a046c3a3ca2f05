import { checkFlags, plainOptions, refuseBrowser, refuseOthers } from '../../checks/index.ts'
import { toTokenSource } from '../../credentials/azure/index.ts'
import { Transport } from '../../http/index.ts'
import type { KeyLifecycle } from '../../kms/index.ts'
import { webNetwork, webRuntime } from '../../runtime/index.ts'
import { AzureKeyLifecycle } from './azure-key-lifecycle.ts'
import { KeyAdminApi } from './key-admin-api.ts'
import { configuredKey } from './key-id.ts'
import type { AzureKeyVaultOptions } from './options.ts'
import { VaultClient } from './vault-client.ts'

/** Options of {@link createAzureKeyLifecycle}. */
export type AzureKeyLifecycleOptions = Omit<AzureKeyVaultOptions, 'algorithm' | 'usage'>

/**
 * Returns a lifecycle of one key of Azure Key Vault or Managed HSM. Give it its own credentials, with the key
 * permissions `get`, `list`, `update`, `delete` and `recover`. Your service's own credentials do not need the last
 * three.
 *
 * Azure can disable a version, but it can delete only whole keys: a retired version stays disabled. A deleted key can
 * be recovered until the vault's retention is over, 90 days by default. An empty `kekVersion` means the whole key.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 *
 * @example
 * ```ts
 * import { type AzureCredentialsOption, createAzureKeyLifecycle } from 'edge-kms/azure-key-vault'
 *
 * export const lifecycleOf = (keyId: string, credentials: AzureCredentialsOption) =>
 *   createAzureKeyLifecycle({ keyId, credentials })
 * ```
 */
export function createAzureKeyLifecycle(options: AzureKeyLifecycleOptions): KeyLifecycle {
  const {
    keyId: configured,
    resource: given,
    allowHttpLoopback,
    credentials,
    ...rest
  } = plainOptions(options)
  const { timeoutMs, runtime = webRuntime, network = webNetwork, ...more } = rest
  const { dangerouslyAllowBrowser, ...others } = more
  refuseOthers(others)
  refuseBrowser(dangerouslyAllowBrowser)
  checkFlags({ allowHttpLoopback })
  const { keyId, resource } = configuredKey({
    keyId: configured,
    ...(given !== undefined && { resource: given }),
    ...(allowHttpLoopback !== undefined && { allowHttpLoopback }),
  })
  const ports = {
    resource,
    credentials: toTokenSource(credentials, { runtime, network }),
    transport: new Transport({ network, timeoutMs }),
    runtime,
  }
  const api = new KeyAdminApi(
    new VaultClient({ keyId, ...ports }),
    new VaultClient({ keyId: keyId.replace(/\/keys\/([^/]+)$/, '/deletedkeys/$1'), ...ports }),
    keyId,
  )
  return new AzureKeyLifecycle(api, keyId)
}
