import { checkOptions, type OptionKinds, wrongOption } from '../../checks/index.ts'
import { ENTRA_KINDS, entraCredentials, type EntraOptions } from './entra.ts'
import type { AzureCredentialSource } from './token.ts'

/** Options of {@link azureClientSecret}. */
export interface AzureClientSecretOptions extends EntraOptions {
  readonly clientSecret: string
}

const KINDS: OptionKinds<AzureClientSecretOptions> = /* @__PURE__ */ (() => ({
  ...ENTRA_KINDS,
  clientSecret: 'string',
}))()

/**
 * Returns credentials of an application that proves itself with a client secret. It is the weakest proof, because
 * anyone who reads the secret can use it. A federated token or a managed identity needs no secret.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 *
 * @example
 * ```ts
 * import { azureClientSecret, createAzureKeyVaultKms } from 'edge-kms/azure-key-vault'
 *
 * export function kmsOf(env: { TENANT_ID: string; CLIENT_ID: string; CLIENT_SECRET: string }) {
 *   const credentials = azureClientSecret({
 *     tenantId: env.TENANT_ID,
 *     clientId: env.CLIENT_ID,
 *     clientSecret: env.CLIENT_SECRET,
 *   })
 *   return createAzureKeyVaultKms({ keyId: 'https://acme.vault.azure.net/keys/app', credentials })
 * }
 * ```
 */
export function azureClientSecret(options: AzureClientSecretOptions): AzureCredentialSource {
  checkOptions(options, KINDS)
  const { clientSecret } = options
  if (typeof clientSecret !== 'string' || clientSecret === '')
    throw wrongOption('clientSecret', 'a string that is not empty', clientSecret)
  return entraCredentials(options, () => Promise.resolve({ client_secret: clientSecret }))
}
