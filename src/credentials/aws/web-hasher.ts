import { type Bytes, encodeUtf8 } from '../../bytes/index.ts'
import type { Hasher } from '../../ports/index.ts'

/** {@link Hasher} of WebCrypto. Its keys cannot be exported. */
export const webHasher: Hasher<CryptoKey> = {
  sha256: async (text) =>
    hexOf(new Uint8Array(await crypto.subtle.digest('SHA-256', encodeUtf8(text)))),
  hmacKey: (bytes) =>
    crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']),
  hmac: async (key, text) =>
    new Uint8Array(await crypto.subtle.sign('HMAC', key, encodeUtf8(text))),
}

/** Lower-case hex of a digest. */
export function hexOf(bytes: Bytes): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let text = ''
  for (let at = 0; at < view.byteLength; at += 4)
    text += view.getUint32(at).toString(16).padStart(8, '0')
  return text
}
