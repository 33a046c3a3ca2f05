import { isWellFormed, utf8Length } from '../../src/bytes/index.ts'
import { describe } from '../../src/checks/index.ts'

/** Longest key, bytes of UTF-8: the limit of R2 and S3. */
const MAX_KEY_BYTES = 1_024
const CONTROL = /[\u0000-\u001f\u007f]/
/** `URL` resolves them, also when they are escaped: the request would name another object. */
const DOT_SEGMENT = /(?:^|\/)\.{1,2}(?:\/|$)/

/**
 * Returns an object's key: 1 to 1,024 bytes of text, without control characters and without the segments `.`
 * and `..`.
 *
 * @throws TypeError, RangeError
 */
export function checkObjectKey(key: string): string {
  if (typeof key !== 'string') throw new TypeError(`key must be a string, got ${describe(key)}`)
  if (key === '' || !isWellFormed(key) || utf8Length(key) > MAX_KEY_BYTES || CONTROL.test(key)) {
    throw new RangeError('key must be 1 to 1024 bytes of text without control characters')
  }
  if (DOT_SEGMENT.test(key)) throw new RangeError('key must have no segment . or ..')
  return key
}

/** Whether {@link checkObjectKey} takes the key. */
export function isObjectKey(key: string): boolean {
  try {
    return checkObjectKey(key) === key
  } catch {
    return false
  }
}

/** Returns the key as the path of a URL: every character but the unreserved ones and `/` is escaped. */
export function pathOfKey(key: string): string {
  return key
    .split('/')
    .map((segment) => escapeAll(segment))
    .join('/')
}

/** Returns text for a URL with everything escaped that RFC 3986 does not call unreserved, as AWS signs it. */
export function escapeAll(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
