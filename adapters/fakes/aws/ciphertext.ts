import {
  type Bytes,
  compareUtf8,
  concatBytes,
  encodeUtf8,
  decodeUtf8,
  equalBytes,
} from '../../../src/bytes/index.ts'
import { randomBytes } from './primitives.ts'

/** The claims of a ciphertext blob about itself. Opaque to clients, as AWS's own is. */
export interface Blob {
  /** The key's own id: the same in every region where a multi-Region key lives. */
  readonly keyId: string
  readonly materialId: string
  readonly header: Bytes
  readonly iv: Bytes
  readonly sealed: Bytes
}

/** How a context becomes additional authenticated data. */
export type ContextEncoding = (context: Readonly<Record<string, string>>) => Bytes

const FORMAT = 1
const CHECK_BYTES = 8
const IV_BYTES = 12
const TAG_BYTES = 16

/**
 * A context without ambiguity: sorted by key, every text with its length before it. Different maps
 * have different encodings, which is what AWS's "exact case-sensitive match" needs.
 */
export const strictContext: ContextEncoding = (context) => {
  const entries = Object.entries(context).sort(([a], [b]) => compareUtf8(a, b))
  const parts = entries.flat().map((text) => {
    const bytes = encodeUtf8(text)
    return concatBytes(u32(bytes.length), bytes)
  })
  return concatBytes(u32(entries.length), ...parts)
}

/** For the defect of this name only. */
export const concatenatedContext: ContextEncoding = (context) => {
  const entries = Object.entries(context).sort(([a], [b]) => compareUtf8(a, b))
  return encodeUtf8(entries.flat().join(''))
}

/** For the defect of this name only. */
export const ignoredContext: ContextEncoding = () => new Uint8Array(0)

/** Encrypts under a key material. */
export async function sealBlob(
  material: { readonly id: string; readonly key: CryptoKey; readonly keyId: string },
  plaintext: Bytes,
  context: Bytes,
): Promise<Bytes> {
  const keyId = encodeUtf8(material.keyId)
  const named = concatBytes(new Uint8Array([FORMAT, keyId.length]), keyId, encodeUtf8(material.id))
  const header = concatBytes(named, await checkOf(named))
  const iv = randomBytes(IV_BYTES)
  const additionalData = concatBytes(header, context)
  const sealed = await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv, additionalData },
    material.key,
    plaintext,
  )
  return concatBytes(header, iv, new Uint8Array(sealed))
}

/** Reads a blob; `undefined` where it is none or its header was changed. */
export async function parseBlob(bytes: Bytes): Promise<Blob | undefined> {
  const keyIdEnd = 2 + (bytes[1] ?? 0)
  const named = bytes.slice(0, keyIdEnd + 64)
  const header = bytes.slice(0, named.length + CHECK_BYTES)
  if (bytes[0] !== FORMAT || bytes.length < header.length + IV_BYTES + TAG_BYTES) return undefined
  if (!equalBytes(header.slice(named.length), await checkOf(named))) return undefined
  const keyId = decodeUtf8(bytes.slice(2, keyIdEnd))
  const materialId = decodeUtf8(bytes.slice(keyIdEnd, named.length))
  if (keyId === undefined || materialId === undefined) return undefined
  const iv = bytes.slice(header.length, header.length + IV_BYTES)
  return { keyId, materialId, header, iv, sealed: bytes.slice(header.length + IV_BYTES) }
}

/** The plaintext; `undefined` where ciphertext, context and key do not belong together. */
export async function openBlob(
  blob: Blob,
  key: CryptoKey,
  context: Bytes,
): Promise<Bytes | undefined> {
  const additionalData = concatBytes(blob.header, context)
  try {
    const algorithm = { name: 'AES-GCM', iv: blob.iv, additionalData }
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, key, blob.sealed))
  } catch {
    return undefined
  }
}

/** Tells a damaged header from one of a key that is not here; it proves nothing, the tag does. */
async function checkOf(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)).slice(0, CHECK_BYTES)
}

function u32(value: number): Bytes {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}
