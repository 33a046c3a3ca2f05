import { copyBytes, utf8Length } from '../../bytes/index.ts'
import { configError, refuseOthers, wrongOption } from '../../checks/index.ts'
import type { Network } from '../../ports/index.ts'
import { StoreCalls } from '../../stores/index.ts'
import type { RecordChange, StoredValue } from '../record-source.ts'

/** Options of every source. */
export interface SourceCallOptions {
  /**
   * Names the source in state, counts and failures: 1 to 64 letters, digits, `.`, `_` and `-`. By default the name of
   * its table, with `_` for every other character.
   */
  readonly name?: string
  /** How long the backend may take for one call, milliseconds; 30,000 by default, at most 60,000. */
  readonly timeoutMs?: number
  readonly network?: Network
}

/** Most records of one page. */
export const MAX_RECORDS = 1_000
/** Longest id, bytes of UTF-8. */
export const MAX_ID_BYTES = 1_024
const DEFAULT_TIMEOUT_MS = 30_000
const NAME = /^[\w.-]{1,64}$/

/**
 * Returns the name of a source.
 *
 * @param standard - what it is named after if the caller gave no name
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function sourceName(name: string | undefined, standard: string): string {
  if (name === undefined) return standard.replaceAll(/[^\w.-]/g, '_').slice(0, 64)
  if (typeof name === 'string' && NAME.test(name)) return name
  throw wrongOption('name', '1 to 64 letters, digits, `.`, `_` and `-`', name)
}

/**
 * Returns the bounded calls of a source.
 *
 * @param options - those that nothing else took; unknown ones are refused
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function sourceCalls(provider: string, options: object): StoreCalls {
  return new StoreCalls(provider, callOptions(options))
}

/** Returns the options of a call with the deadline of a page, which takes longer than one value does. */
export function callOptions(options: object): { timeoutMs?: number; network?: Network } {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, network, ...others } = options as SourceCallOptions
  refuseOthers(others)
  return { timeoutMs, ...(network !== undefined && { network }) }
}

/**
 * Refuses a page of fewer than 1 or more than 1,000 records.
 *
 * @throws RangeError
 */
export function checkLimit(limit: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_RECORDS) return
  throw new RangeError(`a page has 1 to ${String(MAX_RECORDS)} records`)
}

/**
 * Returns an id that the contract of a source allows.
 *
 * @param place - for the error, e.g. `table "files"`
 * @throws KmsError `ERR_KMS_CONFIG` if it is longer than a failure or a cursor may be
 */
export function checkId(id: string, place: string): string {
  if (id.length <= MAX_ID_BYTES && utf8Length(id) <= MAX_ID_BYTES) return id
  throw configError(
    `${place} has a key of more than ${String(MAX_ID_BYTES)} bytes: rotate it by iterableSource, under shorter ids`,
  )
}

/**
 * Refuses changes that cannot be swaps: of another field, or of bytes into text.
 *
 * @throws TypeError, RangeError
 */
export function checkChanges(changes: readonly RecordChange[], fields: readonly string[]): void {
  for (const { id, field, expected, next } of changes) {
    if (typeof id !== 'string') throw new TypeError('an id must be a string')
    if (!fields.includes(field)) throw new RangeError('a change must name a field of the source')
    if (kindOf(expected) !== kindOf(next)) {
      throw new TypeError('expected and next must both be bytes, or both be text')
    }
  }
}

/** Returns `bytes` or `text`. */
export function kindOf(value: StoredValue): 'bytes' | 'text' {
  if (value instanceof Uint8Array) return 'bytes'
  if (typeof value === 'string') return 'text'
  throw new TypeError('a value must be a Uint8Array or a string')
}

/** Returns a value that nobody else can change. */
export function copyOf(value: StoredValue): StoredValue {
  return typeof value === 'string' ? value : copyBytes(value)
}
