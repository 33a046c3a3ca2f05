import type { JsonObject } from '../../../src/http/index.ts'
import { permits } from '../aws/principals.ts'
import type { CallRecord } from './calls.ts'
import { Refusal } from './errors.ts'
import type { Input } from './input.ts'
import type { KeyStore, StoredKey, StoredVersion } from './key-store.ts'
import type { FakeGcpDefect } from './options.ts'
import type { Principal } from './tokens.ts'

/** One call to the KMS. */
export interface KmsCall {
  readonly keys: KeyStore
  readonly defects: ReadonlySet<FakeGcpDefect>
  /** The resource that the path names. */
  readonly name: string
  readonly query: URLSearchParams
  readonly input: Input
  readonly caller: Principal
  readonly nowMs: number
  readonly record: CallRecord
}

/** A method of the KMS. */
export type KmsMethod = (call: KmsCall) => JsonObject | Promise<JsonObject>

/**
 * Whether IAM lets the caller do this: asked before anything is said of the resource.
 *
 * @throws Refusal `accessDenied`
 */
export function demandPermission({ caller, name }: KmsCall, permission: string): void {
  if (permits(caller.policy, permission)) return
  throw new Refusal(
    'accessDenied',
    `Permission '${permission}' denied on resource '${name}' (or it may not exist).`,
  )
}

/** Why a version in this state can do nothing. */
const STATES = {
  DISABLED: 'keyDisabled',
  DESTROY_SCHEDULED: 'keyDestroyed',
  DESTROYED: 'keyDestroyed',
  PENDING_GENERATION: 'keyPending',
} as const

/** @throws Refusal `keyDisabled`, `keyDestroyed`, `keyPending` */
export function demandEnabled({ keys, defects }: KmsCall, version: StoredVersion): StoredVersion {
  const state = keys.stateOf(version)
  if (state === 'ENABLED' || defects.has('ignores-version-state')) return version
  const message = `${version.name} is not enabled, current state is: ${state}.`
  throw new Refusal(STATES[state], message, version.name)
}

/** A version as an answer shows it. */
export function versionAnswer(
  { keys }: KmsCall,
  key: StoredKey,
  version: StoredVersion,
): JsonObject {
  const { name, createdAtMs, destroyAtMs } = version
  const state = keys.stateOf(version)
  return {
    name,
    state,
    protectionLevel: key.protectionLevel,
    algorithm:
      key.purpose === 'ENCRYPT_DECRYPT' ? 'GOOGLE_SYMMETRIC_ENCRYPTION' : 'EC_SIGN_P256_SHA256',
    createTime: new Date(createdAtMs).toISOString(),
    ...(destroyAtMs !== undefined && { destroyTime: new Date(destroyAtMs).toISOString() }),
  }
}

/** A key as an answer shows it. */
export function keyAnswer(call: KmsCall, key: StoredKey): JsonObject {
  const { name, purpose, createdAtMs, protectionLevel, primary, rotation } = key
  return {
    name,
    purpose,
    createTime: new Date(createdAtMs).toISOString(),
    versionTemplate: { protectionLevel, algorithm: 'GOOGLE_SYMMETRIC_ENCRYPTION' },
    destroyScheduledDuration: '2592000s',
    ...rotation,
    ...(primary !== undefined && { primary: versionAnswer(call, key, primary) }),
  }
}
