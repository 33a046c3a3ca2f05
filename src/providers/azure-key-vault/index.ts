/**
 * Azure Key Vault and Managed HSM by `fetch`, with credentials that refresh.
 *
 * @module
 */
export {
  type AzureAppServiceOptions,
  azureAppServiceIdentity,
  azureClientCertificate,
  type AzureClientCertificateOptions,
  azureClientSecret,
  type AzureClientSecretOptions,
  type AzureCloudName,
  type AzureCredentialsOption,
  type AzureCredentialSource,
  azureFederatedToken,
  type AzureFederatedTokenOptions,
  type AzureIdentityOptions,
  azureManagedIdentity,
  type AzureToken,
  type AzureTokenOptions,
  type EntraOptions,
} from '../../credentials/azure/index.ts'
export { azureKmsFromEnv, type AzureKmsFromEnvOptions } from './azure-kms-from-env.ts'
export {
  type AzureKeyLifecycleOptions,
  createAzureKeyLifecycle,
} from './create-azure-key-lifecycle.ts'
export { createAzureKeyVaultKms } from './create-azure-key-vault-kms.ts'
export type { AzureWrapAlgorithm } from './keys-api.ts'
export type { AzureKeyVaultKms, AzureKeyVaultOptions } from './options.ts'
export type { AzureRotationPolicy } from './rotation-policy.ts'
