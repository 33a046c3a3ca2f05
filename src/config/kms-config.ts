import * as z from 'zod/mini'
import type { KeyManagementService } from '../kms/index.ts'
import { type AwsKmsConfig, awsSchema, createAws } from './aws.ts'
import { type AzureKeyVaultConfig, azureSchema, createAzure } from './azure.ts'
import { createGcp, type GcpKmsConfig, gcpSchema } from './gcp.ts'
import { createLocal, type LocalKmsConfig, localSchema } from './local.ts'
import type { Resolving } from './resolving.ts'
import { createVault, type VaultTransitConfig, vaultSchema } from './vault.ts'

// A new provider has a file of its own here, and a row in each of the lists below.

/** One key of one provider, as plain JSON. */
export type KmsConfig =
  AwsKmsConfig | AzureKeyVaultConfig | GcpKmsConfig | LocalKmsConfig | VaultTransitConfig

/** A configuration after the check: references are marked. */
export type CheckedConfig =
  | z.output<typeof awsSchema>
  | z.output<typeof azureSchema>
  | z.output<typeof gcpSchema>
  | z.output<typeof localSchema>
  | z.output<typeof vaultSchema>

/** The schema that every configuration is checked by; the JSON Schema is made of it. */
export const kmsConfigSchema: z.ZodMiniType<CheckedConfig, KmsConfig> = z.discriminatedUnion(
  'provider',
  [awsSchema, azureSchema, gcpSchema, localSchema, vaultSchema],
)

/**
 * Returns the KMS of a checked configuration.
 *
 * @throws KmsError `ERR_KMS_CONFIG`, under the path of what the provider refuses
 */
export function buildKms(config: CheckedConfig, resolving: Resolving): KeyManagementService {
  return resolving.within('', () => {
    switch (config.provider) {
      case 'aws-kms':
        return createAws(config, resolving)
      case 'azure-key-vault':
        return createAzure(config, resolving)
      case 'gcp-kms':
        return createGcp(config, resolving)
      case 'local':
        return createLocal(config, resolving)
      case 'vault-transit':
        return createVault(config, resolving)
    }
  })
}
