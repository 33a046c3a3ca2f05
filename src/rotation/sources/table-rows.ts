import { configError } from '../../checks/index.ts'
import { columnOf } from '../../stores/index.ts'
import type { RotationRecord, StoredValue } from '../record-source.ts'
import { idOf } from './record-ids.ts'
import { checkId } from './source-options.ts'
import type { TableColumns } from './table-options.ts'

/** How a row of a statement becomes a record: its columns are `k0`, `k1` …, `v0` …, `f0` …. */
export interface RowReader {
  readonly columns: TableColumns
  /** For errors, e.g. `table "files"`. */
  readonly place: string
  /** Returns a value that is not `null`, by the number of its column. */
  readonly valueOf: (stored: unknown, at: number) => StoredValue
  readonly unreadable: () => Error
}

/**
 * Returns a row as a record.
 *
 * @throws what `unreadable` returns, for an invalid row; KmsError `ERR_KMS_CONFIG` for a key that cannot be an id
 */
export function recordOfRow(row: unknown, reader: RowReader): RotationRecord {
  const { columns, place, valueOf } = reader
  const values = columns.values.map((name, at) => {
    const stored = columnOf(row, `v${String(at)}`) ?? null
    return [name, stored === null ? null : valueOf(stored, at)]
  })
  const facts = columns.facts.map((name, at) => [name, columnOf(row, `f${String(at)}`) ?? null])
  return {
    id: checkId(idOf(keyOfRow(row, reader)), place),
    values: Object.fromEntries(values) as RotationRecord['values'],
    ...(facts.length > 0 && { facts: Object.fromEntries(facts) as Record<string, unknown> }),
  }
}

/** Returns the parts of the row's key, as text. SQLite has rows without a key: they cannot be found again. */
export function keyOfRow(
  row: unknown,
  { columns, place, unreadable }: RowReader,
): readonly string[] {
  return columns.key.map((name, at) => {
    const part = columnOf(row, `k${String(at)}`)
    if (part === null) {
      throw configError(
        `${place} has a row whose "${name}" is NULL: give it a key, or exclude it by where`,
      )
    }
    if (typeof part !== 'string') throw unreadable()
    return part
  })
}
