import { type Bytes, encodeBase64Url } from '../bytes/index.ts'
import {
  CONTEXT_LIMITS,
  DATA_KEY_CONTEXT_KEY,
  encodeContext,
  type EncryptionContext,
  keysOf,
  RESERVED_CONTEXT_PREFIX,
  wrongValue,
} from './context-encoding.ts'

/** A map that was checked, its canonical bytes, and an id that is equal if and only if the maps are. */
export interface CanonicalContext {
  /** Frozen, without a prototype. */
  readonly map: EncryptionContext
  /** Its entries. */
  readonly size: number
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
    if (typeof value !== 'string') throw wrongValue('context', key, value)
    id += `${String(key.length)}:${key}${String(value.length)}:${value}`
  }
  return id
}

/**
 * Whether a caller's map has exactly the entries of a canonical one.
 *
 * @throws KmsError `ERR_CONTEXT_INVALID`
 */
export function contextEquals(
  map: EncryptionContext | undefined,
  canonical: CanonicalContext,
): boolean {
  if (map === undefined) return canonical.size === 0
  const keys = keysOf(map)
  for (const key of keys) {
    const value = map[key] as unknown
    // An undefined value would equal that of a key which the other map does not have.
    if (typeof value !== 'string') throw wrongValue('context', key, value)
    if (value !== canonical.map[key]) return false
  }
  return keys.length === canonical.size
}

/** A map without a prototype: `__proto__` is a key like any other (W1.12). */
export function frozenMap(
  entries: Iterable<readonly [string, string]>,
): Readonly<Record<string, string>> {
  const map = Object.create(null) as Record<string, string>
  for (const [key, value] of entries) map[key] = value
  return Object.freeze(map)
}

/**
 * Checks a context and makes its canonical form.
 *
 * @throws KmsError `ERR_CONTEXT_INVALID`
 */
export function canonicalContext(map: EncryptionContext = {}): CanonicalContext {
  const keys = keysOf(map) // null is refused: only an absent map is the empty one
  const copy = frozenMap(keys.map((key) => [key, map[key] as string]))
  const bytes = encodeContext(copy, CONTEXT_LIMITS.maxContextBytes)
  return { map: copy, size: keys.length, bytes, id: contextId(copy) }
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
  // W1.13: the wrap belongs to this very data key, so a leaked DEK cannot come back under a new age.
  const dataKey = `${encodeBase64Url(salt)}.${String(createdAtMs)}`
  return frozenMap([...Object.entries(context), [DATA_KEY_CONTEXT_KEY, dataKey]])
}

/**
 * Returns the entries that the caller gave, without those of the format. Frozen, without a prototype.
 *
 * @throws KmsError `ERR_CONTEXT_INVALID` for anything but a plain object of strings
 */
export function callersContext(k: EncryptionContext): EncryptionContext {
  const own = keysOf(k).filter((key) => !key.toLowerCase().startsWith(RESERVED_CONTEXT_PREFIX))
  return frozenMap(
    own.map((key) => {
      const value = k[key] as unknown
      if (typeof value !== 'string') throw wrongValue('context', key, value)
      return [key, value]
    }),
  )
}
