import {
  checkFlags,
  isTexts,
  plainOptions,
  refuseBrowser,
  refuseOthers,
  wrongOption,
} from '../../checks/index.ts'
import { checkVaultPath, VaultClient, VaultHttp } from '../../credentials/vault/index.ts'
import type { KeyLifecycle } from '../../kms/index.ts'
import { webNetwork, webRuntime } from '../../runtime/index.ts'
import { TRANSIT_ERRORS } from './errors.ts'
import { checkKekId, checkKeyName } from './key-names.ts'
import type { VaultTransitKmsOptions } from './options.ts'
import { PROVIDER } from './transit-api.ts'
import { VaultKeyLifecycle } from './vault-key-lifecycle.ts'

/** Options of {@link createVaultKeyLifecycle}. */
export type VaultKeyLifecycleOptions = Omit<
  VaultTransitKmsOptions,
  'bindBy' | 'derived' | 'healthContext' | 'usage'
>

/**
 * Returns a lifecycle of the versions of one transit key of Vault or OpenBao. Give it its own login, with a policy
 * that allows `read` on `transit/keys/<key>` and `update` on `transit/keys/<key>/config` and
 * `transit/keys/<key>/trim`. The policy of your service does not need the last two.
 *
 * Transit disables by `min_decryption_version` and destroys by `min_available_version`, so you can disable only the
 * lowest enabled version, and destroy only the lowest version that still exists. Destruction is immediate and final.
 * It also raises `min_encryption_version`, which transit demands.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 *
 * @example
 * ```ts
 * import { createVaultKeyLifecycle, type VaultLogin } from 'edge-kms/vault-transit'
 *
 * export const lifecycleOf = (endpoint: string, auth: VaultLogin) =>
 *   createVaultKeyLifecycle({ endpoint, key: 'app', auth })
 * ```
 */
export function createVaultKeyLifecycle(options: VaultKeyLifecycleOptions): KeyLifecycle {
  const { key: name, mount = 'transit', auth, kekId, ...more } = plainOptions(options)
  const { runtime = webRuntime, network = webNetwork, ...placed } = more
  const { endpoint, namespace, standbyOrigins, timeoutMs, allowHttpLoopback, ...rules } = placed
  const { dangerouslyAllowBrowser, ...unknown } = rules
  refuseOthers(unknown)
  refuseBrowser(dangerouslyAllowBrowser)
  checkKeyName(name)
  checkVaultPath('mount', mount)
  checkFlags({ allowHttpLoopback })
  if (standbyOrigins !== undefined && !isTexts(standbyOrigins))
    throw wrongOption('standbyOrigins', 'an array of origins', standbyOrigins)
  if (typeof (auth as Partial<typeof auth> | undefined)?.login !== 'function')
    throw wrongOption('auth', 'one of vaultToken, vaultAppRole, vaultJwt and so on', auth)
  const vault = new VaultHttp(
    { endpoint, namespace, standbyOrigins, timeoutMs, allowHttpLoopback },
    { runtime, network },
  )
  const client = new VaultClient(vault, auth, { provider: PROVIDER, errors: TRANSIT_ERRORS })
  const own = checkKekId(kekId ?? `${mount}/${name}`)
  return new VaultKeyLifecycle(client, `${mount}/keys/${name}`, name, own)
}
