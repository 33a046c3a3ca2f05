import { Refusal } from './errors.ts'
import { type Context, covers, type Grant, grantPermits } from './grant-rules.ts'
import type { StoredKey } from './key-store.ts'
import type { KmsCall } from './kms-service.ts'
import { denies, permits } from './principals.ts'

const KEY_ID = { min: 1, max: 2_048 }

/** The member that holds the encryption context of each action on the data path. */
const CONTEXTS: ReadonlyMap<string, string> = new Map([
  ['Decrypt', 'EncryptionContext'],
  ['Encrypt', 'EncryptionContext'],
  ['GenerateDataKey', 'EncryptionContext'],
  ['GenerateDataKeyWithoutPlaintext', 'EncryptionContext'],
  ['ReEncryptFrom', 'SourceEncryptionContext'],
  ['ReEncryptTo', 'DestinationEncryptionContext'],
])

/** Operations of the data path, which may go by alias and from another account. */
const ON_DATA: ReadonlySet<string> = new Set([...CONTEXTS.keys(), 'ReEncrypt'])

/** "Cross-account use: Yes" in the API Reference, beside the data path. */
const ACROSS_ACCOUNTS: ReadonlySet<string> = new Set([
  'CreateGrant',
  'DescribeKey',
  'GetKeyRotationStatus',
  'ListGrants',
  'RevokeGrant',
])

/** Operations that take grant tokens, beside the data path. */
const TAKES_TOKENS: ReadonlySet<string> = new Set(['CreateGrant', 'DescribeKey'])

/** The key that KeyId names, and that the caller may use for this operation. */
export function keyOf(call: KmsCall): StoredKey {
  const keyId = (call.record.keyId = call.input.text('KeyId', KEY_ID))
  const key = permittedKey(call, keyId)
  call.record.keyArn = key.arn
  return key
}

/** The key that a KeyId names, and that the caller may use for this. */
export function permittedKey(
  call: KmsCall,
  keyId: string,
  action: string = call.operation,
): StoredKey {
  const key = namedKey(call, keyId)
  authorize(call, key, action)
  return key
}

/** The key that a KeyId names, whether or not the caller may use it. */
export function namedKey(
  { service, caller, region, operation }: KmsCall,
  keyId: string,
): StoredKey {
  return service.keys.find(
    keyId,
    { accountId: caller.accountId, region },
    {
      takesAlias: ON_DATA.has(operation) || operation === 'DescribeKey',
      knowsInvalidArn: !ON_DATA.has(operation),
    },
  )
}

/**
 * Identity policy, grants, and the key's own account: both sides must agree across accounts, unless a
 * grant permits it. A denial in the identity policy always wins.
 *
 * @param suffices - further condition on a grant that permits the action
 * @throws Refusal `accessDenied`, `invalidGrantToken`
 */
export function authorize(
  call: KmsCall,
  key: StoredKey | undefined,
  action: string,
  suffices: (grant: Grant) => boolean = () => true,
): void {
  const { service, caller } = call
  const tokens = grantTokens(call)
  if (denies(caller.policy, `kms:${action}`)) throw denied(call, key, action)
  if (isShared(call, key) && permits(caller.policy, `kms:${action}`)) return
  if (tokens.some((token) => service.grants.isScripted(token, action))) return
  if (key !== undefined && grantsFor(call, key, action).some(suffices)) return
  throw denied(call, key, action)
}

/** The error for a caller that neither a policy nor a grant lets do this. */
export function denied({ caller }: KmsCall, key: StoredKey | undefined, action: string): Refusal {
  return new Refusal(
    'accessDenied',
    `User: ${caller.arn} is not authorized to perform: kms:${action} on resource: ` +
      `${key?.arn ?? '*'} because no policy allows the kms:${action} action`,
  )
}

function isShared({ caller, operation }: KmsCall, key: StoredKey | undefined): boolean {
  if (key === undefined || key.accountId === caller.accountId) return true
  const crosses = ON_DATA.has(operation) || ACROSS_ACCOUNTS.has(operation)
  return crosses && key.sharedWith.includes(caller.accountId)
}

/** Grants on a key that permit this caller an action. */
function grantsFor(call: KmsCall, key: StoredKey, action: string): readonly Grant[] {
  return call.service.grants
    .on(key)
    .filter(({ grantee }) => covers(grantee, call.caller, action))
    .filter((grant) => grantPermits(grant, action, contextOf(call, action)))
}

/** Returns the encryption context that constraints count for, `undefined` for other actions. */
function contextOf({ input }: KmsCall, action: string): Context | undefined {
  const member = CONTEXTS.get(action)
  return member === undefined ? undefined : input.context(member)
}

/** @throws Refusal `invalidGrantToken` */
function grantTokens({ input, operation, service }: KmsCall): readonly string[] {
  if (!ON_DATA.has(operation) && !TAKES_TOKENS.has(operation)) return []
  const tokens = input.texts('GrantTokens', { maxItems: 10, max: 8_192 })
  if (tokens.every((token) => service.grants.knows(token))) return tokens
  throw new Refusal('invalidGrantToken')
}
