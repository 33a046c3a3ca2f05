import { isTexts, oneOf, plainOptions, wrongOption } from '../../checks/index.ts'
import { checkRegion } from '../../credentials/aws/index.ts'
import { contextId, type KeyManagementService } from '../../kms/index.ts'
import { AwsKms } from './aws-kms.ts'
import { configuredKey } from './key-id.ts'
import { AwsKmsApi } from './kms-api.ts'
import { kmsClient } from './kms-client.ts'
import type { AwsKmsOptions } from './options.ts'
import { PinnedKey } from './pinned-key.ts'

/**
 * Returns a KMS for one key of AWS KMS, by `fetch` alone. It sends nothing before the first use.
 *
 * Each data key that is made (GenerateDataKey) or unwrapped (Decrypt) costs one call. The context is sent as
 * EncryptionContext, which CloudTrail records in clear.
 *
 * @throws KmsError `ERR_KMS_CONFIG`; `ERR_CONTEXT_INVALID` for an invalid `healthContext`
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/Welcome.html
 *
 * @example
 * ```ts
 * import { EnvelopeCipher } from 'edge-kms'
 * import { awsCredentialsFromEnv, createAwsKms } from 'edge-kms/aws-kms'
 *
 * export function cipherOf(env: Record<string, unknown>): EnvelopeCipher {
 *   const kms = createAwsKms({
 *     keyId: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
 *     credentials: awsCredentialsFromEnv(env),
 *   })
 *   return new EnvelopeCipher({ kms })
 * }
 * ```
 */
export function createAwsKms(options: AwsKmsOptions): KeyManagementService {
  const { keyId, region, healthContext, ...rest } = plainOptions(options)
  const { grantTokens = [], replicaRegions = [], usage = 'both', ...clientOptions } = rest
  oneOf('usage', usage, ['both', 'encrypt', 'decrypt'])
  if (![grantTokens, replicaRegions].every(isTexts))
    throw wrongOption('grantTokens and replicaRegions', 'arrays of strings')
  contextId(healthContext) // for its check
  const facts = configuredKey(keyId, region)
  const client = kmsClient(facts.region, clientOptions)
  return new AwsKms(
    new AwsKmsApi(client, [...grantTokens]),
    new PinnedKey(keyId, facts, replicaRegions.map(checkRegion)),
    usage,
    { ...healthContext, 'edge-kms:dk': 'health' },
  )
}
