import { type Bytes, encodeUtf8 } from '../bytes/index.ts'
import { CONTEXT_LIMITS, type EncryptionContext, encodePrefixedContext } from '../kms/index.ts'
import { refuse, view } from './aead-result.ts'
import { XAES } from './xaes.ts'

const LABEL = encodeUtf8('edge-kms/v1/record\0')

/**
 * Returns the AAD of a record, never absent (W4.6).
 *
 * @throws KmsError `ERR_CONTEXT_INVALID`
 */
export function recordAad(aad: EncryptionContext | undefined): Bytes {
  return encodePrefixedContext(LABEL, aad, CONTEXT_LIMITS.maxAadBytes)
}

/**
 * Returns head, nonce, ciphertext and tag in one array (W4.5). The platform copies all inputs at call
 * time, so nothing that the caller does later can change the message.
 *
 * @param subkey - of the nonce's prefix
 * @param head - all bytes before the nonce's suffix: its last 12 bytes are the prefix
 * @param suffix - 12 random bytes that were drawn in this same turn
 */
export function sealRecord(
  subkey: CryptoKey,
  head: Bytes,
  suffix: Bytes,
  plaintext: Bytes,
  aad: Bytes,
): Promise<Bytes> {
  const algorithm = { name: 'AES-GCM', iv: suffix, additionalData: aad, tagLength: 128 }
  const sealing = crypto.subtle.encrypt(algorithm, subkey, plaintext)
  const bodyAt = head.length + XAES.suffixBytes
  const out = new Uint8Array(bodyAt + plaintext.length + XAES.tagBytes)
  out.set(head)
  out.set(suffix, head.length)
  return sealing.then((sealed) => {
    out.set(new Uint8Array(sealed), bodyAt)
    return out
  })
}

/**
 * Opens the body of a record, which begins at `at`.
 *
 * @param subkey - of the prefix at `at`
 * @throws KmsError `ERR_DECRYPT_FAILED`
 */
export function openRecord(
  subkey: CryptoKey,
  message: Bytes,
  aad: Bytes,
  at: number = 0,
): Promise<Bytes> {
  const iv = message.subarray(at + XAES.prefixBytes, at + XAES.nonceBytes)
  const algorithm = { name: 'AES-GCM', iv, additionalData: aad, tagLength: 128 }
  return crypto.subtle
    .decrypt(algorithm, subkey, message.subarray(at + XAES.nonceBytes))
    .then(view, refuse)
}
