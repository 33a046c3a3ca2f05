import * as z from 'zod/mini'
import { type AwsKmsConfig, awsSchema, makerOfAws } from './aws.ts'
import { type AzureKeyVaultConfig, azureSchema, makerOfAzure } from './azure.ts'
import { type EnvKmsConfig, envSchema, makerOfEnv } from './env.ts'
import { type GcpKmsConfig, gcpSchema, makerOfGcp } from './gcp.ts'
import { type GoogleCloudKmsConfig, googleCloudSchema, makerOfGoogleCloud } from './google-cloud.ts'
import { type LocalKmsConfig, localSchema, makerOfLocal } from './local.ts'
import type { KmsMaker } from './references.ts'
import type { Resolving } from './resolving.ts'
import { makerOfVault, type VaultTransitConfig, vaultSchema } from './vault.ts'

// A new provider has a file of its own here, and a row in each of the lists below.

/** One key of one provider, as plain JSON. */
export type OneKmsConfig =
  | AwsKmsConfig
  | AzureKeyVaultConfig
  | EnvKmsConfig
  | GcpKmsConfig
  | GoogleCloudKmsConfig
  | LocalKmsConfig
  | VaultTransitConfig

/** A configuration of one key after the check: references are marked. */
export type CheckedOne =
  | z.output<typeof awsSchema>
  | z.output<typeof azureSchema>
  | z.output<typeof envSchema>
  | z.output<typeof gcpSchema>
  | z.output<typeof googleCloudSchema>
  | z.output<typeof localSchema>
  | z.output<typeof vaultSchema>

/** The schema of one key of one provider. */
export const oneKmsSchema: z.ZodMiniType<CheckedOne, OneKmsConfig> =
  /* @__PURE__ */ z.discriminatedUnion('provider', [
    awsSchema,
    azureSchema,
    envSchema,
    gcpSchema,
    googleCloudSchema,
    localSchema,
    vaultSchema,
  ])

/**
 * Returns what makes the KMS of a checked configuration.
 *
 * @throws KmsError `ERR_KMS_CONFIG`, under the path of what the provider refuses
 */
export function makerOf(config: CheckedOne, resolving: Resolving): KmsMaker {
  switch (config.provider) {
    case 'aws-kms':
      return makerOfAws(config, resolving)
    case 'azure-key-vault':
      return makerOfAzure(config, resolving)
    case 'env':
      return makerOfEnv(config, resolving)
    case 'gcp-kms':
      return makerOfGcp(config, resolving)
    case 'google-cloud-kms':
      return makerOfGoogleCloud(config, resolving)
    case 'local':
      return makerOfLocal(config, resolving)
    case 'vault-transit':
      return makerOfVault(config, resolving)
  }
}
