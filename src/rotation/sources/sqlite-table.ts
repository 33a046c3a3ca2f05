import { configError } from '../../checks/index.ts'
import { columnOf } from '../../stores/index.ts'
import type { TableColumns } from './table-options.ts'

/**
 * Checks the answers of `SqliteRecordSql`'s `columns` and `uniques`: a row must be found again by its key.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function demandSqliteTable(
  table: string,
  { key, values, facts }: TableColumns,
  columns: readonly unknown[],
  uniques: readonly unknown[],
): void {
  const refuse = (says: string): Error => configError(`table ${table} ${says}`)
  if (columns.length === 0) throw refuse('was not found: create it, or correct table')
  const types = new Map(columns.map((row) => [columnOf(row, 'name'), columnOf(row, 'type')]))
  const missing = [...key, ...values, ...facts].find((name) => !types.has(name))
  if (missing !== undefined) throw refuse(`has no column "${missing}"`)
  const untyped = key.find((name) => hasNoAffinity(types.get(name)))
  if (untyped !== undefined) {
    // SQLite compares an integer without a declared type with text as unequal.
    throw refuse(`column "${untyped}" of key must be declared as TEXT or INTEGER`)
  }
  const primary = columns.filter((row) => Number(columnOf(row, 'pk')) > 0)
  const sets = [primary.map((row) => columnOf(row, 'name')), ...indexesOf(uniques)]
  const isUnique = sets.some(
    (set) => set.length > 0 && set.every((one) => key.includes(one as string)),
  )
  if (!isUnique) throw refuse('needs a primary key or a unique index of the columns of key')
}

/** @see https://www.sqlite.org/datatype3.html#determination_of_column_affinity */
function hasNoAffinity(type: unknown): boolean {
  if (typeof type !== 'string') return true
  return /^$|blob|^any$/i.test(type) && !/int|char|clob|text/i.test(type)
}

function indexesOf(rows: readonly unknown[]): readonly (readonly unknown[])[] {
  const indexes = new Map<unknown, unknown[]>()
  for (const row of rows) {
    const index = columnOf(row, 'index')
    const columns = indexes.get(index) ?? []
    columns.push(columnOf(row, 'column'))
    indexes.set(index, columns)
  }
  return [...indexes.values()]
}
