import {
  type Bytes,
  compareBytes,
  encodeBase64Url,
  encodeUtf8,
  isWellFormed,
} from '../bytes/index.ts'
import { KmsError } from '../errors.ts'

/**
 * A map of strings that belongs to the data key: what the KMS sees and may log in clear, and what
 * must be given again, exactly, to decrypt. The same shape serves as `aad`, which belongs to one
 * message and never leaves the process.
 */
export type EncryptionContext = Readonly<Record<string, string>>

/** Limits of one encoded map: `docs/wire-format.md` section 1. */
export const CONTEXT_LIMITS = {
  maxEntries: 64,
  maxContextBytes: 4_096,
  maxAadBytes: 8_192,
} as const

/** Keys that begin so are ours; the comparison is case-sensitive. */
export const RESERVED_CONTEXT_PREFIX = 'edge-kms:'

/** Ties a wrap to one data key, and joins our audit log with the KMS's. */
export const DATA_KEY_CONTEXT_KEY = 'edge-kms:dk'

/** A map that was checked, its canonical bytes, and an id that is equal if and only if the maps are. */
export interface CanonicalContext {
  /** Frozen, without a prototype. */
  readonly map: EncryptionContext
  /** ctx(map) of the wire format. */
  readonly bytes: Bytes
  /** For maps in memory only; computed without encoding, so that a cached use stays cheap. */
  readonly id: string
}

/**
 * An id that is injective over maps of strings, made without encoding or validation. Two maps with
 * the same entries in another order have the same id.
 */
export function contextId(map: EncryptionContext | undefined): string {
  if (map === undefined) return ''
  const keys = keysOf(map)
  if (keys.length > 1) keys.sort()
  let id = ''
  for (const key of keys) {
    const value = map[key] as unknown
    if (typeof value !== 'string') throw invalid('every value must be a string')
    id += `${String(key.length)}:${key}${String(value.length)}:${value}`
  }
  return id
}

/**
 * Checks a context and makes its canonical form.
 *
 * @throws KmsError `ERR_CONTEXT_INVALID`
 */
export function canonicalContext(map: EncryptionContext | undefined): CanonicalContext {
  const bytes = encodeContext(map, CONTEXT_LIMITS.maxContextBytes)
  const copy = Object.create(null) as Record<string, string> // W1.12
  if (map !== undefined) for (const key of keysOf(map)) copy[key] = map[key] as string
  return { map: Object.freeze(copy), bytes, id: contextId(map) }
}

/**
 * ctx(map): u16 count, then for each entry in the order of its key's UTF-8 bytes lp16(key), lp16(value).
 * An absent map is the empty map.
 *
 * @param maxBytes - limit of the whole output
 * @throws KmsError `ERR_CONTEXT_INVALID`
 */
export function encodeContext(map: EncryptionContext | undefined, maxBytes: number): Bytes {
  return encodeEntries(map, maxBytes, false)
}

/**
 * K of the wire format: the context plus `edge-kms:dk`, which no caller can set.
 *
 * @throws KmsError `ERR_CONTEXT_INVALID`
 */
export function kmsContext(
  context: EncryptionContext,
  salt: Uint8Array,
  createdAtMs: number,
): EncryptionContext {
  const map = Object.create(null) as Record<string, string>
  for (const key of keysOf(context)) map[key] = context[key] as string
  // W1.13: the wrap belongs to this very data key, so a leaked DEK cannot come back under a new age.
  map[DATA_KEY_CONTEXT_KEY] = `${encodeBase64Url(salt)}.${String(createdAtMs)}`
  return Object.freeze(map)
}

/** ctx(K): as {@link encodeContext}, for the map of {@link kmsContext}, for providers that bind bytes. */
export function encodeKmsContext(k: EncryptionContext): Bytes {
  return encodeEntries(k, CONTEXT_LIMITS.maxContextBytes + 128, true)
}

interface Entry {
  readonly key: Bytes
  readonly value: Bytes
}

function encodeEntries(
  map: EncryptionContext | undefined,
  maxBytes: number,
  reserved: boolean,
): Bytes {
  if (map === undefined) return new Uint8Array(2)
  const keys = keysOf(map)
  if (keys.length === 0) return new Uint8Array(2)
  const maxEntries = CONTEXT_LIMITS.maxEntries + (reserved ? 1 : 0)
  if (keys.length > maxEntries) throw invalid('too many entries') // W1.4
  const folded = new Set<string>()
  const entries: Entry[] = []
  let length = 2
  for (const key of keys) {
    const value = map[key] as unknown
    if (typeof value !== 'string') throw invalid('every value must be a string') // W1.9
    checkKey(key, folded, reserved)
    if (!isWellFormed(key) || !isWellFormed(value)) throw invalid('a lone surrogate') // W1.10
    const entry = { key: encodeUtf8(key), value: encodeUtf8(value) }
    length += 4 + entry.key.length + entry.value.length
    if (length > maxBytes) throw invalid(`more than ${String(maxBytes)} bytes`) // W1.5, W1.6
    entries.push(entry)
  }
  entries.sort((a, b) => compareBytes(a.key, b.key)) // W1.2: UTF-8 order, not UTF-16
  const out = new Uint8Array(length)
  let at = writeU16(out, 0, entries.length) // W1.1
  for (const { key, value } of entries) {
    at = writeU16(out, at, key.length)
    out.set(key, at)
    at = writeU16(out, at + key.length, value.length)
    out.set(value, at)
    at += value.length
  }
  return out
}

function checkKey(key: string, folded: Set<string>, reserved: boolean): void {
  if (key === '') throw invalid('a key is empty') // W1.3
  if (!reserved && key.startsWith(RESERVED_CONTEXT_PREFIX)) {
    // W1.7
    throw invalid(`keys that begin with ${RESERVED_CONTEXT_PREFIX} are reserved`)
  }
  // W1.8: some KMSs compare keys without case, two such keys would be one there.
  const fold = key.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
  if (folded.has(fold)) throw invalid('two keys differ in case only')
  folded.add(fold)
}

function keysOf(map: EncryptionContext): string[] {
  // A Map, Headers or URLSearchParams has no own keys and would pass for the empty context.
  if (typeof map !== 'object' || map === (null as unknown)) throw invalid('not an object')
  const prototype = Object.getPrototypeOf(map) as unknown
  if (prototype !== Object.prototype && prototype !== null) throw invalid('not a plain object')
  return Object.keys(map)
}

function writeU16(out: Bytes, at: number, value: number): number {
  out[at] = value >>> 8
  out[at + 1] = value & 0xff
  return at + 2
}

function invalid(reason: string): KmsError {
  return new KmsError('ERR_CONTEXT_INVALID', {
    message: `the context or aad map is not valid: ${reason}`,
  })
}
