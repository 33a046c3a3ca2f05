import {
  checkFlags,
  flag,
  integer,
  plainOptions,
  refuseBrowser,
  refuseOthers,
  wrongOption,
} from '../../checks/index.ts'
import {
  AwsClient,
  awsEndpoint,
  signerOf,
  toCredentialSource,
} from '../../credentials/aws/index.ts'
import { Transport } from '../../http/index.ts'
import type { KeyLifecycle } from '../../kms/index.ts'
import { webNetwork, webRuntime } from '../../runtime/index.ts'
import { AwsKeyLifecycle } from './aws-key-lifecycle.ts'
import { AWS_KMS_ERRORS } from './errors.ts'
import { parseKeyArn } from './key-id.ts'
import { PROVIDER } from './kms-call.ts'
import type { AwsKmsOptions } from './options.ts'

/** Options of {@link createAwsKeyLifecycle}. */
export interface AwsKeyLifecycleOptions extends Pick<
  AwsKmsOptions,
  | 'credentials'
  | 'endpoint'
  | 'fips'
  | 'dualStack'
  | 'allowHttpLoopback'
  | 'dangerouslyAllowBrowser'
  | 'timeoutMs'
  | 'runtime'
  | 'network'
  | 'signer'
> {
  /** The key's ARN. An alias is refused: it may move to another key. */
  readonly keyId: string
  /** Days between the request and the deletion, 7 to 30; 30 by default. */
  readonly pendingWindowDays?: number
  /**
   * Ask AWS when the key was last used (GetKeyLastUsage) before it is disabled; `true` by default. Switch it off for
   * a server that does not have the operation.
   */
  readonly lastUsage?: boolean
}

/**
 * Returns a lifecycle of one AWS KMS key. Give it credentials of its own: they need `kms:DescribeKey`,
 * `kms:DisableKey`, `kms:EnableKey`, `kms:GetKeyLastUsage`, `kms:ScheduleKeyDeletion` and `kms:CancelKeyDeletion`, and
 * the credentials of your service need none of these.
 *
 * AWS keeps all old material of a key for ever, so only a whole key can be retired, once everything is under another
 * key: pass a version with an empty `kekVersion`.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 *
 * @example
 * ```ts
 * import { type AwsCredentialsOption, createAwsKeyLifecycle } from 'edge-kms/aws-kms'
 *
 * export const lifecycleOf = (keyId: string, credentials: AwsCredentialsOption) =>
 *   createAwsKeyLifecycle({ keyId, credentials, pendingWindowDays: 30 })
 * ```
 */
export function createAwsKeyLifecycle(options: AwsKeyLifecycleOptions): KeyLifecycle {
  const { keyId, pendingWindowDays = 30, lastUsage = true, ...rest } = plainOptions(options)
  const { credentials, timeoutMs, dangerouslyAllowBrowser, ...more } = rest
  const { runtime = webRuntime, network = webNetwork, signer, ...place } = more
  const { endpoint, fips, dualStack, allowHttpLoopback, ...others } = place
  refuseOthers(others)
  refuseBrowser(dangerouslyAllowBrowser)
  checkFlags({ fips, dualStack, allowHttpLoopback })
  const region = (typeof keyId === 'string' ? parseKeyArn(keyId) : undefined)?.region
  if (region === undefined) throw wrongOption('keyId', 'the ARN of a key, not an alias', keyId)
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
  const days = integer('pendingWindowDays', pendingWindowDays, 7, 30)
  return new AwsKeyLifecycle(client, keyId, days, flag('lastUsage', lastUsage))
}
