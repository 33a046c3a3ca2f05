import { type Bytes, decodeUtf8, equalBytes } from '../bytes/index.ts'
import { isKmsError, type KmsError } from '../errors.ts'
import { CONTEXT_LIMITS, type EncryptionContext, encodeContext, frozenMap } from '../kms/index.ts'
import { ByteReader, malformed, NeedMoreBytes } from './byte-reader.ts'

/**
 * Reads ctx(stored). Only the exact output of `ctx` is accepted (W3.14): what was read is encoded
 * again and compared.
 */
export function parseStoredContext(bytes: Bytes): EncryptionContext {
  const map = readEntries(bytes)
  try {
    if (equalBytes(encodeContext(map, CONTEXT_LIMITS.maxContextBytes), bytes)) return map
  } catch (error) {
    if (!isKmsError(error)) throw error
  }
  throw notCanonical() // W3.14
}

function readEntries(bytes: Bytes): EncryptionContext {
  const entries: [string, string][] = []
  try {
    const reader = new ByteReader(bytes, 0)
    const count = reader.u16()
    if (count === 0) throw notCanonical() // W3.12
    for (let i = 0; i < count; i++) {
      const key = readText(reader.take(reader.u16()))
      entries.push([key, readText(reader.take(reader.u16()))])
    }
    if (reader.at !== bytes.length) throw notCanonical() // W3.13
  } catch (error) {
    if (error instanceof NeedMoreBytes) throw notCanonical()
    throw error
  }
  return frozenMap(entries)
}

function notCanonical(): KmsError {
  return malformed('the stored context is not canonical')
}

/** W3.16: text that is not UTF-8 is refused, never folded into U+FFFD. */
export function readText(bytes: Bytes): string {
  const text = decodeUtf8(bytes)
  if (text === undefined) throw malformed('text is not UTF-8')
  return text
}
