import { utf8Length } from '../bytes/index.ts'
import { describe } from '../checks/index.ts'
import { KmsError } from '../errors.ts'
import type { RecordPage, RotationRecord } from './record-source.ts'

/** The longest cursor, characters. */
export const MAX_CURSOR = 1_024
const MAX_ID_BYTES = 1_024

/**
 * Returns the page of a source if it has the shape that its interface promises. A source is code of others: what is
 * passed over here would count as an empty value, and a retirement would destroy its key.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function checkPage(source: string, page: RecordPage): RecordPage {
  const { records, cursor } = Object(page) as Partial<RecordPage>
  if (!Array.isArray(records) || !isCursor(cursor)) {
    const expected = `records, and a cursor of at most ${String(MAX_CURSOR)} characters`
    throw wrongAnswer(source, 'page', expected)
  }
  for (const record of records) checkRecord(source, 'page', record)
  return page
}

/** Whether it is a cursor, or absent. */
export function isCursor(cursor: unknown): boolean {
  return cursor === undefined || (typeof cursor === 'string' && cursor.length <= MAX_CURSOR)
}

/**
 * Returns the records of these ids if the source answered them in order, `undefined` where there is none.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function checkRecords(
  source: string,
  ids: readonly string[],
  records: readonly (RotationRecord | undefined)[],
): readonly (RotationRecord | undefined)[] {
  const given: readonly unknown[] = Array.isArray(records) ? records : []
  const isInOrder = ids.every(
    (id, i) => given[i] === undefined || (Object(given[i]) as Partial<RotationRecord>).id === id,
  )
  if (given.length !== ids.length || !isInOrder)
    throw wrongAnswer(source, 'read', 'one record or undefined for each id, in order')
  for (const record of given) if (record !== undefined) checkRecord(source, 'read', record)
  return records
}

function checkRecord(source: string, call: 'page' | 'read', record: unknown): void {
  const { id, values } = Object(record) as Partial<RotationRecord>
  if (typeof id !== 'string' || utf8Length(id) > MAX_ID_BYTES)
    throw wrongAnswer(source, call, `ids of at most ${String(MAX_ID_BYTES)} bytes of UTF-8`)
  if (Object(values) !== values) throw wrongAnswer(source, call, 'the values of each record')
  for (const [field, value] of Object.entries(values as object)) {
    if (value === null || typeof value === 'string' || value instanceof Uint8Array) continue
    const expected = `bytes, text or null for each field, got ${describe(value)} for ${field}`
    throw wrongAnswer(source, call, expected)
  }
}

function wrongAnswer(source: string, call: string, expected: string): KmsError {
  const message = `source ${source}: ${call} must answer ${expected}`
  return new KmsError('ERR_KMS_CONFIG', { message })
}
