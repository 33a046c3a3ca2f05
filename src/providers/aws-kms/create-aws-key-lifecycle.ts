import { flag, integer, plainOptions, wrongOption } from '../../checks/index.ts'
import type { KeyLifecycle } from '../../kms/index.ts'
import { AwsKeyLifecycle } from './aws-key-lifecycle.ts'
import { parseKeyArn } from './key-id.ts'
import { kmsClient, type KmsClientOptions } from './kms-client.ts'

/** Options of {@link createAwsKeyLifecycle}. */
export interface AwsKeyLifecycleOptions extends KmsClientOptions {
  /** The key's ARN. An alias is refused: it may move to another key. */
  readonly keyId: string
  /** Days between the request and the deletion, 7 to 30; 30 by default. */
  readonly pendingWindowDays?: number
  /**
   * Whether to ask AWS when the key was last used (GetKeyLastUsage) before it is disabled; `true` by default. Turn it
   * off for a server that does not support the operation.
   */
  readonly lastUsage?: boolean
}

/**
 * Returns a lifecycle of one AWS KMS key. Give it its own credentials, with `kms:DescribeKey`, `kms:DisableKey`,
 * `kms:EnableKey`, `kms:GetKeyLastUsage`, `kms:ScheduleKeyDeletion` and `kms:CancelKeyDeletion`. Your service's own
 * credentials do not need these permissions.
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
  const region = (typeof keyId === 'string' ? parseKeyArn(keyId) : undefined)?.region
  if (region === undefined) throw wrongOption('keyId', 'the ARN of a key, not an alias', keyId)
  const client = kmsClient(region, rest)
  const days = integer('pendingWindowDays', pendingWindowDays, 7, 30)
  return new AwsKeyLifecycle(client, keyId, days, flag('lastUsage', lastUsage))
}
