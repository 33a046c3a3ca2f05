import { Refusal } from './errors.ts'
import type { KmsInput } from './kms-input.ts'
import { partitionOf } from './place.ts'

/** API_CreateKey, Policy: the quota of a key policy in bytes; its characters are of one byte each. */
const MAX_LENGTH = 32_768

const VERSIONS: readonly unknown[] = ['2008-10-17', '2012-10-17']
const OF_POLICY = new Set(['Version', 'Id', 'Statement'])
const OF_STATEMENT = new Set([
  ...['Sid', 'Effect', 'Principal', 'NotPrincipal', 'Action', 'NotAction'],
  ...['Resource', 'NotResource', 'Condition'],
])
/** Kinds of principals: IAM JSON policy elements, Principal. */
const PRINCIPALS = new Set(['AWS', 'CanonicalUser', 'Federated', 'Service'])

type Json = Readonly<Record<string, unknown>>

/** Returns the policy that a key gets whose maker names none: Developer Guide, Default key policy. */
export function defaultKeyPolicy(place: {
  readonly region: string
  readonly accountId: string
}): string {
  const AWS = `arn:${partitionOf(place.region)}:iam::${place.accountId}:root`
  const all = { Effect: 'Allow', Principal: { AWS }, Action: 'kms:*', Resource: '*' }
  return JSON.stringify(
    {
      Version: '2012-10-17',
      Id: 'key-default-1',
      Statement: [{ Sid: 'Enable IAM User Permissions', ...all }],
    },
    undefined,
    2,
  )
}

/**
 * Returns the policy of a request, `undefined` where it has none. It is checked in form only: whether its
 * principals exist, and whether the caller locks itself out, is not judged.
 *
 * @throws Refusal `validation`, `limitExceeded`, `malformedPolicy`
 */
export function keyPolicyOf(input: KmsInput): string | undefined {
  // The flag turns off a check that the fake does not make; its type still counts.
  input.flag('BypassPolicyLockoutSafetyCheck')
  const policy = input.optionalText('Policy', {
    min: 1,
    max: 131_072,
    pattern: /^[\t\n\r\u0020-\u00ff]+$/,
  })
  if (policy === undefined) return undefined
  if (policy.length > MAX_LENGTH) {
    throw new Refusal('limitExceeded', 'The key policy is longer than 32 kilobytes.')
  }
  if (!isPolicy(parsed(policy))) throw new Refusal('malformedPolicy')
  return policy
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isPolicy(value: unknown): boolean {
  if (!isObject(value) || !hasOnly(value, OF_POLICY)) return false
  const { Version: version = VERSIONS[0], Id: id = '', Statement: statement } = value
  const statements = Array.isArray(statement) ? (statement as readonly unknown[]) : [statement]
  return (
    VERSIONS.includes(version) &&
    typeof id === 'string' &&
    statements.length > 0 &&
    statements.every(isStatement)
  )
}

function isStatement(value: unknown): boolean {
  if (!isObject(value) || !hasOnly(value, OF_STATEMENT)) return false
  const principal = oneOf(value, 'Principal', 'NotPrincipal')
  const { Sid: sid = '', Effect: effect, Condition: condition = {} } = value
  return (
    typeof sid === 'string' &&
    (effect === 'Allow' || effect === 'Deny') &&
    isPrincipal(principal) &&
    isTexts(oneOf(value, 'Action', 'NotAction')) &&
    isTexts(oneOf(value, 'Resource', 'NotResource')) &&
    isObject(condition)
  )
}

/** Returns the one of two members that is there; both together are as wrong as none. */
function oneOf(value: Json, name: string, opposite: string): unknown {
  return name in value && opposite in value ? undefined : (value[name] ?? value[opposite])
}

function isPrincipal(value: unknown): boolean {
  if (value === '*') return true
  return (
    isObject(value) &&
    Object.keys(value).length > 0 &&
    hasOnly(value, PRINCIPALS) &&
    Object.values(value).every(isTexts)
  )
}

function isTexts(value: unknown): boolean {
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value]
  return texts.length > 0 && texts.every((text) => typeof text === 'string' && text !== '')
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function hasOnly(value: Json, names: ReadonlySet<string>): boolean {
  return Object.keys(value).every((name) => names.has(name))
}
