import { createAlias, deleteAlias, updateAlias } from './kms-alias-operations.ts'
import {
  decrypt,
  encrypt,
  generateDataKey,
  generateDataKeyWithoutPlaintext,
  reEncrypt,
} from './kms-data-operations.ts'
import {
  cancelKeyDeletion,
  createKey,
  describeKey,
  disableKey,
  disableKeyRotation,
  enableKey,
  enableKeyRotation,
  getKeyRotationStatus,
  replicateKey,
  rotateKeyOnDemand,
  scheduleKeyDeletion,
} from './kms-key-operations.ts'
import { listAliases, listKeys } from './kms-list-operations.ts'
import type { KmsOperation } from './kms-service.ts'

/** Names that `X-Amz-Target: TrentService.<name>` may have; any other is an unknown operation. */
export const KMS_OPERATIONS: ReadonlyMap<string, KmsOperation> = new Map([
  ['CancelKeyDeletion', cancelKeyDeletion],
  ['CreateAlias', createAlias],
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
  ['GetKeyRotationStatus', getKeyRotationStatus],
  ['ListAliases', listAliases],
  ['ListKeys', listKeys],
  ['ReEncrypt', reEncrypt],
  ['ReplicateKey', replicateKey],
  ['RotateKeyOnDemand', rotateKeyOnDemand],
  ['ScheduleKeyDeletion', scheduleKeyDeletion],
  ['UpdateAlias', updateAlias],
])
