import { createAlias, deleteAlias, updateAlias } from './kms-alias-operations.ts'
import {
  decrypt,
  encrypt,
  generateDataKey,
  generateDataKeyWithoutPlaintext,
  generateRandom,
  reEncrypt,
} from './kms-data-operations.ts'
import { listGrants, listRetirableGrants } from './kms-grant-lists.ts'
import { createGrant, retireGrant, revokeGrant } from './kms-grant-operations.ts'
import {
  cancelKeyDeletion,
  createKey,
  describeKey,
  disableKey,
  disableKeyRotation,
  enableKey,
  enableKeyRotation,
  getKeyRotationStatus,
  rotateKeyOnDemand,
  scheduleKeyDeletion,
  updateKeyDescription,
} from './kms-key-operations.ts'
import { getKeyLastUsage } from './kms-last-usage.ts'
import { listAliases, listKeys } from './kms-list-operations.ts'
import { getKeyPolicy, listKeyPolicies, putKeyPolicy } from './kms-policy-operations.ts'
import { replicateKey } from './kms-replica-operations.ts'
import type { KmsOperation } from './kms-service.ts'
import { listResourceTags, tagResource, untagResource } from './kms-tag-operations.ts'

/** Names that `X-Amz-Target: TrentService.<name>` may have; any other is an unknown operation. */
export const KMS_OPERATIONS: ReadonlyMap<string, KmsOperation> = new Map([
  ['CancelKeyDeletion', cancelKeyDeletion],
  ['CreateAlias', createAlias],
  ['CreateGrant', createGrant],
  ['CreateKey', createKey],
  ['Decrypt', decrypt],
  ['DeleteAlias', deleteAlias],
  ['DescribeKey', describeKey],
  ['DisableKey', disableKey],
  ['DisableKeyRotation', disableKeyRotation],
  ['EnableKey', enableKey],
  ['EnableKeyRotation', enableKeyRotation],
  ['Encrypt', encrypt],
  ['GenerateDataKey', generateDataKey],
  ['GenerateDataKeyWithoutPlaintext', generateDataKeyWithoutPlaintext],
  ['GenerateRandom', generateRandom],
  ['GetKeyLastUsage', getKeyLastUsage],
  ['GetKeyPolicy', getKeyPolicy],
  ['GetKeyRotationStatus', getKeyRotationStatus],
  ['ListAliases', listAliases],
  ['ListGrants', listGrants],
  ['ListKeyPolicies', listKeyPolicies],
  ['ListKeys', listKeys],
  ['ListResourceTags', listResourceTags],
  ['ListRetirableGrants', listRetirableGrants],
  ['PutKeyPolicy', putKeyPolicy],
  ['ReEncrypt', reEncrypt],
  ['ReplicateKey', replicateKey],
  ['RetireGrant', retireGrant],
  ['RevokeGrant', revokeGrant],
  ['RotateKeyOnDemand', rotateKeyOnDemand],
  ['ScheduleKeyDeletion', scheduleKeyDeletion],
  ['TagResource', tagResource],
  ['UntagResource', untagResource],
  ['UpdateAlias', updateAlias],
  ['UpdateKeyDescription', updateKeyDescription],
])
