import type { Bytes } from '../../bytes/index.ts'
import type { Hasher } from '../../ports/index.ts'

/** {@link Hasher} of WebCrypto. Its keys cannot be exported. */
export const webHasher: Hasher<CryptoKey> = {
  sha256: async (text) => hexOf(new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(text)))),
  hmacKey: (bytes) =>
    crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']),
  hmac: async (key, text) => new Uint8Array(await crypto.subtle.sign('HMAC', key, utf8(text))),
}

/** Not copied: nobody else has it. */
function utf8(text: string): Bytes {
  return new TextEncoder().encode(text)
}

/** Lower-case hex of a digest. */
export function hexOf(bytes: Bytes): string {
  let text = ''
  for (const byte of bytes) text += (256 + byte).toString(16).slice(1)
  return text
}
