import { type Bytes, compareUtf8, writeUtf8 } from '../bytes/index.ts'
import { describe, isPlain } from '../checks/index.ts'
import { KmsError } from '../errors.ts'

/**
 * A map of strings that is bound to the data key. The KMS sees it and may log it in clear. To decrypt, pass exactly
 * the same map. An `aad` has the same type, but it is bound to one message and never leaves the process.
 */
export type EncryptionContext = Readonly<Record<string, string>>

/**
 * A context or an aad as a caller gives it: an object of strings, also one whose type is an `interface`.
 *
 * The compiler checks the values of a literal: `{ tenant: 5 }` does not compile. An interface has no index
 * signature, so it fits only the second member of the union, which accepts every object. Values of a variable, and
 * `undefined` in a literal, are therefore checked only at run time: `ERR_CONTEXT_INVALID` names the key.
 */
export type ContextInput = EncryptionContext | (object & { toString(): string })

/** Limits of one encoded map: `docs/wire-format.md` section 1. */
export const CONTEXT_LIMITS = {
  maxEntries: 64,
  maxContextBytes: 4_096,
  maxAadBytes: 8_192,
} as const

/** Keys that begin with this, under ASCII case folding, belong to the format (W1.7). */
export const RESERVED_CONTEXT_PREFIX = 'edge-kms:'

/** Ties a wrap to one data key, and joins our audit log with the KMS's. */
export const DATA_KEY_CONTEXT_KEY = 'edge-kms:dk'

/**
 * ctx(map): u16 count, then for each entry in the order of its key's UTF-8 bytes lp16(key), lp16(value).
 * An absent map is the empty map.
 *
 * @param maxBytes - limit of the whole output
 * @throws KmsError `ERR_CONTEXT_INVALID`
 */
export function encodeContext(map: EncryptionContext | undefined, maxBytes: number): Bytes {
  return encodeEntries('context', map, maxBytes, NO_PREFIX)
}

/** As {@link encodeContext}, for an aad behind a prefix that does not count against `maxBytes`: one array, one pass. */
export function encodePrefixedContext(
  prefix: Bytes,
  map: EncryptionContext | undefined,
  maxBytes: number,
): Bytes {
  return encodeEntries('aad', map, maxBytes, prefix)
}

/**
 * Returns ctx(K): the canonical bytes of a context as the KMS receives it. Its limits differ from those of a
 * caller's context (W1.15).
 */
export function encodeKmsContext(k: EncryptionContext): Bytes {
  return encodeEntries('context', k, CONTEXT_LIMITS.maxContextBytes + 128, NO_PREFIX, true)
}

const NO_PREFIX: Bytes = new Uint8Array(0)

/** The name of a map in errors. */
type MapName = 'context' | 'aad'

function encodeEntries(
  name: MapName,
  map: EncryptionContext | undefined,
  maxBytes: number,
  prefix: Bytes,
  reserved = false,
): Bytes {
  const keys = sortedKeys(name, map === undefined ? [] : keysOf(map, name), reserved)
  const texts: string[] = []
  let units = 2
  for (const key of keys) {
    // Each value is read once: a getter must not answer the check and the encoding differently.
    const value = map?.[key] as unknown
    if (typeof value !== 'string') throw wrongValue(name, key, value) // W1.9
    units += 4 + key.length + value.length
    texts.push(key, value)
  }
  let out: Bytes
  let end = prefix.length + units
  // One byte for each unit is right for ASCII, as most maps are; what does not fit is dropped, and
  // written again with the room that it needs.
  do {
    if (end - prefix.length > maxBytes) {
      throw invalid(name, `must have at most ${String(maxBytes)} bytes`) // W1.5, W1.6
    }
    out = new Uint8Array(end)
    out.set(prefix)
    end = writeU16(out, prefix.length, keys.length) // W1.1
    for (const text of texts) {
      const at = end
      end = writeLp16(out, at, text)
      if (end < 0) throw invalid(name, 'must have no lone surrogate, which UTF-8 cannot hold') // W1.10
    }
  } while (end > out.length)
  return out
}

interface Shape {
  readonly keys: readonly string[]
  readonly reserved: boolean
  readonly sorted: readonly string[]
}

/** The keys of the last map: programs give maps of one shape over and over. */
let lastShape: Shape | undefined

/** The keys, checked, in the order of the encoding. */
function sortedKeys(name: MapName, keys: readonly string[], reserved: boolean): readonly string[] {
  const last = lastShape
  if (last?.reserved === reserved && last.keys.length === keys.length) {
    if (keys.every((key, i) => key === last.keys[i])) return last.sorted
  }
  const maxEntries = CONTEXT_LIMITS.maxEntries + (reserved ? 1 : 0)
  if (keys.length > maxEntries) {
    throw invalid(name, `must have at most ${String(maxEntries)} entries`) // W1.4
  }
  for (const key of keys) {
    if (key === '') throw invalid(name, 'must have no empty key') // W1.3
    if (!reserved && isReserved(key)) {
      throw invalid(name, `must have no key that begins with ${RESERVED_CONTEXT_PREFIX}`) // W1.7
    }
  }
  checkFolded(name, keys)
  const sorted = keys.toSorted(compareUtf8) // W1.2: UTF-8 order, not UTF-16
  lastShape = { keys, reserved, sorted }
  return sorted
}

function isReserved(key: string): boolean {
  return foldAscii(key.slice(0, RESERVED_CONTEXT_PREFIX.length)) === RESERVED_CONTEXT_PREFIX
}

/** W1.8: some KMSs compare keys without case, two such keys would be one there. */
function checkFolded(name: MapName, keys: readonly string[]): void {
  if (new Set(keys.map(foldAscii)).size === keys.length) return
  throw invalid(name, 'must have no two keys that differ in case only')
}

function foldAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}

/** Returns the keys of a plain object of strings. */
export function keysOf(map: EncryptionContext, name: MapName = 'context'): string[] {
  // A Map, Headers or URLSearchParams has no own keys and would pass for the empty context.
  if (!isPlain(map)) throw invalid(name, `must be a plain object, got ${describe(map)}`)
  return Object.keys(map)
}

/** Returns where the text ends, or -1 if it has a lone surrogate. */
function writeLp16(out: Bytes, at: number, text: string): number {
  const end = writeUtf8(text, out, at + 2)
  if (end >= 0) writeU16(out, at, end - at - 2)
  return end
}

function writeU16(out: Bytes, at: number, value: number): number {
  out[at] = value >>> 8
  out[at + 1] = value & 0xff
  return at + 2
}

/** Returns the error of a value that is not a string. It names the key, and never shows the value. */
export function wrongValue(name: MapName, key: string, value: unknown): KmsError {
  const kind = typeof value === 'number' ? 'a number: write String(value)' : describe(value)
  return invalid(
    name,
    `must have strings as values: ${JSON.stringify(key.slice(0, 64))} is ${kind}`,
  )
}

function invalid(name: MapName, reason: string): KmsError {
  return new KmsError('ERR_CONTEXT_INVALID', { message: `the ${name} map ${reason}` })
}
