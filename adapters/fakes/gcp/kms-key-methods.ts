import type { JsonObject } from '../../../src/http/index.ts'
import { enumName } from './answer.ts'
import { Refusal } from './errors.ts'
import { DESTROY_AFTER_MS, type StoredKey } from './key-store.ts'
import {
  demandEnabled,
  demandPermission,
  keyAnswer,
  type KmsCall,
  type KmsMethod,
  versionAnswer,
} from './kms-call.ts'

const ID = /^[\w-]{1,63}$/
const PURPOSES = ['ENCRYPT_DECRYPT', 'ASYMMETRIC_SIGN', 'ASYMMETRIC_DECRYPT', 'MAC']

/** The key that the name of a version, or of its list, begins with. */
const keyOf = ({ keys, name }: KmsCall): StoredKey =>
  keys.key(name.replace(/\/cryptoKeyVersions.*$/, ''))

export const createKeyRing: KmsMethod = (call) => {
  demandPermission(call, 'cloudkms.keyRings.create')
  call.input.any('name')
  call.input.end()
  return call.keys.addRing(`${call.name}/${idOf(call, 'keyRingId')}`)
}

export const getKeyRing: KmsMethod = (call) => {
  demandPermission(call, 'cloudkms.keyRings.get')
  return call.keys.ring(call.name)
}

/** @see https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys/create */
export const createCryptoKey: KmsMethod = (call) => {
  const { input, keys, name, query } = call
  demandPermission(call, 'cloudkms.cryptoKeys.create')
  const purpose = enumName('purpose', input.any('purpose'))
  if (purpose === undefined || !PURPOSES.includes(purpose))
    throw new Refusal('invalid', 'CryptoKey.purpose must be specified.')
  const template = (input.any('versionTemplate') ?? {}) as JsonObject
  const level = template['protectionLevel'] ?? template['protection_level'] ?? 'SOFTWARE'
  for (const unused of ['labels', 'destroyScheduledDuration', 'importOnly']) input.any(unused)
  const rotation = rotationOf(call, purpose)
  input.end()
  const key = keys.addKey(
    {
      ...(rotation !== undefined && { rotation }),
      name: `${name}/${idOf(call, 'cryptoKeyId')}`,
      purpose,
      protectionLevel: enumName('protectionLevel', level) ?? 'SOFTWARE',
      generationMs: 0,
    },
    query.get('skipInitialVersionCreation') !== 'true',
  )
  return keyAnswer(call, key)
}

export const getCryptoKey: KmsMethod = (call) => {
  demandPermission(call, 'cloudkms.cryptoKeys.get')
  return keyAnswer(call, call.keys.key(call.name))
}

export const listCryptoKeys: KmsMethod = (call) => {
  demandPermission(call, 'cloudkms.cryptoKeys.list')
  const ring = call.name.replace(/\/cryptoKeys$/, '')
  const all = call.keys.keysIn(ring)
  const { rows, rest } = pageOf(call, all)
  return { cryptoKeys: rows.map((key) => keyAnswer(call, key)), totalSize: all.length, ...rest }
}

/** @see https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys/updatePrimaryVersion */
export const updatePrimaryVersion: KmsMethod = (call) => {
  const { input, keys, name, defects } = call
  demandPermission(call, 'cloudkms.cryptoKeys.update')
  const id = input.text('cryptoKeyVersionId')
  input.end()
  const key = keys.key(name)
  if (key.purpose !== 'ENCRYPT_DECRYPT')
    throw new Refusal('precondition', `${name} has purpose ${key.purpose}.`)
  const version = demandEnabled(call, keys.version(`${name}/cryptoKeyVersions/${id}`))
  if (!defects.has('keeps-primary')) key.primary = version
  return keyAnswer(call, { ...key, primary: version })
}

export const createCryptoKeyVersion: KmsMethod = (call) => {
  demandPermission(call, 'cloudkms.cryptoKeyVersions.create')
  call.input.any('state')
  call.input.end()
  const key = keyOf(call)
  return versionAnswer(call, key, call.keys.addVersion(key))
}

export const getCryptoKeyVersion: KmsMethod = (call) => {
  demandPermission(call, 'cloudkms.cryptoKeyVersions.get')
  return versionAnswer(call, keyOf(call), call.keys.version(call.name))
}

export const listCryptoKeyVersions: KmsMethod = (call) => {
  demandPermission(call, 'cloudkms.cryptoKeyVersions.list')
  const key = keyOf(call)
  const { rows, rest } = pageOf(call, key.versions)
  const cryptoKeyVersions = rows.map((version) => versionAnswer(call, key, version))
  return { cryptoKeyVersions, totalSize: key.versions.length, ...rest }
}

/** Of a version only its state can be changed, and only between ENABLED and DISABLED. */
export const updateCryptoKeyVersion: KmsMethod = (call) => {
  const { input, keys, name, query } = call
  demandPermission(call, 'cloudkms.cryptoKeyVersions.update')
  const state = enumName('state', input.any('state'))
  input.any('name')
  input.end()
  if (query.get('updateMask') !== 'state' || (state !== 'ENABLED' && state !== 'DISABLED'))
    throw new Refusal('invalid', 'state must be ENABLED or DISABLED, and updateMask name it.')
  const version = keys.version(name)
  const now = keys.stateOf(version)
  if (now !== 'ENABLED' && now !== 'DISABLED')
    throw new Refusal('precondition', `${name} has state ${now}.`)
  version.state = state
  return versionAnswer(call, keyOf(call), version)
}

export const destroyCryptoKeyVersion: KmsMethod = (call) => {
  const { keys, name, nowMs } = call
  demandPermission(call, 'cloudkms.cryptoKeyVersions.destroy')
  const version = keys.version(name)
  const now = keys.stateOf(version)
  if (now !== 'ENABLED' && now !== 'DISABLED')
    throw new Refusal('precondition', `${name} has state ${now}.`)
  version.state = 'DESTROY_SCHEDULED'
  version.destroyAtMs = nowMs + DESTROY_AFTER_MS
  return versionAnswer(call, keyOf(call), version)
}

/** Back from the dead, but not at work yet. */
export const restoreCryptoKeyVersion: KmsMethod = (call) => {
  const { keys, name } = call
  demandPermission(call, 'cloudkms.cryptoKeyVersions.restore')
  const version = keys.version(name)
  const now = keys.stateOf(version)
  if (now !== 'DESTROY_SCHEDULED') throw new Refusal('precondition', `${name} has state ${now}.`)
  version.state = 'DISABLED'
  delete version.destroyAtMs
  return versionAnswer(call, keyOf(call), version)
}

/** One page of a list, and the token of the next (AIP-158). @throws Refusal `invalid` */
function pageOf<T>(
  { query }: KmsCall,
  all: readonly T[],
): { readonly rows: readonly T[]; readonly rest: JsonObject } {
  const [size, from] = ['pageSize', 'pageToken'].map((name) => Number(query.get(name) ?? 0))
  if (!Number.isInteger(size) || !Number.isInteger(from) || Math.min(size ?? 0, from ?? 0) < 0)
    throw new Refusal('invalid', 'The page_size or page_token is invalid.')
  const [start, end] = [from ?? 0, (from ?? 0) + (size || 100)]
  const rest = end < all.length ? { nextPageToken: String(end) } : {}
  return { rows: all.slice(start, end), rest }
}

/** The schedule of a new key. @throws Refusal `invalid` where it cannot have one, or has half of it */
function rotationOf({ input }: KmsCall, purpose: string): StoredKey['rotation'] {
  const [time, period] = [input.any('nextRotationTime'), input.any('rotationPeriod')]
  if (time === undefined && period === undefined) return undefined
  const seconds = /^(\d{1,12})s$/.exec(typeof period === 'string' ? period : '')?.[1]
  const isPeriod = period === undefined || Number(seconds) >= 86_400
  if (purpose !== 'ENCRYPT_DECRYPT' || typeof time !== 'string' || !isPeriod)
    throw new Refusal(
      'invalid',
      'A schedule needs next_rotation_time, and a period of a day or more.',
    )
  const nextRotationTime = new Date(time).toISOString()
  return { nextRotationTime, ...(typeof period === 'string' && { rotationPeriod: period }) }
}

function idOf({ query }: KmsCall, name: string): string {
  const id = query.get(name) ?? ''
  if (ID.test(id)) return id
  throw new Refusal('invalid', `${name} must match ${ID.source}.`)
}
