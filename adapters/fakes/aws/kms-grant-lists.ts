import type { JsonObject } from '../../../src/http/index.ts'
import type { Grant } from './grant-rules.ts'
import { demandPrincipal, GRANT_ID, PRINCIPAL } from './grant-terms.ts'
import type { KmsOperation } from './kms-service.ts'
import { pageOf } from './pages.ts'
import { authorize, denied, keyOf } from './permissions.ts'
import { partitionOf } from './place.ts'

const PAGE = { usual: 50, most: 100 }

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_ListGrants.html */
export const listGrants: KmsOperation = (call) => {
  const { input, service } = call
  const id = input.optionalText('GrantId', GRANT_ID)
  const grantee = input.optionalText('GranteePrincipal', PRINCIPAL)
  const grants = service.grants
    .on(keyOf(call))
    .filter((grant) => id === undefined || grant.id === id)
    .filter((grant) => grantee === undefined || grant.grantee === grantee)
  return pageOf(call, 'Grants', grants.map(grantRow), PAGE)
}

/**
 * Lists the grants that a principal of the caller's account may retire, on keys of any account.
 *
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_ListRetirableGrants.html
 */
export const listRetirableGrants: KmsOperation = (call) => {
  const { input, service, caller, region } = call
  const principal = input.text('RetiringPrincipal', PRINCIPAL)
  authorize(call, undefined, 'ListRetirableGrants')
  demandPrincipal(principal)
  if (principal.split(':')[4] !== caller.accountId) throw denied(call, undefined, call.operation)
  const grants = service.grants
    .all()
    .filter(({ retiring, key }) => retiring === principal && key.region === region)
    .filter(({ key }) => service.keys.byId(region, key.set.keyId) === key)
  return pageOf(call, 'Grants', grants.map(grantRow), PAGE)
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantListEntry.html */
function grantRow(grant: Grant): JsonObject {
  const { subset, equals } = grant.constraints
  const constraints = {
    ...(subset !== undefined && { EncryptionContextSubset: subset }),
    ...(equals !== undefined && { EncryptionContextEquals: equals }),
  }
  return {
    KeyId: grant.key.arn,
    GrantId: grant.id,
    Name: grant.name ?? '',
    CreationDate: grant.createdAtMs / 1_000,
    GranteePrincipal: grant.grantee,
    ...(grant.retiring !== undefined && { RetiringPrincipal: grant.retiring }),
    IssuingAccount: `arn:${partitionOf(grant.key.region)}:iam::${grant.issuer}:root`,
    Operations: grant.operations,
    ...(Object.keys(constraints).length > 0 && { Constraints: constraints }),
  }
}
