import { KmsError } from '../errors.ts'
import type { EncryptionContext } from './context-encoding.ts'

const STRING = /[ \t\r\n]*("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")[ \t\r\n]*/y
/** A map of the longest allowed, each byte written as an escape, is shorter. */
const MAX_CHARACTERS = 65_536
const OPEN = /[ \t\r\n]*\{[ \t\r\n]*/y

/**
 * Reads a context or aad from JSON text: one object whose values are strings. `JSON.parse` alone
 * keeps the last of two equal keys in silence, so that two readers could see two contexts.
 *
 * @throws KmsError `ERR_CONTEXT_INVALID`
 */
export function parseContextJson(text: string): EncryptionContext {
  // A header that is absent is `null`.
  if (typeof text !== 'string' || text.length > MAX_CHARACTERS) throw invalid()
  const map = Object.create(null) as Record<string, string> // W1.12
  let at = skip(OPEN, text, 0)
  if (text[at] === '}') return end(text, at, map)
  for (;;) {
    const key = readString(text, at)
    if (text[key.end] !== ':') throw invalid()
    const value = readString(text, key.end + 1)
    if (key.value in map) throw invalid() // W1.11
    map[key.value] = value.value
    at = value.end + 1
    if (text[value.end] === '}') return end(text, value.end, map)
    if (text[value.end] !== ',') throw invalid()
  }
}

function readString(text: string, at: number): { readonly value: string; readonly end: number } {
  STRING.lastIndex = at
  const token = STRING.exec(text)?.[1]
  if (token === undefined) throw invalid()
  return { value: JSON.parse(token) as string, end: STRING.lastIndex }
}

function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  if (!pattern.test(text)) throw invalid()
  return pattern.lastIndex
}

function end(text: string, at: number, map: EncryptionContext): EncryptionContext {
  if (!/^[ \t\r\n]*$/.test(text.slice(at + 1))) throw invalid()
  return Object.freeze(map)
}

function invalid(): KmsError {
  return new KmsError('ERR_CONTEXT_INVALID', {
    message: 'the context or aad is not a JSON object of strings without duplicate keys',
  })
}
