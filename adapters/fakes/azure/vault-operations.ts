import { decodeBase64Url, encodeBase64Url } from '../../../src/bytes/index.ts'
import type { JsonObject } from '../../../src/http/index.ts'
import { originOf } from './authorize.ts'
import { Refusal } from './errors.ts'
import { attributesOf, bundle, deletedBundle, kidOf } from './key-bundle.ts'
import {
  rotate,
  type StoredKey,
  type StoredVersion,
  type VersionState,
  type VersionTags,
  versionOf,
} from './key-store.ts'
import type { VaultCall } from './vault-call.ts'
import { unwrap, wrap } from './wrapping.ts'

/** Every operation, by the name of its permission. */
export const VAULT_OPERATIONS: ReadonlyMap<string, (call: VaultCall) => Promise<JsonObject>> =
  new Map([
    ['create', create],
    ['get', get],
    ['list', list],
    ['update', update],
    ['delete', remove],
    ['getDeleted', getDeleted],
    ['recover', recover],
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
  const key = keys.create(record.host, record.key ?? '', {
    kty,
    bits: isSize ? bits : undefined,
    operations: Array.isArray(operations) ? (operations as string[]) : ALL_OPERATIONS,
    nowMs,
    ...changes(attributes, input['tags']),
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
  const { from, size } = pageOf(call.query)
  const value = versions
    .slice(from, from + size)
    .map((one) => ({ kid: kidOf(call, { name }, one), ...attributesOf(one) }))
  const next = `${originOf(host)}/keys/${name}/versions?api-version=7.4&maxresults=${String(size)}&$skiptoken=${String(from + size)}`
  return Promise.resolve({ value, nextLink: from + size < versions.length ? next : null })
}

/** @throws Refusal `badParameter` for a size that is not 1 to 25 */
function pageOf(query: URLSearchParams): { readonly from: number; readonly size: number } {
  const size = Number(query.get('maxresults') ?? 25)
  if (!Number.isInteger(size) || size < 1 || size > 25) throw new Refusal('badParameter')
  return { from: Number(query.get('$skiptoken') ?? 0), size }
}

function update(call: VaultCall): Promise<JsonObject> {
  const key = found(call)
  const version = versionOf(key, call.record.version ?? '')
  const { key_ops: operations, attributes, tags } = call.input
  Object.assign(version, changes(attributes, tags))
  if (Array.isArray(operations)) version.operations = operations as string[]
  return bundle(call, key, version)
}

/** Returns the changes that a request makes to a version's state. */
function changes(attributes: unknown, tags: unknown): VersionState {
  const { enabled, nbf, exp } = (attributes ?? {}) as JsonObject
  return {
    ...(typeof enabled === 'boolean' && { enabled }),
    ...(typeof nbf === 'number' && { notBeforeMs: nbf * 1_000 }),
    ...(typeof exp === 'number' && { expiresAtMs: exp * 1_000 }),
    ...(typeof tags === 'object' && tags !== null && { tags: tags as VersionTags }),
  }
}

function remove(call: VaultCall): Promise<JsonObject> {
  const { keys, record, nowMs } = call
  return deletedBundle(call, keys.delete(record.host, record.key ?? '', nowMs))
}

/** Versions have the state that they had before. */
function recover(call: VaultCall): Promise<JsonObject> {
  const { keys, record } = call
  const key = keys.recover(record.host, record.key ?? '')
  return bundle(call, key, versionOf(key, ''))
}

function getDeleted(call: VaultCall): Promise<JsonObject> {
  const { keys, record } = call
  return deletedBundle(call, keys.findDeleted(record.host, record.key ?? ''))
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
  const lifeMs = typeof expiryTime === 'string' ? lifeOf(expiryTime) : undefined
  const key = found(call)
  key.policy = { lifetimeActions, attributes }
  key.lifeMs = lifeMs
  return getPolicy(call)
}

/** Returns an ISO 8601 duration in milliseconds. @throws Refusal `badParameter` for less than 28 days */
function lifeOf(duration: string): number {
  const [, years = 0, months = 0, days = 0] =
    /^P(?:(\d{1,3})Y)?(?:(\d{1,4})M)?(?:(\d{1,5})D)?$/.exec(duration) ?? []
  const all = Number(years) * 365 + Number(months) * 30 + Number(days)
  if (all < 28) throw new Refusal('badParameter')
  return all * 86_400_000
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
