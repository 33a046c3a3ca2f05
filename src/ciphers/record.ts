import { type Bytes, encodeUtf8 } from '../bytes/index.ts'
import { CONTEXT_LIMITS, type EncryptionContext, encodePrefixedContext } from '../kms/index.ts'
import { refuse, view } from './aead-result.ts'

const NONCE_BYTES = 12
const LABEL = encodeUtf8('edge-kms/v1/record\0')

/**
 * The AAD of a record, never absent (W4.6).
 *
 * @throws KmsError `ERR_CONTEXT_INVALID`
 */
export function recordAad(aad: EncryptionContext | undefined): Bytes {
  return encodePrefixedContext(LABEL, aad, CONTEXT_LIMITS.maxAadBytes)
}

/**
 * head, nonce, AES-256-GCM ciphertext and tag in one array (W4.5). All inputs are copied by the
 * platform at call time, so nothing the caller does later can change the message.
 *
 * @param nonce - 12 bytes that were drawn in this same turn
 */
export function encryptRecord(
  key: CryptoKey,
  nonce: Bytes,
  plaintext: Bytes,
  aad: Bytes,
  head: Bytes,
): Promise<Bytes> {
  const algorithm = { name: 'AES-GCM', iv: nonce, additionalData: aad, tagLength: 128 }
  const sealing = crypto.subtle.encrypt(algorithm, key, plaintext)
  const out = new Uint8Array(head.length + NONCE_BYTES + plaintext.length + 16)
  out.set(head)
  out.set(nonce, head.length)
  return sealing.then((sealed) => {
    out.set(new Uint8Array(sealed), head.length + NONCE_BYTES)
    return out
  })
}

/**
 * Opens the body of a record, which begins at `at`.
 *
 * @throws KmsError `ERR_DECRYPT_FAILED`
 */
export function decryptRecord(key: CryptoKey, message: Bytes, aad: Bytes, at = 0): Promise<Bytes> {
  const iv = message.subarray(at, at + NONCE_BYTES)
  const algorithm = { name: 'AES-GCM', iv, additionalData: aad, tagLength: 128 }
  return crypto.subtle
    .decrypt(algorithm, key, message.subarray(at + NONCE_BYTES))
    .then(view, refuse)
}
