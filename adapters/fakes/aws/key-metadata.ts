import type { JsonObject } from '../../../src/http/index.ts'
import { currentMaterial, type KeyStore, type StoredKey } from './key-store.ts'

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html */
export function keyMetadata(keys: KeyStore, key: StoredKey): JsonObject {
  const material = currentMaterial(key)
  return {
    AWSAccountId: key.accountId,
    Arn: key.arn,
    CreationDate: key.createdAtMs / 1_000,
    CustomerMasterKeySpec: key.spec,
    Description: key.description,
    Enabled: key.state === 'Enabled',
    KeyId: key.set.keyId,
    KeyManager: 'CUSTOMER',
    KeySpec: key.spec,
    KeyState: key.state,
    KeyUsage: key.usage,
    MultiRegion: key.multiRegion !== undefined,
    Origin: key.origin,
    ...(key.spec === 'SYMMETRIC_DEFAULT' && { EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'] }),
    ...(material !== undefined && { CurrentKeyMaterialId: material.id }),
    ...(key.multiRegion !== undefined && { MultiRegionConfiguration: configuration(keys, key) }),
    ...(key.deletionAtMs !== undefined && { DeletionDate: key.deletionAtMs / 1_000 }),
    ...(key.state === 'PendingReplicaDeletion' && {
      PendingDeletionWindowInDays: key.pendingWindowDays,
    }),
  }
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_MultiRegionConfiguration.html */
function configuration(keys: KeyStore, key: StoredKey): JsonObject {
  const places = keys.related(key).map(({ arn, region, multiRegion }) => ({
    multiRegion,
    place: { Arn: arn, Region: region },
  }))
  const of = (type: StoredKey['multiRegion']): readonly JsonObject[] =>
    places.filter(({ multiRegion }) => multiRegion === type).map(({ place }) => place)
  return {
    MultiRegionKeyType: key.multiRegion,
    PrimaryKey: of('PRIMARY')[0],
    ReplicaKeys: of('REPLICA'),
  }
}
