import {
  checkFlags,
  isTexts,
  oneOf,
  plainOptions,
  refuseBrowser,
  refuseOthers,
  wrongOption,
} from '../../checks/index.ts'
import { checkVaultPath, VaultClient, VaultHttp } from '../../credentials/vault/index.ts'
import { contextId, type KeyManagementService } from '../../kms/index.ts'
import { webNetwork, webRuntime } from '../../runtime/index.ts'
import { TRANSIT_ERRORS } from './errors.ts'
import { checkKekId, checkKeyName } from './key-names.ts'
import type { VaultTransitKmsOptions } from './options.ts'
import { PROVIDER, TransitApi } from './transit-api.ts'
import { TransitKey } from './transit-key.ts'
import { VaultTransitKms } from './vault-transit-kms.ts'

/**
 * Returns a KMS for one transit key of HashiCorp Vault or OpenBao, by `fetch` alone. It sends nothing before the
 * first use.
 *
 * It reads the key's settings once. Then each data key that is made (encrypt) or unwrapped (decrypt) costs one call,
 * and one call unwraps up to a thousand (batch_input). The context is bound as associated data; Vault's audit log has
 * an HMAC of it.
 *
 * @throws KmsError `ERR_KMS_CONFIG`; `ERR_CONTEXT_INVALID` for an invalid `healthContext`
 * @see https://developer.hashicorp.com/vault/api-docs/secret/transit
 * @see https://openbao.org/api-docs/secret/transit/
 *
 * @example
 * ```ts
 * import { EnvelopeCipher } from 'edge-kms'
 * import { createVaultTransitKms, vaultAppRole } from 'edge-kms/vault-transit'
 *
 * export function cipherOf(env: { VAULT_ROLE_ID: string; VAULT_SECRET_ID: string }): EnvelopeCipher {
 *   const kms = createVaultTransitKms({
 *     endpoint: 'https://vault.example.com:8200',
 *     key: 'app',
 *     auth: vaultAppRole({ roleId: env.VAULT_ROLE_ID, secretId: env.VAULT_SECRET_ID }),
 *   })
 *   return new EnvelopeCipher({ kms })
 * }
 * ```
 */
export function createVaultTransitKms(options: VaultTransitKmsOptions): KeyManagementService {
  const { key: name, mount = 'transit', auth, usage = 'both', ...more } = plainOptions(options)
  const { kekId = `${mount}/${name}`, bindBy = 'associated-data', derived, ...others } = more
  const { runtime = webRuntime, network = webNetwork, healthContext, ...placed } = others
  const { endpoint, namespace, standbyOrigins, timeoutMs, allowHttpLoopback, ...rules } = placed
  const { dangerouslyAllowBrowser, ...unknown } = rules
  refuseOthers(unknown)
  refuseBrowser(dangerouslyAllowBrowser)
  checkKeyName(name)
  checkVaultPath('mount', mount)
  oneOf('usage', usage, ['both', 'encrypt', 'decrypt'])
  oneOf('bindBy', bindBy, ['associated-data', 'derivation'])
  checkFlags({ derived, allowHttpLoopback })
  if (standbyOrigins !== undefined && !isTexts(standbyOrigins))
    throw wrongOption('standbyOrigins', 'an array of origins', standbyOrigins)
  contextId(healthContext) // for its check
  checkKekId(kekId)
  if (typeof (auth as Partial<typeof auth> | undefined)?.login !== 'function')
    throw wrongOption('auth', 'one of vaultToken, vaultAppRole, vaultJwt and so on', auth)
  const vault = new VaultHttp(
    { endpoint, namespace, standbyOrigins, timeoutMs, allowHttpLoopback },
    { runtime, network },
  )
  const client = new VaultClient(vault, auth, { provider: PROVIDER, errors: TRANSIT_ERRORS })
  const api = new TransitApi(client, mount, name)
  return new VaultTransitKms({
    api,
    key: new TransitKey(api, { bindBy, ...(derived !== undefined && { derived }) }),
    kekId,
    usage,
    bindBy,
    healthContext: { ...healthContext, 'edge-kms:dk': 'health' },
    runtime,
  })
}
