import type { JsonObject } from '../../../src/http/index.ts'
import { createStoredKey } from './create-key.ts'
import { Refusal } from './errors.ts'
import { newMaterial, type StoredKey } from './key-store.ts'
import { keyMetadata } from './key-metadata.ts'
import { keyPolicyOf } from './key-policy.ts'
import { demandEnabled, demandKept, type KmsCall, type KmsOperation } from './kms-service.ts'
import { authorize, keyOf } from './permissions.ts'
import { keyTagsOf } from './tags.ts'

const DAY_MS = 86_400_000
/** API_RotateKeyOnDemand: a maximum of 25 times per KMS key. */
const MAX_ON_DEMAND_ROTATIONS = 25

function invalidState(key: StoredKey): Refusal {
  return new Refusal('invalidState', `${key.arn} is in the state ${key.state}.`)
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html */
export const createKey: KmsOperation = (call) => {
  const { input, service, caller, region } = call
  const spec = input.optionalText('KeySpec') ?? input.optionalText('CustomerMasterKeySpec')
  const usage = input.optionalText('KeyUsage')
  const origin = input.optionalText('Origin', { values: ['AWS_KMS', 'EXTERNAL'] })
  const description = input.optionalText('Description', { max: 8_192 })
  const multiRegion = input.flag('MultiRegion')
  const policy = keyPolicyOf(input)
  const tags = keyTagsOf(call)
  authorize(call, undefined, 'CreateKey')
  const key = createStoredKey({
    region,
    accountId: caller.accountId,
    nowMs: service.now(),
    multiRegion,
    policy,
    tags,
    ...(spec !== undefined && { keySpec: spec }),
    ...(usage !== undefined && { keyUsage: usage }),
    ...(origin !== undefined && { origin }),
    ...(description !== undefined && { description }),
  })
  call.record.keyArn = key.arn
  service.keys.add(key)
  return { KeyMetadata: keyMetadata(service.keys, key) }
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html */
export const describeKey: KmsOperation = (call) => {
  const key = keyOf(call)
  return { KeyMetadata: keyMetadata(call.service.keys, key) }
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateKeyDescription.html */
export const updateKeyDescription: KmsOperation = (call) => {
  const description = call.input.text('Description', { max: 8_192 })
  const key = keyOf(call)
  demandKept(key)
  key.description = description
  return {}
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKey.html */
export const enableKey: KmsOperation = (call) => switchKey(call, 'Enabled')

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKey.html */
export const disableKey: KmsOperation = (call) => switchKey(call, 'Disabled')

function switchKey(call: KmsCall, state: 'Enabled' | 'Disabled'): JsonObject {
  const key = keyOf(call)
  if (key.state !== 'Enabled' && key.state !== 'Disabled') throw invalidState(key)
  key.state = state
  return {}
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html */
export const scheduleKeyDeletion: KmsOperation = (call) => {
  const { input, service } = call
  const days = input.optionalInteger('PendingWindowInDays', { min: 7, max: 30 }) ?? 30
  const key = keyOf(call)
  if (key.state.startsWith('Pending') && key.state !== 'PendingImport') throw invalidState(key)
  key.pendingWindowDays = days
  const waits = key.multiRegion === 'PRIMARY' && service.keys.related(key).length > 1
  key.state = waits ? 'PendingReplicaDeletion' : 'PendingDeletion'
  if (!waits) key.deletionAtMs = service.now() + days * DAY_MS
  return {
    KeyId: key.arn,
    KeyState: key.state,
    PendingWindowInDays: days,
    ...(key.deletionAtMs !== undefined && { DeletionDate: key.deletionAtMs / 1_000 }),
  }
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_CancelKeyDeletion.html */
export const cancelKeyDeletion: KmsOperation = (call) => {
  const key = keyOf(call)
  if (key.state !== 'PendingDeletion' && key.state !== 'PendingReplicaDeletion') {
    throw invalidState(key)
  }
  key.state = key.set.materials.length === 0 ? 'PendingImport' : 'Disabled'
  delete key.deletionAtMs
  delete key.pendingWindowDays
  return { KeyId: key.arn }
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_RotateKeyOnDemand.html */
export const rotateKeyOnDemand: KmsOperation = (call) => {
  const key = rotatable(call)
  if (key.set.onDemandRotations >= MAX_ON_DEMAND_ROTATIONS) throw new Refusal('limitExceeded')
  // AWS takes some minutes; here the new material is current at once. The old one stays for ever.
  key.set.onDemandRotations++
  key.set.materials.push(newMaterial())
  return { KeyId: key.arn }
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html */
export const getKeyRotationStatus: KmsOperation = (call) => {
  const key = keyOf(call)
  if (key.spec !== 'SYMMETRIC_DEFAULT') throw new Refusal('unsupported')
  const { rotationDays: days } = key.set
  return {
    KeyId: key.arn,
    KeyRotationEnabled: days !== undefined,
    ...(days !== undefined && { RotationPeriodInDays: days }),
  }
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html */
export const enableKeyRotation: KmsOperation = (call) => {
  const days = call.input.optionalInteger('RotationPeriodInDays', { min: 90, max: 2_560 })
  const { set } = rotatable(call)
  set.rotationDays = days ?? 365
  return {}
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKeyRotation.html */
export const disableKeyRotation: KmsOperation = (call) => {
  delete rotatable(call).set.rotationDays
  return {}
}

/** An enabled key whose material AWS makes and may replace. @throws Refusal */
function rotatable(call: KmsCall): StoredKey {
  const key = keyOf(call)
  demandEnabled(call, key)
  if (key.spec !== 'SYMMETRIC_DEFAULT' || key.origin !== 'AWS_KMS') {
    throw new Refusal('unsupported')
  }
  if (key.multiRegion === 'REPLICA') {
    throw new Refusal('unsupported', `${key.arn} is not a multi-region primary key.`)
  }
  return key
}
