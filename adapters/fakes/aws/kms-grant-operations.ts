import { Refusal } from './errors.ts'
import { covers, type Grant, mayDelegate } from './grant-rules.ts'
import { demandGrantable, GRANT_ID, grantTermsOf } from './grant-terms.ts'
import type { StoredKey } from './key-store.ts'
import { demandEnabled, type KmsCall, type KmsOperation, unlessDryRun } from './kms-service.ts'
import { authorize, denied, keyOf, namedKey } from './permissions.ts'
import { denies, permits } from './principals.ts'

const KEY_ID = { min: 1, max: 2_048 }

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html */
export const createGrant: KmsOperation = (call) => {
  const { input, service, caller, record } = call
  const keyId = (record.keyId = input.text('KeyId', KEY_ID))
  const terms = grantTermsOf(input)
  const key = namedKey(call, keyId)
  authorize(call, key, 'CreateGrant', (parent) => mayDelegate(parent, terms))
  record.keyArn = key.arn
  demandEnabled(call, key)
  demandGrantable(key, terms)
  unlessDryRun(call, {})
  const { accountId: issuer } = caller
  const grant = service.grants.add({ ...terms, key, createdAtMs: service.now(), issuer })
  return { GrantId: grant.id, GrantToken: service.grants.newToken(grant) }
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_RevokeGrant.html */
export const revokeGrant: KmsOperation = (call) => {
  const id = grantIdOf(call)
  const grant = grantOn(call, keyOf(call), id)
  unlessDryRun(call, {})
  call.service.grants.remove(grant)
  return {}
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_RetireGrant.html */
export const retireGrant: KmsOperation = (call) => {
  const grant = grantToRetire(call)
  call.record.keyArn = grant.key.arn
  if (!mayRetire(call, grant)) throw denied(call, grant.key, 'RetireGrant')
  unlessDryRun(call, {})
  call.service.grants.remove(grant)
  return {}
}

/** The grant that a token, or a key and an id, name. @throws Refusal */
function grantToRetire(call: KmsCall): Grant {
  const { input, service, record } = call
  const token = input.optionalText('GrantToken', { min: 1, max: 8_192 })
  const keyId = input.optionalText('KeyId', KEY_ID)
  if (token !== undefined) {
    const grant = service.grants.byToken(token)
    if (grant?.key.region !== call.region) throw new Refusal('invalidGrantToken')
    return grant
  }
  if (keyId === undefined || input.optionalText('GrantId') === undefined) {
    throw new Refusal('validation', 'Grant token OR (grant ID, key ID) must be specified')
  }
  record.keyId = keyId
  const id = grantIdOf(call)
  return grantOn(call, namedKey(call, keyId), id)
}

/** Developer Guide, Retiring and revoking grants: the grant says who retires it. */
function mayRetire({ caller }: KmsCall, grant: Grant): boolean {
  const { retiring, grantee, operations, issuer } = grant
  const action = 'RetireGrant'
  if (denies(caller.policy, `kms:${action}`)) return false
  return (
    (retiring !== undefined && covers(retiring, caller, action)) ||
    (operations.includes(action) && covers(grantee, caller, action)) ||
    (issuer === caller.accountId && permits(caller.policy, `kms:${action}`))
  )
}

/** @throws Refusal `validation`, `invalidGrantId` for a text that is not an id */
function grantIdOf({ input }: KmsCall): string {
  const id = input.text('GrantId', GRANT_ID)
  if (!/^[0-9a-f]{64}$/.test(id)) throw new Refusal('invalidGrantId')
  return id
}

/** @throws Refusal `notFound` */
function grantOn({ service }: KmsCall, key: StoredKey, id: string): Grant {
  const grant = service.grants.find(key, id)
  if (grant === undefined) throw new Refusal('notFound', `Grant ID ${id} not found`)
  return grant
}
