import { type Bytes, decodeBase64Url, encodeBase64Url } from '../bytes/index.ts'
import { malformed } from './byte-reader.ts'
import { LIMITS } from './limits.ts'
import { HEAD_AT } from './message.ts'

const PREFIX = 'ek1.'

/** Every head fits into so many characters, and they are whole groups of four. */
const HEAD_CHARACTERS = Math.ceil((HEAD_AT + LIMITS.headerBytes) / 3) * 4

/** Returns the text form of any message: `ek1.` and base64url without padding (W4.29). */
export function encodeTextForm(message: Uint8Array): string {
  return PREFIX + encodeBase64Url(message)
}

/**
 * Returns the message of a text form: the strict inverse of {@link encodeTextForm}.
 *
 * @throws KmsError `ERR_WIRE_MALFORMED`
 */
export function decodeTextForm(text: string): Bytes {
  return decode(text, text.length)
}

/**
 * Returns the first bytes of the message, which hold its head, and the length of the whole message in
 * bytes: a reader can refuse a long text before it decodes all of it. The rest is unchecked.
 *
 * @throws KmsError `ERR_WIRE_MALFORMED`
 */
export function decodeTextStart(text: string): {
  readonly start: Bytes
  readonly messageBytes: number
} {
  const start = decode(text, PREFIX.length + HEAD_CHARACTERS)
  return { start, messageBytes: Math.floor(((text.length - PREFIX.length) * 3) / 4) }
}

function decode(text: string, end: number): Bytes {
  if (!text.startsWith(PREFIX)) throw malformed('the text does not begin with ek1.') // W4.29
  const bytes = decodeBase64Url(text.slice(PREFIX.length, end))
  if (bytes === undefined) throw malformed('the text is not base64url') // W4.30, W4.31
  return bytes
}
