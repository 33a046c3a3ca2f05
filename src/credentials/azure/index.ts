export { azureClientCertificate, type AzureClientCertificateOptions } from './client-certificate.ts'
export { azureClientSecret, type AzureClientSecretOptions } from './client-secret.ts'
export { AZURE_CLOUDS, type AzureCloudName } from './clouds.ts'
export type { EntraOptions } from './entra.ts'
export { azureFederatedToken, type AzureFederatedTokenOptions } from './federated-token.ts'
export { azureCredentialsOfEnv, type AzureEnvOptions } from './from-env.ts'
export {
  type AzureAppServiceOptions,
  azureAppServiceIdentity,
  type AzureIdentityOptions,
  azureManagedIdentity,
} from './managed-identity.ts'
export { toTokenSource } from './sources.ts'
export type {
  AzureCredentialsOption,
  AzureCredentialSource,
  AzureToken,
  AzureTokenOptions,
} from './token.ts'
