import type { StoredKey } from './key-store.ts'
import { permits, type Principal } from './principals.ts'

export type Context = Readonly<Record<string, string>>

/** Pairs that the encryption context of a request must have. */
export interface GrantConstraints {
  readonly subset?: Context
  readonly equals?: Context
}

/** The terms of a grant, as CreateGrant takes them. */
export interface GrantTerms {
  readonly grantee: string
  readonly retiring?: string
  readonly operations: readonly string[]
  readonly constraints: GrantConstraints
  readonly name?: string
}

/** A grant on one key in one region: replicas have grants of their own. */
export interface Grant extends GrantTerms {
  readonly id: string
  readonly key: StoredKey
  readonly createdAtMs: number
  /** The account whose principal made it. */
  readonly issuer: string
}

/** Operations that a grant may permit on every key. */
const ON_EVERY_KEY = ['CreateGrant', 'DescribeKey', 'RetireGrant']

const ON_KEYS: Readonly<Record<string, readonly string[]>> = {
  symmetric: [
    'Decrypt',
    'Encrypt',
    'GenerateDataKey',
    'GenerateDataKeyPair',
    'GenerateDataKeyPairWithoutPlaintext',
    'GenerateDataKeyWithoutPlaintext',
    'ReEncryptFrom',
    'ReEncryptTo',
  ],
  ENCRYPT_DECRYPT: ['Decrypt', 'Encrypt', 'GetPublicKey', 'ReEncryptFrom', 'ReEncryptTo'],
  SIGN_VERIFY: ['GetPublicKey', 'Sign', 'Verify'],
  GENERATE_VERIFY_MAC: ['GenerateMac', 'VerifyMac'],
  KEY_AGREEMENT: ['DeriveSharedSecret', 'GetPublicKey'],
}

/** Every operation that a grant can name: API_CreateGrant, Operations. */
export const GRANT_OPERATIONS: readonly string[] = [
  ...new Set([...ON_EVERY_KEY, ...Object.values(ON_KEYS).flat()]),
]

/** Returns the operations that a grant on this key may permit: Developer Guide, Grant operations. */
export function grantableOn({ spec, usage }: StoredKey): readonly string[] {
  return [...ON_EVERY_KEY, ...(ON_KEYS[spec === 'SYMMETRIC_DEFAULT' ? 'symmetric' : usage] ?? [])]
}

/**
 * Returns whether a principal of a grant covers this caller for an action. A role covers its sessions. An
 * account covers those of its principals whose own policy permits the action.
 */
export function covers(
  principal: string,
  { arn, accountId, policy }: Principal,
  action: string,
): boolean {
  const [, partition = '', , , account = '', resource = ''] = principal.split(':')
  if (principal === arn) return true
  if (resource === 'root') return account === accountId && permits(policy, `kms:${action}`)
  if (!resource.startsWith('role/')) return false
  const role = resource.slice(resource.lastIndexOf('/') + 1)
  return arn.startsWith(`arn:${partition}:sts::${account}:assumed-role/${role}/`)
}

/**
 * Returns whether a grant permits an action.
 *
 * @param context - of the request; `undefined` where the operation takes none, and no constraint counts
 */
export function grantPermits(grant: Grant, action: string, context: Context | undefined): boolean {
  return (
    grant.operations.includes(action) &&
    (context === undefined || satisfies(context, grant.constraints))
  )
}

/**
 * Returns whether a grantee may pass on these terms: no operation that the grant lacks, and
 * constraints that are as strict.
 */
export function mayDelegate(grant: Grant, terms: GrantTerms): boolean {
  const { subset, equals } = grant.constraints
  const pairs = terms.constraints.equals ?? terms.constraints.subset ?? {}
  return (
    terms.operations.every((operation) => grant.operations.includes(operation)) &&
    (subset === undefined || satisfies(pairs, { subset })) &&
    (equals === undefined || satisfies(terms.constraints.equals ?? {}, { equals }))
  )
}

/** In a constraint, keys are compared without case, and values with it: API_GrantConstraints. */
function satisfies(context: Context, { subset, equals }: GrantConstraints): boolean {
  const given = folded(context)
  const has = (pairs: Context): boolean =>
    [...folded(pairs)].every(([name, value]) => given.get(name) === value)
  return (
    (subset === undefined || has(subset)) &&
    (equals === undefined ||
      (has(equals) && Object.keys(context).length === Object.keys(equals).length))
  )
}

function folded(context: Context): ReadonlyMap<string, string> {
  return new Map(Object.entries(context).map(([name, value]) => [name.toLowerCase(), value]))
}
