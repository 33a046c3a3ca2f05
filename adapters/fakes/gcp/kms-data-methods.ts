import { type Bytes, crc32c, encodeBase64 } from '../../../src/bytes/index.ts'
import type { JsonObject } from '../../../src/http/index.ts'
import { randomBytes } from '../aws/primitives.ts'
import { enumName } from './answer.ts'
import { isCiphertext, isOf, open, seal } from './ciphertext.ts'
import { Refusal } from './errors.ts'
import type { StoredKey, StoredVersion } from './key-store.ts'
import { demandEnabled, demandPermission, type KmsCall, type KmsMethod } from './kms-call.ts'

const AAD = 'additionalAuthenticatedData'
const MAX_SOFTWARE_BYTES = 65_536
const MAX_HSM_BYTES = 8_192

/** @see https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys/encrypt */
export const encrypt: KmsMethod = async (call) => {
  const { input, keys, name, defects, record } = call
  demandPermission(call, 'cloudkms.cryptoKeyVersions.useToEncrypt')
  const isVersion = name.includes('/cryptoKeyVersions/')
  const key = symmetric(keys.key(name.replace(/\/cryptoKeyVersions\/.*/, '')))
  const ignores = defects.has('ignores-checksums')
  const plaintext = input.checked('plaintext', ignores)
  const aad = input.checked(AAD, ignores)
  input.end()
  record.aad = encodeBase64(aad.bytes)
  checkSizes(call, key, plaintext.bytes, aad.bytes)
  const asked = isVersion ? keys.version(name) : key.primary
  if (asked === undefined) throw new Refusal('precondition', `${key.name} has no primary version.`)
  const version = demandEnabled(call, asked)
  record.version = version.name
  const ciphertext = await seal(version.material, plaintext.bytes, bound(call, aad.bytes))
  const always = defects.has('always-verified')
  return {
    name: defects.has('names-no-version') ? key.name : version.name,
    ...summed(call, 'ciphertext', ciphertext),
    verifiedPlaintextCrc32c: plaintext.verified || always,
    verifiedAdditionalAuthenticatedDataCrc32c: aad.verified || always,
    protectionLevel: key.protectionLevel,
  }
}

/** @see https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys/decrypt */
export const decrypt: KmsMethod = async (call) => {
  const { input, keys, name, defects, record } = call
  demandPermission(call, 'cloudkms.cryptoKeyVersions.useToDecrypt')
  const key = symmetric(keys.key(name))
  const ignores = defects.has('ignores-checksums')
  const { bytes: ciphertext } = input.checked('ciphertext', ignores)
  const { bytes: aad } = input.checked(AAD, ignores)
  input.end()
  record.aad = encodeBase64(aad)
  if (!isCiphertext(ciphertext)) throw new Refusal('badCiphertext')
  const version = demandEnabled(call, versionOf(call, key, ciphertext))
  record.version = version.name
  const plaintext = await open(ciphertext, version.material, bound(call, aad))
  if (plaintext === undefined) throw new Refusal('badCiphertext')
  return {
    ...summed(call, 'plaintext', plaintext),
    usedPrimary: version === key.primary,
    protectionLevel: key.protectionLevel,
  }
}

/** @see https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations/generateRandomBytes */
export const generateRandomBytes: KmsMethod = (call) => {
  const { input, name } = call
  demandPermission(call, 'cloudkms.locations.generateRandomBytes')
  const length = input.integer('lengthBytes') ?? 0
  const level = enumName('protectionLevel', input.any('protectionLevel'))
  input.end()
  if (length < 8 || length > 1_024)
    throw new Refusal('invalid', 'length_bytes must be between 8 and 1024.')
  if (level !== 'HSM' || name.endsWith('/global'))
    throw new Refusal('invalid', 'protection_level must be HSM, in a location that has HSMs.')
  return summed(call, 'data', randomBytes(length))
}

function symmetric(key: StoredKey): StoredKey {
  if (key.purpose === 'ENCRYPT_DECRYPT') return key
  throw new Refusal('precondition', `${key.name} has purpose ${key.purpose}.`)
}

/** The limits of EncryptRequest; they depend on the protection level. */
function checkSizes({ defects }: KmsCall, key: StoredKey, plaintext: Bytes, aad: Bytes): void {
  const isHsm = key.protectionLevel === 'HSM'
  const fits = isHsm
    ? plaintext.length + aad.length <= MAX_HSM_BYTES
    : Math.max(plaintext.length, aad.length) <= MAX_SOFTWARE_BYTES
  if (fits || defects.has('ignores-size-limits')) return
  throw new Refusal('invalid', `The request is too large for a ${key.protectionLevel} key.`)
}

/** The version that made a ciphertext: the server finds it by itself. */
function versionOf({ keys, defects }: KmsCall, key: StoredKey, ciphertext: Bytes): StoredVersion {
  const among = defects.has('ignores-key') ? [...keys.all()] : [key]
  const version = among
    .flatMap(({ versions }) => versions)
    .find(({ material }) => isOf(ciphertext, material))
  if (version === undefined) throw new Refusal('wrongKey')
  return version
}

function bound({ defects }: KmsCall, aad: Bytes): Bytes {
  return defects.has('ignores-aad') ? new Uint8Array(0) : aad
}

function summed({ defects }: KmsCall, name: string, bytes: Bytes): JsonObject {
  const sum = crc32c(bytes) ^ (defects.has('answers-other-checksum') ? 1 : 0)
  return { [name]: encodeBase64(bytes), [`${name}Crc32c`]: String(sum >>> 0) }
}
