import type { Bytes } from './bytes.ts'

const STANDARD = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const URL_SAFE = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

// Own codec: Node 24 has no Uint8Array.fromBase64 yet, and atob forgives what must be refused.
function encode(bytes: Uint8Array, alphabet: string): string {
  let out = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    bits = ((bits & 63) << 8) | byte
    for (held += 8; held >= 6;) out += alphabet[(bits >>> (held -= 6)) & 63] as string
  }
  return held === 0 ? out : out + (alphabet[(bits << (6 - held)) & 63] as string)
}

function sextet(code: number, plus: number, slash: number): number {
  if (code >= 65 && code <= 90) return code - 65
  if (code >= 97 && code <= 122) return code - 71
  if (code >= 48 && code <= 57) return code + 4
  if (code === plus) return 62
  if (code === slash) return 63
  return -1
}

function decode(text: string, plus: number, slash: number): Bytes | undefined {
  const tail = text.length % 4
  if (tail === 1) return undefined
  const out = new Uint8Array((text.length >>> 2) * 3 + (tail === 0 ? 0 : tail - 1))
  let bits = 0
  let held = 0
  let at = 0
  for (let i = 0; i < text.length; i++) {
    const value = sextet(text.charCodeAt(i), plus, slash)
    if (value < 0) return undefined
    bits = ((bits << 6) | value) & 0xffff
    held += 6
    if (held >= 8) {
      held -= 8
      out[at++] = (bits >>> held) & 0xff
    }
  }
  // One byte string has one text: bits that no byte uses must be zero.
  return (bits & ((1 << held) - 1)) === 0 ? out : undefined
}

/** base64url without padding (RFC 4648 section 5). */
export function encodeBase64Url(bytes: Uint8Array): string {
  return encode(bytes, URL_SAFE)
}

/** Strict inverse of {@link encodeBase64Url}; `undefined` for anything that function cannot produce. */
export function decodeBase64Url(text: string): Bytes | undefined {
  return decode(text, 45, 95)
}

/** Standard base64 with padding (RFC 4648 section 4). */
export function encodeBase64(bytes: Uint8Array): string {
  return encode(bytes, STANDARD) + '='.repeat((3 - (bytes.length % 3)) % 3)
}

/** Strict inverse of {@link encodeBase64}; `undefined` for anything that function cannot produce. */
export function decodeBase64(text: string): Bytes | undefined {
  if (text.length % 4 !== 0) return undefined
  return decode(text.replace(/={1,2}$/, ''), 43, 47)
}
