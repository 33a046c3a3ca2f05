/**
 * A KMS or a whole stack of any provider from plain JSON.
 *
 * @module
 */
export { anyKmsFromEnv, type AnyKmsFromEnv, type AnyKmsFromEnvOptions } from './any-kms-from-env.ts'
export type { AwsCredentialsConfig, AwsKmsConfig } from './aws.ts'
export type { AzureCredentialsConfig, AzureKeyVaultConfig } from './azure.ts'
export type { KmsByContextConfig } from './by-context.ts'
export { createKms, type CreateKmsOptions } from './create-kms.ts'
export {
  createResilientKms,
  type CreateResilientKmsOptions,
  type ResilientKms,
} from './create-resilient-kms.ts'
export type { EnvKmsConfig } from './env.ts'
export type { GcpCredentialsConfig, GcpKmsConfig } from './gcp.ts'
export type { GoogleCloudKmsConfig } from './google-cloud.ts'
export type { GoogleCloudKmsMaker } from './resolving.ts'
export type { KmsConfig } from './kms-config.ts'
export type { OneKmsConfig } from './one-kms.ts'
export type { LocalKmsConfig } from './local.ts'
export type { ConfigResolver, ConfigText, EnvReference, FileReference } from './references.ts'
export type { ResilientCacheConfig, ResilientKmsConfig } from './resilience.ts'
export type { SharedDataKeysConfig, StoreBinding, StoreBindings } from './stores.ts'
export type { VaultAuth, VaultTransitConfig } from './vault.ts'
