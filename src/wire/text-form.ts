import { type Bytes, decodeBase64Url, encodeBase64Url } from '../bytes/index.ts'
import { malformed } from './byte-reader.ts'

const PREFIX = 'ek1.'

/** The text form of any message: `ek1.` and base64url without padding (W4.29). */
export function encodeTextForm(message: Uint8Array): string {
  return PREFIX + encodeBase64Url(message)
}

/**
 * Strict inverse of {@link encodeTextForm}.
 *
 * @throws KmsError `ERR_WIRE_MALFORMED`
 */
export function decodeTextForm(text: string): Bytes {
  if (!text.startsWith(PREFIX)) throw malformed('the text is not ek1.') // W4.29
  const bytes = decodeBase64Url(text.slice(PREFIX.length))
  if (bytes === undefined) throw malformed('the text is not base64url') // W4.30, W4.31
  return bytes
}
