import * as z from 'zod/mini'
import { type AwsKmsConfig, awsSchema } from './aws.ts'
import { type AzureKeyVaultConfig, azureSchema } from './azure.ts'
import { type GcpKmsConfig, gcpSchema } from './gcp.ts'
import { type LocalKmsConfig, localSchema } from './local.ts'
import { type VaultTransitConfig, vaultSchema } from './vault.ts'

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
