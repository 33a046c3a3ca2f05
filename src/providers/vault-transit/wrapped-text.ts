import { type Bytes, decodeBase64, decodeUtf8, encodeUtf8 } from '../../bytes/index.ts'

/** Longest ciphertext of a DEK that is taken: one of a 96-bit nonce has 90 characters or a few more. */
export const MAX_WRAPPED_BYTES = 256

const MAX_VERSION = 2 ** 31 - 1

/** A ciphertext of transit, as text and as the bytes of a wrap. */
export interface WrappedText {
  readonly text: string
  readonly bytes: Bytes
  /** Decimal, as in the text. */
  readonly kekVersion: string
}

/**
 * Reads `vault:vN:base64`. Vault itself forgives more, e.g. a version 0 and line breaks, so that one
 * ciphertext has many texts; here it has one (W3.23).
 */
export function readWrapped(text: string | undefined): WrappedText | undefined {
  if (text === undefined || text.length > MAX_WRAPPED_BYTES) return undefined
  const [, kekVersion, base64 = ''] = /^vault:v([1-9]\d{0,9}):(.+)$/.exec(text) ?? []
  if (kekVersion === undefined || Number(kekVersion) > MAX_VERSION) return undefined
  if (decodeBase64(base64) === undefined) return undefined
  return { text, bytes: encodeUtf8(text), kekVersion }
}

/** The text of a wrap. */
export function textOf(wrapped: Bytes): string | undefined {
  return wrapped.length > MAX_WRAPPED_BYTES ? undefined : decodeUtf8(wrapped)
}
