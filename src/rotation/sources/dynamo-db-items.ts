import { decodeBase64 } from '../../bytes/index.ts'
import type { StoredValue } from '../record-source.ts'

/**
 * Returns the value of an attribute, `null` where there is none. A number, a map or a list is not a message: it arrives as
 * its JSON, and is foreign.
 *
 * @throws what `unreadable` returns, for bytes that are not base64
 */
export function storedValueOf(attribute: unknown, unreadable: () => Error): StoredValue | null {
  if (attribute === undefined) return null
  const { B: bytes, S: text, NULL: isNull } = Object(attribute) as Readonly<Record<string, unknown>>
  if (isNull === true) return null
  if (typeof text === 'string') return text
  if (typeof bytes !== 'string') return JSON.stringify(attribute)
  const decoded = decodeBase64(bytes)
  if (decoded === undefined) throw unreadable()
  return decoded
}

/** Returns text and numbers as text, and others as JSON; `null` where there is none. */
export function factOf(attribute: unknown): string | null {
  if (attribute === undefined) return null
  const {
    S: text,
    N: number,
    NULL: isNull,
  } = Object(attribute) as Readonly<Record<string, unknown>>
  if (isNull === true) return null
  if (typeof text === 'string') return text
  return typeof number === 'string' ? number : JSON.stringify(attribute)
}

/** Returns placeholders for names of attributes, some of which are reserved words: `#v0`, `#v1` …. */
export function placeholdersOf(prefix: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name, at) => [`${prefix}${String(at)}`, name]))
}
