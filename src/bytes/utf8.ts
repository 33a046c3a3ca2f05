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

/** Length of the string in UTF-8, or -1 if it has a lone surrogate, which UTF-8 cannot hold. */
export function utf8Length(text: string): number {
  let length = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) continue
    length += unit < 0x800 ? 1 : 2
    if (unit < 0xd800 || unit > 0xdfff) continue
    const next = unit > 0xdbff ? 0 : text.charCodeAt(++i)
    if (!(next >= 0xdc00 && next <= 0xdfff)) return -1
  }
  return length
}

/** Whether a string has no lone surrogate: TextEncoder would fold them all into U+FFFD. */
export function isWellFormed(text: string): boolean {
  return text.isWellFormed()
}

/**
 * Writes a string and returns where it ends, or -1 if it has a lone surrogate; what lies beyond the
 * end of the array is dropped. A call of TextEncoder costs more than the short strings of a context do.
 */
export function writeUtf8(text: string, out: Bytes, at: number): number {
  let to = at
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) {
      out[to++] = unit
    } else if (unit < 0x800) {
      out[to++] = 0xc0 | (unit >>> 6)
      out[to++] = 0x80 | (unit & 0x3f)
    } else if (unit < 0xd800 || unit > 0xdfff) {
      out[to++] = 0xe0 | (unit >>> 12)
      out[to++] = 0x80 | ((unit >>> 6) & 0x3f)
      out[to++] = 0x80 | (unit & 0x3f)
    } else {
      const next = unit > 0xdbff ? 0 : text.charCodeAt(++i)
      if (!(next >= 0xdc00 && next <= 0xdfff)) return -1
      const point = 0x1_0000 + ((unit & 0x3ff) << 10) + (next & 0x3ff)
      out[to++] = 0xf0 | (point >>> 18)
      out[to++] = 0x80 | ((point >>> 12) & 0x3f)
      out[to++] = 0x80 | ((point >>> 6) & 0x3f)
      out[to++] = 0x80 | (point & 0x3f)
    }
  }
  return to
}

/** Orders well-formed strings as their UTF-8 bytes are ordered: by code points, which is not the order of `<`. */
export function compareUtf8(a: string, b: string): number {
  const [first, second] = [encodeUtf8(a), encodeUtf8(b)]
  const at = first.findIndex((byte, i) => byte !== second[i])
  return at < 0 ? first.length - second.length : (first[at] as number) - (second[at] ?? -1)
}
