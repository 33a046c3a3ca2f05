import type { Bytes } from '../bytes/index.ts'

/** No bytes. */
export const empty: Bytes = /* @__PURE__ */ new Uint8Array(0)

/** Random bytes, at most 65,536 at a time as WebCrypto gives them. */
export function randomBytes(length: number): Bytes {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += 65_536)
    crypto.getRandomValues(bytes.subarray(at, at + 65_536))
  return bytes
}

/** 43 letters that nobody had before. */
export function randomLetters(): string {
  return Array.from(randomBytes(43), (byte) => 'abcdefghijklmnop'.charAt(byte & 15)).join('')
}

/** A key for a key-value store that nobody had before. */
export function freshKey(): string {
  return `contract/${randomLetters()}`
}
