import { type Bytes, decodeBase64 } from '../bytes/index.ts'
import { MAX_VALUE_BYTES } from './checks.ts'

/** The longest text, characters. */
export const MAX_TEXT_LENGTH: number = /* @__PURE__ */ Math.ceil(MAX_VALUE_BYTES / 3) * 4

/**
 * Returns the bytes that a backend holds as base64.
 *
 * @throws what `unreadable` returns, for anything else
 */
export function bytesOfText(text: unknown, unreadable: () => Error): Bytes {
  // Before decoding: an attacker may have written megabytes.
  if (typeof text !== 'string' || text.length > MAX_TEXT_LENGTH) {
    throw unreadable()
  }
  const bytes = decodeBase64(text)
  if (bytes === undefined) throw unreadable()
  return bytes
}
