import type { JsonObject } from '../../../src/http/index.ts'
import { Refusal } from './errors.ts'
import { authorize, type KmsCall, type KmsOperation } from './kms-service.ts'
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

/** One page, with the marker of the next where there is one. @throws Refusal `validation` */
function pageOf(
  { input }: KmsCall,
  name: string,
  rows: readonly JsonObject[],
  { usual, most }: { readonly usual: number; readonly most: number },
): JsonObject {
  const limit = input.optionalInteger('Limit', { min: 1, max: most }) ?? usual
  const marker = input.optionalText('Marker', { min: 1, max: 1_024 }) ?? '0'
  if (!/^\d{1,9}$/.test(marker)) throw new Refusal('validation', 'Invalid marker')
  const end = Number(marker) + limit
  const isCut = end < rows.length
  return {
    [name]: rows.slice(Number(marker), end),
    Truncated: isCut,
    ...(isCut && { NextMarker: String(end) }),
  }
}
