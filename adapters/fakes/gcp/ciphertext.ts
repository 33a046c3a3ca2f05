import { type Bytes, concatBytes, equalBytes } from '../../../src/bytes/index.ts'
import { randomBytes } from '../aws/primitives.ts'

/** Google's ciphertexts begin with field 1 of a protocol buffer, 36 bytes: `CiQA…` in base64. */
const PREFIX = new Uint8Array([0x0a, 0x24, 0x00])
const ID_BYTES = 35
const HEADER_BYTES = PREFIX.length + ID_BYTES
const IV_BYTES = 12
const TAG_BYTES = 16

/** Key material of one version, under the id that its ciphertexts carry. */
export interface Material {
  readonly id: Bytes
  readonly bytes: Bytes
}

/** Fresh material. */
export function newMaterial(): Material {
  return { id: randomBytes(ID_BYTES), bytes: randomBytes(32) }
}

/** Encrypts under a version's material. */
export async function seal(material: Material, plaintext: Bytes, aad: Bytes): Promise<Bytes> {
  const header = concatBytes(PREFIX, material.id)
  const iv = randomBytes(IV_BYTES)
  const algorithm = { name: 'AES-GCM', iv, additionalData: concatBytes(header, aad) }
  const sealed = await crypto.subtle.encrypt(algorithm, await keyOf(material), plaintext)
  return concatBytes(header, iv, new Uint8Array(sealed))
}

/** Whether a ciphertext says that it is of this material. */
export function isOf(ciphertext: Bytes, material: Material): boolean {
  return equalBytes(ciphertext.slice(PREFIX.length, HEADER_BYTES), material.id)
}

/** Whether bytes have the form of a ciphertext. */
export function isCiphertext(bytes: Bytes): boolean {
  if (bytes.length < HEADER_BYTES + IV_BYTES + TAG_BYTES) return false
  return equalBytes(bytes.slice(0, PREFIX.length), PREFIX)
}

/** The plaintext; `undefined` where ciphertext, additional data and material do not belong together. */
export async function open(
  ciphertext: Bytes,
  material: Material,
  aad: Bytes,
): Promise<Bytes | undefined> {
  const header = ciphertext.slice(0, HEADER_BYTES)
  const iv = ciphertext.slice(HEADER_BYTES, HEADER_BYTES + IV_BYTES)
  const algorithm = { name: 'AES-GCM', iv, additionalData: concatBytes(header, aad) }
  const sealed = ciphertext.slice(HEADER_BYTES + IV_BYTES)
  try {
    const key = await keyOf(material)
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, key, sealed))
  } catch {
    return undefined
  }
}

function keyOf({ bytes }: Material): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt'])
}
