import { type Bytes, concatBytes, encodeUtf8 } from '../bytes/index.ts'
import { KmsError } from '../errors.ts'
import type { SecretBytes } from '../kms/index.ts'

const NONCE_BYTES = 12
/** nonce, 32 bytes of ciphertext, tag (W3.19). */
export const LOCAL_WRAP_BYTES = 60

/** The KEK as a key that cannot be exported. The bytes are copied at call time. */
export async function importLocalKek(kek: SecretBytes): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', kek.expose(), 'AES-GCM', false, ['encrypt', 'decrypt'])
}

/** What a local wrap authenticates (W3.18). `context` is ctx(K). */
function localWrapAad(kekId: string, kekVersion: string, context: Bytes): Bytes {
  const id = encodeUtf8(kekId)
  const version = encodeUtf8(kekVersion)
  return concatBytes(
    encodeUtf8('edge-kms/v1/local-wrap\0'),
    new Uint8Array([id.length >>> 8, id.length & 0xff]),
    id,
    new Uint8Array([version.length >>> 8, version.length & 0xff]),
    version,
    context,
  )
}

/** The KEK version that wraps, and what the wrap is bound to. */
export interface LocalWrapBinding {
  readonly kekId: string
  readonly kekVersion: string
  /** ctx(K). */
  readonly context: Bytes
}

/** Wraps a DEK; `nonce` is 12 bytes drawn in this same turn. */
export async function wrapLocally(
  kek: CryptoKey,
  dek: SecretBytes,
  nonce: Bytes,
  binding: LocalWrapBinding,
): Promise<Bytes> {
  const additionalData = localWrapAad(binding.kekId, binding.kekVersion, binding.context)
  const algorithm = { name: 'AES-GCM', iv: nonce, additionalData, tagLength: 128 }
  const sealed = await crypto.subtle.encrypt(algorithm, kek, dek.expose())
  return concatBytes(nonce, new Uint8Array(sealed))
}

/**
 * Opens a local wrap.
 *
 * @throws KmsError `ERR_DECRYPT_FAILED`
 */
export async function unwrapLocally(
  kek: CryptoKey,
  wrapped: Bytes,
  binding: LocalWrapBinding,
): Promise<Bytes> {
  if (wrapped.length !== LOCAL_WRAP_BYTES) throw new KmsError('ERR_DECRYPT_FAILED')
  const additionalData = localWrapAad(binding.kekId, binding.kekVersion, binding.context)
  const iv = wrapped.subarray(0, NONCE_BYTES)
  try {
    return new Uint8Array(
      await crypto.subtle.decrypt(
        { name: 'AES-GCM', iv, additionalData, tagLength: 128 },
        kek,
        wrapped.subarray(NONCE_BYTES),
      ),
    )
  } catch {
    throw new KmsError('ERR_DECRYPT_FAILED')
  }
}
