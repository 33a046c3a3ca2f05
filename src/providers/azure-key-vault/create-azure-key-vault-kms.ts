import {
  checkFlags,
  configError,
  oneOf,
  plainOptions,
  refuseBrowser,
  refuseOthers,
} from '../../checks/index.ts'
import { toTokenSource } from '../../credentials/azure/index.ts'
import { Transport } from '../../http/index.ts'
import { webNetwork, webRuntime } from '../../runtime/index.ts'
import { configuredKey } from './key-id.ts'
import { KeyVaultKms } from './key-vault-kms.ts'
import { KeysApi, WRAP_LENGTHS } from './keys-api.ts'
import type { AzureKeyVaultKms, AzureKeyVaultOptions } from './options.ts'
import { VaultClient } from './vault-client.ts'

/**
 * Returns a KMS for one key of Azure Key Vault or Managed HSM, by `fetch` alone. It sends nothing before the first
 * use.
 *
 * Each data key that is made (wrapKey) or unwrapped (unwrapKey) costs one call. The context is not sent, because
 * Azure's wrapping does not take one: only the derivation of the data key binds it.
 *
 * @remarks Security: an RSA key wraps by its public half, so **anyone** who has the public key can make a wrap. A
 * wrap does not prove who made it, and RSA is not safe against a quantum computer. `A256KW` on a Managed HSM has
 * neither weakness. Stores that are shared for writing must have `storeAuthKey`.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://learn.microsoft.com/rest/api/keyvault/keys/operation-groups
 *
 * @example
 * ```ts
 * import { EnvelopeCipher } from 'edge-kms'
 * import { azureManagedIdentity, createAzureKeyVaultKms } from 'edge-kms/azure-key-vault'
 *
 * const kms = createAzureKeyVaultKms({
 *   keyId: 'https://acme.vault.azure.net/keys/app',
 *   credentials: azureManagedIdentity(),
 * })
 * export const cipher = new EnvelopeCipher({ kms })
 * ```
 */
export function createAzureKeyVaultKms(options: AzureKeyVaultOptions): AzureKeyVaultKms {
  const { keyId: configured, resource: given, allowHttpLoopback, ...rest } = plainOptions(options)
  const { algorithm = 'RSA-OAEP-256', usage = 'both', timeoutMs, credentials, ...ports } = rest
  const { runtime = webRuntime, network = webNetwork, dangerouslyAllowBrowser, ...others } = ports
  refuseOthers(others)
  refuseBrowser(dangerouslyAllowBrowser)
  oneOf('algorithm', algorithm, ['RSA-OAEP-256', 'A256KW'])
  oneOf('usage', usage, ['both', 'encrypt', 'decrypt'])
  checkFlags({ allowHttpLoopback })
  const place = {
    keyId: configured,
    ...(given !== undefined && { resource: given }),
    ...(allowHttpLoopback !== undefined && { allowHttpLoopback }),
  }
  const { keyId, resource, isManagedHsm } = configuredKey(place)
  if (algorithm === 'A256KW' && !isManagedHsm)
    throw configError(
      'algorithm A256KW requires a key of a Managed HSM: use another algorithm or key',
    )
  const client = new VaultClient({
    keyId,
    resource,
    credentials: toTokenSource(credentials, { runtime, network }),
    transport: new Transport({ network, timeoutMs }),
    runtime,
  })
  const api = new KeysApi(client, keyId, algorithm)
  return new KeyVaultKms({ api, keyId, lengths: WRAP_LENGTHS[algorithm], usage, runtime })
}
