export { vaultAwsIam, type VaultAwsIamOptions } from './aws-iam.ts'
export { type VaultCall, VaultClient } from './client.ts'
export { rowOf, type VaultErrorRow } from './errors.ts'
export {
  vaultAppRole,
  type VaultAppRoleOptions,
  vaultJwt,
  type VaultJwtOptions,
  vaultKubernetes,
  type VaultMount,
  type VaultSecret,
} from './login.ts'
export { checkVaultPath } from './paths.ts'
export { vaultToken } from './static-token.ts'
export type { VaultLogin, VaultToken } from './token.ts'
export { VaultHttp, type VaultPlace } from './vault-http.ts'
