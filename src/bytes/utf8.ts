import type { Bytes } from './bytes.ts'

/** UTF-8 of a string that is known to be well formed. */
export function encodeUtf8(text: string): Bytes {
  return new Uint8Array(new TextEncoder().encode(text))
}

/** The text, or `undefined` where the bytes are not UTF-8. A leading BOM is kept: it is data here. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** Whether a string has no lone surrogate: TextEncoder would fold them all into U+FFFD. */
export function isWellFormed(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0xd800 || unit > 0xdfff) continue
    if (unit > 0xdbff) return false
    const next = text.charCodeAt(++i)
    if (!(next >= 0xdc00 && next <= 0xdfff)) return false
  }
  return true
}
