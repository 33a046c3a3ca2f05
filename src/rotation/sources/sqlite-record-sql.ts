import { condition, quoted, type TableColumns } from './table-options.ts'

/** The kind of every change of one statement. */
export type SwapKind = 'bytes' | 'text'

const column = (name: string): string => `t.${quoted(name)}`

/** The statements of one source. Lists are one parameter in JSON, because D1 takes at most 100 parameters. */
export class SqliteRecordSql {
  /** limit */
  readonly first: string
  /** a parameter for each part of the cursor, limit */
  readonly next: string
  /** a JSON array of keys, each an array of its parts */
  readonly read: string
  /** the table's name; a row for each column */
  readonly columns: string =
    'SELECT name, type, pk, "notnull" AS required FROM pragma_table_xinfo(?)'
  /** the table's name; a row for each column of each unique index */
  readonly uniques: string = `SELECT l.name AS "index", i.name AS "column"
  FROM pragma_index_list(?) l JOIN pragma_index_info(l.name) i WHERE l."unique" AND NOT l.partial`
  readonly #table: string
  readonly #columns: TableColumns

  constructor(table: string, columns: TableColumns) {
    this.#table = quoted(table, 'table')
    this.#columns = columns
    const order = columns.key.map(column).join(', ')
    const selected = selectedOf(columns)
    const page = (after: string): string =>
      `SELECT ${selected} FROM ${this.#table} AS t WHERE ${after}${condition(columns.where)}
  ORDER BY ${order} LIMIT CAST(? AS INTEGER)`
    this.first = page('true')
    this.next = page(`(${order}) > (${columns.key.map(() => '?').join(', ')})`)
    this.read = `SELECT j.key AS at, ${selected} FROM json_each(?) AS j
  JOIN ${this.#table} AS t ON ${this.#isRow((part) => `j.value ->> ${String(part)}`)}`
  }

  /**
   * Returns the statement that swaps the values of one field in many rows: one JSON array of arrays of the key's parts,
   * expected and next. It gives back the key of each row that it changed.
   */
  swapMany(field: string, kind: SwapKind): string {
    const count = this.#columns.key.length
    const given = (at: number): string => {
      const text = `j.value ->> ${String(at)}`
      return kind === 'bytes' ? `unhex(${text})` : text
    }
    return `UPDATE ${this.#table} AS t SET ${quoted(field)} = ${given(count + 1)} FROM json_each(?) AS j
  WHERE ${this.#isRow((part) => `j.value ->> ${String(part)}`)} AND ${column(field)} = ${given(count)} COLLATE BINARY
  ${this.#returning()}`
  }

  /** Returns the statement that swaps one value: next, the key's parts, expected. */
  swapOne(field: string): string {
    return `UPDATE ${this.#table} AS t SET ${quoted(field)} = ?
  WHERE ${this.#isRow(() => '?')} AND ${column(field)} = ? COLLATE BINARY ${this.#returning()}`
  }

  /** SQLite's RETURNING does not know the alias of the table. */
  #returning(): string {
    const keys = this.#columns.key.map(
      (name, at) => `CAST(${quoted(name)} AS TEXT) AS k${String(at)}`,
    )
    return `RETURNING ${keys.join(', ')}`
  }

  #isRow(part: (at: number) => string): string {
    return this.#columns.key.map((name, at) => `${column(name)} = ${part(at)}`).join(' AND ')
  }
}

/** Integers as text: a driver may round them, or refuse those above 2^53. */
function selectedOf({ key, values, facts }: TableColumns): string {
  return [
    ...key.map((name, at) => `CAST(${column(name)} AS TEXT) AS k${String(at)}`),
    ...values.map((name, at) => {
      const isNumber = `typeof(${column(name)}) IN ('integer', 'real')`
      return `CASE WHEN ${isNumber} THEN CAST(${column(name)} AS TEXT) ELSE ${column(name)} END AS v${String(at)}`
    }),
    ...facts.map((name, at) => {
      const bytes = `'\\x' || lower(hex(${column(name)}))`
      return `CASE typeof(${column(name)}) WHEN 'blob' THEN ${bytes} ELSE CAST(${column(name)} AS TEXT) END AS f${String(at)}`
    }),
  ].join(', ')
}
