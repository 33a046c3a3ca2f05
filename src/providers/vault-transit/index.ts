/**
 * The transit engine of HashiCorp Vault and OpenBao by `fetch`, with logins that renew.
 *
 * @module
 */
export {
  vaultAppRole,
  type VaultAppRoleOptions,
  type VaultLogin,
  vaultAwsIam,
  type VaultAwsIamOptions,
  vaultJwt,
  type VaultJwtOptions,
  vaultKubernetes,
  type VaultMount,
  type VaultPlace,
  type VaultSecret,
  vaultToken,
} from '../../credentials/vault/index.ts'
export {
  createVaultKeyLifecycle,
  type VaultKeyLifecycleOptions,
} from './create-vault-key-lifecycle.ts'
export { createVaultTransitKms } from './create-vault-transit-kms.ts'
export { vaultKmsFromEnv, type VaultKmsFromEnvOptions } from './vault-kms-from-env.ts'
export type { VaultTransitKmsOptions } from './options.ts'
