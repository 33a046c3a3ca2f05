import * as z from 'zod/mini'
import type { KeyManagementService } from '../kms/index.ts'
import {
  byContextSchema,
  type CheckedByContext,
  createByContext,
  type KmsByContextConfig,
} from './by-context.ts'
import { type CheckedOne, makerOf, type OneKmsConfig } from './one-kms.ts'
import { awsSchema } from './aws.ts'
import { azureSchema } from './azure.ts'
import { envSchema } from './env.ts'
import { gcpSchema } from './gcp.ts'
import { googleCloudSchema } from './google-cloud.ts'
import { localSchema } from './local.ts'
import { vaultSchema } from './vault.ts'
import type { Resolving } from './resolving.ts'

/** One key of one provider, or one key for each customer, as plain JSON. */
export type KmsConfig = OneKmsConfig | KmsByContextConfig

/** A configuration after the check: references are marked. */
export type CheckedConfig = CheckedOne | CheckedByContext

/** The schema that every configuration is checked by; the JSON Schema is made of it. */
export const kmsConfigSchema: z.ZodMiniType<CheckedConfig, KmsConfig> = z.discriminatedUnion(
  'provider',
  [
    awsSchema,
    azureSchema,
    byContextSchema,
    envSchema,
    gcpSchema,
    googleCloudSchema,
    localSchema,
    vaultSchema,
  ],
)

/** Puts layers around the KMS of one customer. */
export type ComposeOne = (kms: KeyManagementService, keyName: string) => KeyManagementService

/**
 * Returns the KMS of a checked configuration.
 *
 * @param compose - for each customer, where customers have keys of their own
 * @throws KmsError `ERR_KMS_CONFIG`, under the path of what the provider refuses
 */
export function buildKms(
  config: CheckedConfig,
  resolving: Resolving,
  compose: ComposeOne = (kms) => kms,
): KeyManagementService {
  return resolving.within('', () => {
    if (config.provider === 'by-context') return createByContext(config, resolving, compose)
    return makerOf(config, resolving).make()
  })
}
