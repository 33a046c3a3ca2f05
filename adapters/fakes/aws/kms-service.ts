import type { CallRecord } from './calls.ts'
import {
  concatenatedContext,
  type ContextEncoding,
  ignoredContext,
  strictContext,
} from './ciphertext.ts'
import { Refusal } from './errors.ts'
import type { GrantStore } from './grant-store.ts'
import type { JsonObject } from '../../../src/http/index.ts'
import type { KmsInput } from './kms-input.ts'
import type { KeyStore, StoredKey } from './key-store.ts'
import type { FakeAwsDefect } from './options.ts'
import type { Principal } from './principals.ts'

/** The parts that every call to KMS uses. */
export interface KmsService {
  readonly keys: KeyStore
  readonly regions: readonly string[]
  readonly grants: GrantStore
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

/**
 * Refuses a key that is to be deleted: keys in other states can still be administered.
 *
 * @throws Refusal `invalidState`
 */
export function demandKept(key: StoredKey): void {
  if (key.state !== 'PendingDeletion' && key.state !== 'PendingReplicaDeletion') return
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

/** Notes that a key was used, which a dry run does not. */
export function noteUse({ input, operation, service }: KmsCall, key: StoredKey): void {
  if (input.flag('DryRun')) return
  key.lastUse = { operation, atMs: service.now(), eventId: crypto.randomUUID() }
}

/** How this server encodes a context. */
export function contextEncoding({ defects }: KmsService): ContextEncoding {
  if (defects.has('ignores-context')) return ignoredContext
  return defects.has('concatenates-context') ? concatenatedContext : strictContext
}
