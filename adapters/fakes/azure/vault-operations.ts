import { decodeBase64Url, encodeBase64Url } from '../../../src/bytes/index.ts'
import type { JsonObject } from '../../../src/http/index.ts'
import { originOf } from './authorize.ts'
import type { CallRecord } from './calls.ts'
import { Refusal } from './errors.ts'
import {
  type KeyStore,
  publicMembers,
  rotate,
  type StoredKey,
  type StoredVersion,
  versionOf,
} from './key-store.ts'
import type { FakeAzureDefect } from './options.ts'
import { unwrap, wrap } from './wrapping.ts'

/** One call to a vault, after its caller was let in. */
export interface VaultCall {
  readonly keys: KeyStore
  readonly defects: ReadonlySet<FakeAzureDefect>
  readonly input: JsonObject
  readonly record: CallRecord
  readonly nowMs: number
}

/** Every operation, by the name of its permission. */
export const VAULT_OPERATIONS: ReadonlyMap<string, (call: VaultCall) => Promise<JsonObject>> =
  new Map([
    ['create', create],
    ['get', get],
    ['list', list],
    ['update', update],
    ['delete', remove],
    ['getDeleted', getDeleted],
    ['rotate', rotateKey],
    ['getRotationPolicy', getPolicy],
    ['setRotationPolicy', setPolicy],
    ['wrapKey', wrapKey],
    ['unwrapKey', unwrapKey],
  ])

async function create(call: VaultCall): Promise<JsonObject> {
  const { record, input, nowMs, keys } = call
  const { kty, key_ops: operations, attributes, key_size: bits } = input
  if (typeof kty !== 'string' || !['RSA', 'RSA-HSM', 'oct-HSM'].includes(kty))
    throw new Refusal('badParameter')
  if (kty === 'oct-HSM' && !record.host.includes('.managedhsm.')) throw new Refusal('badParameter')
  const isSize = typeof bits === 'number' && [2_048, 3_072, 4_096].includes(bits)
  if (kty.startsWith('RSA') && bits !== undefined && !isSize) throw new Refusal('badParameter')
  const { exp } = (attributes ?? {}) as JsonObject
  const key = keys.create(record.host, record.key ?? '', {
    kty,
    bits: isSize ? bits : undefined,
    operations: Array.isArray(operations) ? (operations as string[]) : ALL_OPERATIONS,
    nowMs,
    expiresAtMs: typeof exp === 'number' ? exp * 1_000 : undefined,
  })
  return bundle(call, key, versionOf(key, ''))
}

/** Of an RSA key that was made without `key_ops`. */
const ALL_OPERATIONS = ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey']

function get(call: VaultCall): Promise<JsonObject> {
  const key = found(call)
  return bundle(call, key, versionOf(key, call.record.version ?? ''))
}

function list(call: VaultCall): Promise<JsonObject> {
  const { host, key: name = '' } = call.record
  const versions = call.keys.versionsOf(host, name)
  const value = versions.map((one) => ({ kid: kidOf(call, { name }, one), ...attributesOf(one) }))
  return Promise.resolve({ value, nextLink: null })
}

function update(call: VaultCall): Promise<JsonObject> {
  const key = found(call)
  const version = versionOf(key, call.record.version ?? '')
  const { key_ops: operations, attributes } = call.input
  const { enabled, nbf, exp } = (attributes ?? {}) as JsonObject
  if (typeof enabled === 'boolean') version.enabled = enabled
  if (typeof nbf === 'number') version.notBeforeMs = nbf * 1_000
  if (typeof exp === 'number') version.expiresAtMs = exp * 1_000
  if (Array.isArray(operations)) version.operations = operations as string[]
  return bundle(call, key, version)
}

function remove(call: VaultCall): Promise<JsonObject> {
  const { keys, record } = call
  return deletedBundle(call, keys.delete(record.host, record.key ?? ''))
}

function getDeleted(call: VaultCall): Promise<JsonObject> {
  const { keys, record } = call
  return deletedBundle(call, keys.findDeleted(record.host, record.key ?? ''))
}

async function deletedBundle(call: VaultCall, key: StoredKey): Promise<JsonObject> {
  const { record } = call
  const recoveryId = `${originOf(record.host)}/deletedkeys/${key.name}`
  return { ...(await bundle(call, key, versionOf(key, ''))), recoveryId }
}

function rotateKey(call: VaultCall): Promise<JsonObject> {
  const key = found(call)
  const stays = call.defects.has('rotates-nothing')
  return bundle(call, key, stays ? versionOf(key, '') : rotate(key, call.nowMs))
}

function getPolicy(call: VaultCall): Promise<JsonObject> {
  const { name, policy } = found(call)
  return Promise.resolve({
    id: `${originOf(call.record.host)}/keys/${name}/rotationpolicy`,
    ...policy,
  })
}

function setPolicy(call: VaultCall): Promise<JsonObject> {
  const { lifetimeActions = [], attributes = {} } = call.input
  const { expiryTime } = attributes as JsonObject
  const beforeExpiry = JSON.stringify(lifetimeActions).includes('"timeBeforeExpiry":"')
  // A time before an expiry that there is not.
  if (beforeExpiry && typeof expiryTime !== 'string') throw new Refusal('badParameter')
  found(call).policy = { lifetimeActions, attributes }
  return getPolicy(call)
}

async function wrapKey(call: VaultCall): Promise<JsonObject> {
  const { key, version } = usable(call)
  const expired = version.expiresAtMs !== undefined && call.nowMs >= version.expiresAtMs
  const early = version.notBeforeMs !== undefined && call.nowMs < version.notBeforeMs
  if ((expired || early) && !call.defects.has('ignores-expiry')) throw new Refusal('expired')
  const wrapped = await wrap(version, algorithmOf(call), bytesOf(call.input))
  return { kid: kidOf(call, key, version), value: encodeBase64Url(wrapped) }
}

/** Past its expiry a version still opens what it wrapped. */
async function unwrapKey(call: VaultCall): Promise<JsonObject> {
  const { key, version } = usable(call)
  const bytes = bytesOf(call.input)
  const others = call.defects.has('ignores-version') ? [...key.versions] : [version]
  for (;;) {
    const one = others.shift() ?? version
    try {
      const plaintext = await unwrap(one, algorithmOf(call), bytes)
      return { kid: kidOf(call, key, version), value: encodeBase64Url(plaintext) }
    } catch (error) {
      if (others.length === 0) throw error
    }
  }
}

function found({ keys, record }: VaultCall): StoredKey {
  return keys.find(record.host, record.key ?? '')
}

/** A version that is enabled and meant for this operation. */
function usable(call: VaultCall): { readonly key: StoredKey; readonly version: StoredVersion } {
  const { record, defects } = call
  const key = found(call)
  const version = versionOf(key, record.version ?? '')
  if (!version.enabled && !defects.has('ignores-disabled')) throw new Refusal('disabled')
  const meant = version.operations.includes(record.operation)
  if (!meant && !defects.has('ignores-key-operations')) throw new Refusal('operationForbidden')
  return { key, version }
}

function algorithmOf({ input, record }: VaultCall): string {
  const { alg } = input
  if (typeof alg !== 'string') throw new Refusal('badParameter')
  record.algorithm = alg
  return alg
}

function bytesOf({ value }: JsonObject): Uint8Array<ArrayBuffer> {
  const bytes = typeof value === 'string' ? decodeBase64Url(value) : undefined
  if (bytes === undefined || bytes.length === 0) throw new Refusal('badParameter')
  return bytes
}

async function bundle(
  call: VaultCall,
  key: StoredKey,
  version: StoredVersion,
): Promise<JsonObject> {
  const kid = kidOf(call, key, version, true)
  const members = await publicMembers(version)
  return {
    key: { kid, kty: key.kty, key_ops: version.operations, ...members },
    ...attributesOf(version),
  }
}

function attributesOf({
  enabled,
  createdAtMs,
  notBeforeMs,
  expiresAtMs,
}: StoredVersion): JsonObject {
  const seconds = (ms: number): number => Math.floor(ms / 1_000)
  return {
    attributes: {
      enabled,
      created: seconds(createdAtMs),
      updated: seconds(createdAtMs),
      ...(notBeforeMs !== undefined && { nbf: seconds(notBeforeMs) }),
      ...(expiresAtMs !== undefined && { exp: seconds(expiresAtMs) }),
      recoveryLevel: 'Recoverable+Purgeable',
      recoverableDays: 90,
    },
  }
}

function kidOf(
  { record, defects }: VaultCall,
  { name }: Pick<StoredKey, 'name'>,
  { version }: StoredVersion,
  isBundle = false,
): string {
  const base = `${originOf(record.host)}/keys/${name}`
  return defects.has('answers-without-version') && !isBundle ? base : `${base}/${version}`
}
