import { type Bytes, decodeBase64 } from '../../../src/bytes/index.ts'

/** Standard base64 as Go reads it: line breaks are passed over, and so are bits that no byte uses. */
export function decodeGoBase64(text: string): Bytes | undefined {
  const bare = text.replace(/[\r\n]/g, '')
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(bare) || bare.length % 4 !== 0) return undefined
  const strict = decodeBase64(bare)
  return strict ?? Uint8Array.from(atob(bare), (character) => character.charCodeAt(0))
}
