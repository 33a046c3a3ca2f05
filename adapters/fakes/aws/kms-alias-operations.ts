import { Refusal } from './errors.ts'
import type { StoredKey } from './key-store.ts'
import { demandKept, type KmsCall, type KmsOperation } from './kms-service.ts'
import { authorize, permittedKey } from './permissions.ts'
import { kmsArn } from './place.ts'

/**
 * The ARN of the alias that a call names.
 *
 * @throws Refusal `validation`, `invalidAliasName`
 */
function aliasOf({ input, caller, region }: KmsCall): string {
  const name = input.text('AliasName', { min: 1, max: 256, pattern: /^[a-zA-Z0-9:/_-]+$/ })
  if (!/^alias\/./.test(name)) {
    throw new Refusal('validation', 'Alias must start with the prefix "alias/".')
  }
  if (name.startsWith('alias/aws/') || name.includes(':')) throw new Refusal('invalidAliasName')
  return kmsArn({ region, accountId: caller.accountId, resource: name })
}

function targetOf(call: KmsCall): StoredKey {
  const keyId = (call.record.keyId = call.input.text('TargetKeyId', { min: 1, max: 2_048 }))
  const key = permittedKey(call, keyId)
  call.record.keyArn = key.arn
  demandKept(key)
  return key
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html */
export const createAlias: KmsOperation = (call) => {
  const arn = aliasOf(call)
  const key = targetOf(call)
  if (call.service.keys.alias(arn) !== undefined) {
    throw new Refusal('alreadyExists', `An alias with the name ${arn} already exists`)
  }
  call.service.keys.setAlias(arn, key.set.keyId)
  return {}
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateAlias.html */
export const updateAlias: KmsOperation = (call) => {
  const arn = aliasOf(call)
  const key = targetOf(call)
  if (call.service.keys.alias(arn) === undefined) {
    throw new Refusal('notFound', `Alias ${arn} is not found.`)
  }
  call.service.keys.setAlias(arn, key.set.keyId)
  return {}
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_DeleteAlias.html */
export const deleteAlias: KmsOperation = (call) => {
  const arn = aliasOf(call)
  authorize(call, undefined, 'DeleteAlias')
  if (call.service.keys.alias(arn) === undefined) {
    throw new Refusal('notFound', `Alias ${arn} is not found.`)
  }
  call.service.keys.setAlias(arn, undefined)
  return {}
}
