import {
  checkFlags,
  isTexts,
  oneOf,
  plainOptions,
  refuseBrowser,
  refuseOthers,
  wrongOption,
} from '../../checks/index.ts'
import {
  AwsClient,
  awsEndpoint,
  checkRegion,
  signerOf,
  toCredentialSource,
} from '../../credentials/aws/index.ts'
import { Transport } from '../../http/index.ts'
import { contextId, type KeyManagementService } from '../../kms/index.ts'
import { webNetwork, webRuntime } from '../../runtime/index.ts'
import { AwsKms } from './aws-kms.ts'
import { AWS_KMS_ERRORS } from './errors.ts'
import { configuredKey } from './key-id.ts'
import { AwsKmsApi } from './kms-api.ts'
import { PROVIDER } from './kms-call.ts'
import type { AwsKmsOptions } from './options.ts'
import { PinnedKey } from './pinned-key.ts'

/**
 * AWS KMS by `fetch` alone. Nothing is sent before the first use.
 *
 * One call for each data key that is made (GenerateDataKey) or unwrapped (Decrypt); the context
 * goes along as EncryptionContext and shows up in CloudTrail in clear.
 *
 * @throws KmsError `ERR_KMS_CONFIG`; `ERR_CONTEXT_INVALID` for a `healthContext` that is none
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
  const {
    keyId,
    region: given,
    credentials,
    timeoutMs,
    healthContext,
    dangerouslyAllowBrowser,
    ...rest
  } = plainOptions(options)
  const { grantTokens = [], replicaRegions = [], usage = 'both', ...platform } = rest
  const { runtime = webRuntime, network = webNetwork, signer, ...place } = platform
  const { endpoint, fips, dualStack, allowHttpLoopback, ...others } = place
  refuseOthers(others)
  refuseBrowser(dangerouslyAllowBrowser)
  oneOf('usage', usage, ['both', 'encrypt', 'decrypt'])
  if (![grantTokens, replicaRegions].every(isTexts))
    throw wrongOption('grantTokens and replicaRegions', 'arrays of strings')
  checkFlags({ fips, dualStack, allowHttpLoopback })
  contextId(healthContext) // for its check
  const facts = configuredKey(keyId, given)
  const { region } = facts
  const client = new AwsClient({
    provider: PROVIDER,
    service: 'kms',
    region,
    endpoint: awsEndpoint('kms', region, { endpoint, fips, dualStack, allowHttpLoopback }), // W3.24: from the configuration alone
    credentials: toCredentialSource(credentials, { runtime, network }),
    transport: new Transport({ network, timeoutMs }),
    runtime,
    signer: signerOf(signer, network),
    errors: AWS_KMS_ERRORS,
  })
  return new AwsKms(
    new AwsKmsApi(client, [...grantTokens]),
    new PinnedKey(keyId, facts, replicaRegions.map(checkRegion)),
    usage,
    { ...healthContext, 'edge-kms:dk': 'health' },
  )
}
