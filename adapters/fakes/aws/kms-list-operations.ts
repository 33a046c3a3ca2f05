import type { KmsCall, KmsOperation } from './kms-service.ts'
import { authorize } from './permissions.ts'
import { pageOf } from './pages.ts'
import { parseKmsArn } from './place.ts'

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeys.html */
export const listKeys: KmsOperation = (call) => {
  authorize(call, undefined, 'ListKeys')
  const keys = call.service.keys.ownedIn(call.region, call.caller.accountId)
  return pageOf(
    call,
    'Keys',
    keys.map(({ arn, set }) => ({ KeyArn: arn, KeyId: set.keyId })),
    { usual: 100, most: 1_000 },
  )
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_ListAliases.html */
export const listAliases: KmsOperation = (call) => {
  authorize(call, undefined, 'ListAliases')
  const { accountId } = call.caller
  const keyId = call.input.optionalText('KeyId', { min: 1, max: 2_048 })
  const target = keyId === undefined ? undefined : targetOf(call, keyId)
  const rows = call.service.keys
    .aliasesIn(call.region, accountId)
    .filter(({ keyId: of }) => target === undefined || of === target)
    .map(({ arn, keyId: of }) => ({
      AliasArn: arn,
      AliasName: parseKmsArn(arn)?.resource ?? '',
      TargetKeyId: of,
    }))
  return pageOf(call, 'Aliases', rows, { usual: 50, most: 100 })
}

function targetOf({ service, caller, region }: KmsCall, keyId: string): string {
  const place = { accountId: caller.accountId, region }
  const rules = { takesAlias: false, knowsInvalidArn: true }
  return service.keys.find(keyId, place, rules).set.keyId
}
