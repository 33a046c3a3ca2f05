import { type Bytes, concatBytes, encodeUtf8, equalBytesConstantTime } from '../bytes/index.ts'
import { KmsError } from '../errors.ts'
import { CONTEXT_LIMITS, type EncryptionContext, encodePrefixedContext } from '../kms/index.ts'
import { refuse, view } from './aead-result.ts'

/** Sizes of c2sp.org/chunked-encryption, in bytes. */
export const CHUNKED = {
  saltBytes: 24,
  commitmentBytes: 32,
  /** Salt and commitment: where the first chunk lies. */
  headerBytes: 56,
  /** Plaintext of every chunk but the final one. */
  chunkBytes: 16_384,
  sealedChunkBytes: 16_400,
  tagBytes: 16,
  /** 2^38 chunks at most. */
  maxChunks: 0x40_0000_0000,
} as const

/** Bytes of one block of HKDF-SHA-512. */
const HASH_BYTES = 64

/** An instance of the public standard: its AEAD's registered name and key length. */
export interface ChunkedSuite {
  readonly aead: string
  readonly keyBytes: number
}

/** Cobblestone-256, the instance of wire format v1. */
export const COBBLESTONE_256: ChunkedSuite = {
  aead: 'AEAD_AES_256_GCM',
  keyBytes: 32,
}

/** The keys of one chunked message. */
export interface ChunkedKeys {
  readonly aeadKey: CryptoKey
  readonly baseNonce: Bytes
  readonly commitment: Bytes
}

/** The chunked-encryption context of a stream (W4.10). */
export function streamContext(aad: EncryptionContext | undefined): Bytes {
  return encodePrefixedContext(encodeUtf8('edge-kms/v1/stream\0'), aad, CONTEXT_LIMITS.maxAadBytes)
}

/**
 * Derives the keys of one message (W4.11): HKDF-Expand alone (RFC 5869 section 2.3), which
 * WebCrypto's HKDF cannot do, so the PRK is an HMAC key and the blocks are signed one by one.
 */
export async function deriveChunkedKeys(
  prk: CryptoKey,
  salt: Bytes,
  context: Bytes,
  suite: ChunkedSuite = COBBLESTONE_256,
): Promise<ChunkedKeys> {
  // The standard's key has the length of its AEAD's key; HMAC would take any.
  if ((prk.algorithm as HmacKeyAlgorithm).length !== suite.keyBytes * 8) {
    throw new KmsError('ERR_DECRYPT_FAILED')
  }
  const info = concatBytes(
    encodeUtf8(`c2sp.org/chunked-encryption@v1+${suite.aead}\0`),
    salt,
    context,
  )
  const length = suite.keyBytes + 12 + CHUNKED.commitmentBytes
  const okm = new Uint8Array(Math.ceil(length / HASH_BYTES) * HASH_BYTES)
  let input = concatBytes(info, new Uint8Array([1]))
  try {
    for (let at = 0, i = 1; at < length; at += HASH_BYTES) {
      const block = new Uint8Array(await crypto.subtle.sign('HMAC', prk, input))
      okm.set(block, at)
      input.fill(0) // from the second block on it holds the one before
      input = concatBytes(block, info, new Uint8Array([++i]))
      block.fill(0)
    }
    const aeadKey = await crypto.subtle.importKey(
      'raw',
      okm.subarray(0, suite.keyBytes),
      'AES-GCM',
      false,
      ['encrypt', 'decrypt'],
    )
    const baseNonce = okm.slice(suite.keyBytes, suite.keyBytes + 12)
    const commitment = okm.slice(suite.keyBytes + 12, length)
    return { aeadKey, baseNonce, commitment }
  } finally {
    okm.fill(0)
    input.fill(0)
  }
}

/**
 * Keys of a message that is read: the commitment is checked before the first chunk (W4.15).
 *
 * @throws KmsError `ERR_DECRYPT_FAILED`
 */
export async function openChunked(
  prk: CryptoKey,
  header: Bytes,
  context: Bytes,
  suite: ChunkedSuite = COBBLESTONE_256,
): Promise<ChunkedKeys> {
  const keys = await deriveChunkedKeys(prk, header.subarray(0, CHUNKED.saltBytes), context, suite)
  const claimed = header.subarray(CHUNKED.saltBytes, CHUNKED.headerBytes)
  if (!equalBytesConstantTime(keys.commitment, claimed)) throw new KmsError('ERR_DECRYPT_FAILED')
  return keys
}

/** baseNonce XOR i, with i as a 96-bit big-endian integer (W4.13): more than JavaScript's 32 bits. */
export function chunkNonce(baseNonce: Bytes, index: number): Bytes {
  const nonce = new Uint8Array(baseNonce)
  for (let at = 11, rest = index; rest > 0; at--, rest = Math.floor(rest / 0x100)) {
    nonce[at] = (nonce[at] as number) ^ (rest % 0x100)
  }
  return nonce
}

/** Seals chunk `index`; `plaintext` is copied by the platform at call time. */
export function sealChunk(keys: ChunkedKeys, index: number, plaintext: Bytes): Promise<Bytes> {
  checkIndex(index)
  const algorithm = { name: 'AES-GCM', iv: chunkNonce(keys.baseNonce, index) }
  return crypto.subtle.encrypt(algorithm, keys.aeadKey, plaintext).then(view)
}

/**
 * Opens chunk `index`; `sealed` is copied by the platform at call time.
 *
 * @throws KmsError `ERR_DECRYPT_FAILED`
 */
export function openChunk(keys: ChunkedKeys, index: number, sealed: Bytes): Promise<Bytes> {
  checkIndex(index)
  const algorithm = { name: 'AES-GCM', iv: chunkNonce(keys.baseNonce, index) }
  return crypto.subtle.decrypt(algorithm, keys.aeadKey, sealed).then(view, refuse)
}

function checkIndex(index: number): void {
  if (index >= CHUNKED.maxChunks) {
    throw new KmsError('ERR_ENVELOPE_TOO_LARGE', { message: 'a stream has at most 2^38 chunks' }) // W4.17
  }
}
