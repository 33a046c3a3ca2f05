import { type Bytes, isWellFormed, toBytes, utf8Length } from '../bytes/index.ts'
import { wrongOption } from '../checks/index.ts'
import type { DataKeyPage, KeyValueCapabilities } from '../ports/index.ts'

/** Longest key with its prefix, bytes of UTF-8: what Workers KV takes, the shortest limit of all. */
export const MAX_KEY_BYTES = 512
/** Largest value, bytes: twice the largest data-key record of the wire format. */
export const MAX_VALUE_BYTES = 131_072
/** Longest time to live: a year of 366 days, milliseconds. */
export const MAX_TTL_MS = 31_622_400_000
/** Most keys in one page of a list. */
export const MAX_PAGE = 1_000

/** Characters that break logs, URLs, or SQLite, whose text ends at NUL. */
const CONTROL = /[\u0000-\u001f\u007f]/
const DATA_KEY_NAME = /^ek1\/[\w-]{43}$/

/** Returns the capabilities of a store, frozen: the usual limits, and what differs from them. */
export function capabilitiesOf(
  differing: Pick<KeyValueCapabilities, 'consistency' | 'compareAndSwap'> &
    Partial<KeyValueCapabilities>,
): KeyValueCapabilities {
  return Object.freeze({
    minTtlMs: 0,
    maxKeyBytes: MAX_KEY_BYTES,
    maxValueBytes: MAX_VALUE_BYTES,
    ...differing,
  })
}

/**
 * Returns a key-value store's key: text of 1 to `maxBytes` bytes without control characters.
 *
 * @throws TypeError, RangeError
 */
export function checkKey(key: string, maxBytes: number): string {
  if (typeof key !== 'string') throw new TypeError('a key must be a string')
  if (key === '' || !isWellFormed(key) || CONTROL.test(key) || utf8Length(key) > maxBytes) {
    throw new RangeError(
      `a key must be 1 to ${String(maxBytes)} bytes of text without control characters`,
    )
  }
  return key
}

/**
 * Returns a value of at most `maxBytes` bytes; it is not copied.
 *
 * @throws TypeError, RangeError
 */
export function checkValue(value: Bytes, maxBytes: number): Bytes {
  const bytes = toBytes(value, 'a value')
  if (bytes.length > maxBytes)
    throw new RangeError(`a value must be at most ${String(maxBytes)} bytes`)
  return bytes
}

/**
 * Returns a time to live in whole milliseconds, rounded up.
 *
 * @throws RangeError
 */
export function checkTtl(ttlMs: number): number {
  if (typeof ttlMs !== 'number' || !(ttlMs > 0 && ttlMs <= MAX_TTL_MS)) {
    throw new RangeError(`ttlMs must be above 0 and at most ${String(MAX_TTL_MS)}`)
  }
  return Math.ceil(ttlMs)
}

/**
 * Returns the prefix of every key: at most 128 bytes of visible ASCII.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function checkPrefix(prefix: string): string {
  // ASCII alone, so that its length is that of its bytes.
  if (typeof prefix !== 'string' || !/^[\x21-\x7e]{0,128}$/.test(prefix)) {
    throw wrongOption('prefix', 'at most 128 visible ASCII characters', prefix)
  }
  return prefix
}

/**
 * Returns the key of a data-key record: `ek1/` and 43 characters (W4.27).
 *
 * @throws RangeError
 */
export function checkDataKeyName(key: string): string {
  if (typeof key !== 'string' || !DATA_KEY_NAME.test(key)) {
    throw new RangeError('a data key is named by ek1/ and 43 characters of base64url')
  }
  return key
}

/**
 * Refuses a wrong cursor, and a page of fewer than 1 or more than 1,000 keys.
 *
 * @throws RangeError
 */
export function checkPage(cursor: string | undefined, limit: number): void {
  if (cursor !== undefined) checkDataKeyName(cursor)
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE) {
    throw new RangeError(`a page has 1 to ${String(MAX_PAGE)} keys`)
  }
}

/**
 * Returns one page of keys, with a cursor if there are more.
 *
 * @param found - up to `limit + 1` keys, in order: one more than asked for shows that there is a next page
 * @throws what `unreadable` returns, for keys that are not names of data keys
 */
export function pageOf(
  found: readonly unknown[],
  limit: number,
  unreadable: () => Error,
): DataKeyPage {
  const keys = found.slice(0, limit).map((key) => {
    if (typeof key !== 'string' || !DATA_KEY_NAME.test(key)) throw unreadable()
    return key
  })
  const last = keys.at(-1)
  return found.length > limit && last !== undefined ? { keys, cursor: last } : { keys }
}
