import type { Bytes } from './bytes.ts'

/** Returns standard base64 with padding (RFC 4648 section 4). */
export function encodeBase64(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}

/** Returns base64url without padding (RFC 4648 section 5). */
export function encodeBase64Url(bytes: Uint8Array): string {
  return encodeBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** Strict inverse of {@link encodeBase64}; `undefined` for anything that function cannot produce. */
export function decodeBase64(text: string): Bytes | undefined {
  return /^[A-Za-z0-9+/]*=*$/.test(text) ? decode(text, text, encodeBase64) : undefined
}

/** Strict inverse of {@link encodeBase64Url}; `undefined` for anything that function cannot produce. */
export function decodeBase64Url(text: string): Bytes | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return undefined
  return decode(text, text.replaceAll('-', '+').replaceAll('_', '/'), encodeBase64Url)
}

/**
 * atob forgives missing padding and unused bits that are not zero. One byte string has one text, so the
 * last group, where both can be, is encoded again.
 *
 * @param text - characters of its alphabet only
 */
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
  const groups = Math.max(0, Math.ceil(bytes.length / 3) - 1)
  return encode(bytes.subarray(3 * groups)) === text.slice(4 * groups) ? bytes : undefined
}
