import type { CallRecord } from './calls.ts'
import {
  concatenatedContext,
  type ContextEncoding,
  ignoredContext,
  strictContext,
} from './ciphertext.ts'
import { Refusal } from './errors.ts'
import type { JsonObject } from '../../../src/http/index.ts'
import type { KmsInput } from './kms-input.ts'
import type { KeyStore, StoredKey } from './key-store.ts'
import type { FakeAwsDefect } from './options.ts'
import { permits, type Principal } from './principals.ts'

/** The parts that every call to KMS uses. */
export interface KmsService {
  readonly keys: KeyStore
  readonly regions: readonly string[]
  readonly grants: Readonly<Record<string, readonly string[]>>
  readonly defects: ReadonlySet<FakeAwsDefect>
  readonly now: () => number
}

/** One call whose caller is known. */
export interface KmsCall {
  readonly service: KmsService
  readonly operation: string
  readonly input: KmsInput
  readonly caller: Principal
  readonly region: string
  /** The entry that `calls` of the fake will show. */
  readonly record: CallRecord
}

/** An operation of KMS: its input is checked, then its answer made. */
export type KmsOperation = (call: KmsCall) => JsonObject | Promise<JsonObject>

/** Operations of the data path, which may go by alias and from another account. */
const ON_DATA: ReadonlySet<string> = new Set([
  'Decrypt',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'ReEncrypt',
])

/** "Cross-account use: Yes" in the API Reference, beside the data path. */
const ACROSS_ACCOUNTS: ReadonlySet<string> = new Set(['DescribeKey', 'GetKeyRotationStatus'])

/** The key that a KeyId names, and that the caller may use for this. */
export function permittedKey(
  call: KmsCall,
  keyId: string,
  action: string = call.operation,
): StoredKey {
  const { service, caller, region, operation } = call
  const key = service.keys.find(
    keyId,
    { accountId: caller.accountId, region },
    {
      takesAlias: ON_DATA.has(operation) || operation === 'DescribeKey',
      knowsInvalidArn: !ON_DATA.has(operation),
    },
  )
  authorize(call, key, action)
  return key
}

/**
 * Identity policy, grants, and the key's own account: both sides must agree across accounts.
 *
 * @throws Refusal `accessDenied`
 */
export function authorize(call: KmsCall, key: StoredKey | undefined, action: string): void {
  const { service, caller, operation } = call
  const granted = grantTokens(call).some((token) => service.grants[token]?.includes(action))
  const foreign = key !== undefined && key.accountId !== caller.accountId
  const shared =
    !foreign ||
    (key.sharedWith.includes(caller.accountId) &&
      (ON_DATA.has(operation) || ACROSS_ACCOUNTS.has(operation)))
  if (granted || (shared && permits(caller.policy, `kms:${action}`))) return
  throw new Refusal(
    'accessDenied',
    `User: ${caller.arn} is not authorized to perform: kms:${action} on resource: ` +
      `${key?.arn ?? '*'} because no policy allows the kms:${action} action`,
  )
}

/** @throws Refusal `invalidGrantToken` */
function grantTokens({ input, operation, service }: KmsCall): readonly string[] {
  if (!ON_DATA.has(operation) && operation !== 'DescribeKey') return []
  const tokens = input.texts('GrantTokens', { maxItems: 10, max: 8_192 })
  if (tokens.every((token) => Object.hasOwn(service.grants, token))) return tokens
  throw new Refusal('invalidGrantToken')
}

/** Why a key in this state can do nothing. */
const STATES = {
  PendingDeletion: 'is pending deletion.',
  PendingImport: 'is pending import.',
  PendingReplicaDeletion: 'is pending replica deletion.',
} as const

/**
 * Every use of a key's material needs it enabled: Developer Guide, Key states.
 *
 * @throws Refusal `disabled`, `invalidState`
 */
export function demandEnabled({ service }: KmsCall, key: StoredKey): void {
  if (key.state === 'Enabled' || service.defects.has('ignores-key-state')) return
  if (key.state === 'Disabled') throw new Refusal('disabled', `${key.arn} is disabled.`)
  throw new Refusal('invalidState', `${key.arn} ${STATES[key.state]}`)
}

/** The key's name in an answer: always its ARN, whatever it was asked for by. */
export function answeredId(
  { service }: KmsCall,
  key: StoredKey,
  asked: string | undefined,
): string {
  const alias = asked !== undefined && asked.includes('alias/')
  return alias && service.defects.has('answers-alias-for-arn') ? asked : key.arn
}

/**
 * The answer, unless only a dry run was asked for.
 *
 * @throws Refusal `dryRun`
 */
export function unlessDryRun({ input, service }: KmsCall, answer: JsonObject): JsonObject {
  if (!input.flag('DryRun') || service.defects.has('dry-run-performs')) return answer
  throw new Refusal('dryRun')
}

/** How this server encodes a context. */
export function contextEncoding({ defects }: KmsService): ContextEncoding {
  if (defects.has('ignores-context')) return ignoredContext
  return defects.has('concatenates-context') ? concatenatedContext : strictContext
}
