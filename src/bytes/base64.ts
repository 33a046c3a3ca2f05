import type { Bytes } from './bytes.ts'

/** Standard base64 with padding (RFC 4648 section 4). */
export function encodeBase64(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}

/** base64url without padding (RFC 4648 section 5). */
export function encodeBase64Url(bytes: Uint8Array): string {
  return encodeBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** Strict inverse of {@link encodeBase64}; `undefined` for anything that function cannot produce. */
export function decodeBase64(text: string): Bytes | undefined {
  return decode(text, text, encodeBase64)
}

/** Strict inverse of {@link encodeBase64Url}; `undefined` for anything that function cannot produce. */
export function decodeBase64Url(text: string): Bytes | undefined {
  return decode(text, text.replaceAll('-', '+').replaceAll('_', '/'), encodeBase64Url)
}

/** atob forgives what must be refused: one byte string has one text, so what it gives is encoded again. */
function decode(
  text: string,
  standard: string,
  encode: (bytes: Uint8Array) => string,
): Bytes | undefined {
  let binary: string
  try {
    binary = atob(standard)
  } catch {
    return undefined
  }
  const bytes = new Uint8Array(binary.length)
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i)
  return encode(bytes) === text ? bytes : undefined
}
