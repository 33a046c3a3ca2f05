import { type Bytes, concatBytes, encodeUtf8 } from '../bytes/index.ts'
import { KmsError } from '../errors.ts'
import type { SecretBytes } from '../kms/index.ts'
import { refuse, view } from './aead-result.ts'
import { deriveSubkey, importXaesKey, XAES, type XaesKey, xaesKeyOf } from './xaes.ts'

/** Bytes of a local wrap: nonce, 32 bytes of ciphertext, tag (W3.19). */
export const LOCAL_WRAP_BYTES = 72

/** Returns a local KEK as a key that cannot be exported. Bytes are copied at call time. */
export function importLocalKek(kek: SecretBytes | CryptoKey): Promise<XaesKey> {
  return 'expose' in kek ? importXaesKey(kek.expose()) : xaesKeyOf(kek)
}

/** The KEK version that wraps, and what the wrap is bound to. */
export interface LocalWrapBinding {
  readonly kekId: string
  readonly kekVersion: string
  /** ctx(K). */
  readonly context: Bytes
}

/** Returns what a local wrap authenticates (W3.18): label, key, version and K. */
function localWrapAad({ kekId, kekVersion, context }: LocalWrapBinding): Bytes {
  const label = encodeUtf8('edge-kms/v1/local-wrap\0')
  return concatBytes(label, lp16(kekId), lp16(kekVersion), context)
}

function lp16(text: string): Bytes {
  const bytes = encodeUtf8(text)
  return concatBytes(new Uint8Array([bytes.length >>> 8, bytes.length & 0xff]), bytes)
}

/**
 * Wraps a DEK with XAES-256-GCM.
 *
 * @param nonce - 24 random bytes, drawn for this wrap alone
 */
export async function wrapLocally(
  kek: XaesKey,
  dek: SecretBytes,
  nonce: Bytes,
  binding: LocalWrapBinding,
): Promise<Bytes> {
  const subkey = await deriveSubkey(kek, nonce.subarray(0, XAES.prefixBytes))
  const algorithm = gcm(nonce, binding)
  const sealed = await crypto.subtle.encrypt(algorithm, subkey, dek.expose())
  return concatBytes(nonce, new Uint8Array(sealed))
}

/**
 * Opens a local wrap.
 *
 * @throws KmsError `ERR_DECRYPT_FAILED`
 */
export async function unwrapLocally(
  kek: XaesKey,
  wrapped: Bytes,
  binding: LocalWrapBinding,
): Promise<Bytes> {
  if (wrapped.length !== LOCAL_WRAP_BYTES) throw new KmsError('ERR_DECRYPT_FAILED')
  const subkey = await deriveSubkey(kek, wrapped.subarray(0, XAES.prefixBytes))
  const sealed = wrapped.subarray(XAES.nonceBytes)
  return crypto.subtle.decrypt(gcm(wrapped, binding), subkey, sealed).then(view, refuse)
}

/** @param nonce - begins with the 24 bytes of the nonce */
function gcm(nonce: Bytes, binding: LocalWrapBinding): AesGcmParams {
  const iv = nonce.subarray(XAES.prefixBytes, XAES.nonceBytes)
  return { name: 'AES-GCM', iv, additionalData: localWrapAad(binding), tagLength: 128 }
}
