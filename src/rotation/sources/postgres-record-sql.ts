import { DATE_KEYS, type PostgresTable } from './postgres-table.ts'
import { condition, quoted, type TableColumns } from './table-options.ts'

/** Bytes travel as base64, which every client carries alike; PostgreSQL breaks its lines. */
const base64 = (column: string): string => `translate(encode(${column}, 'base64'), E'\\n', '')`
const list = (count: number, of: (at: string) => string, separator = ', '): string =>
  Array.from({ length: count }, (_, at) => of(String(at))).join(separator)

/** The statements of one source. Lists are arrays in one text parameter each. */
export class PostgresRecordSql {
  /** limit, a parameter for each part of the cursor */
  readonly next: string
  /** limit */
  readonly first: string
  /** a list for each part of the key */
  readonly read: string
  readonly #table: string
  readonly #columns: TableColumns
  readonly #facts: PostgresTable

  constructor(table: string, columns: TableColumns, facts: PostgresTable) {
    this.#table = table
    this.#columns = columns
    this.#facts = facts
    const { keyTypes } = facts
    const selected = this.#selected()
    const order = columns.key.map((name) => `t.${quoted(name)}`).join(', ')
    const page = (after: string): string =>
      `SELECT ${selected} FROM ${table} t WHERE ${after}${condition(columns.where)}
  ORDER BY ${order} LIMIT $1::int`
    const cursor = keyTypes.map((type, at) => `$${String(at + 2)}::text::${type}`).join(', ')
    this.first = page('true')
    this.next = page(`(${order}) > (${cursor})`)
    const count = keyTypes.length
    this.read = `SELECT u.at::int AS at, ${selected}
  FROM unnest(${list(count, (at) => `$${String(Number(at) + 1)}::text::text[]`)})
    WITH ORDINALITY AS u(${list(count, (at) => `k${at}`)}, at)
  JOIN ${table} t ON ${this.#isRow('u')}`
  }

  /**
   * Returns the statement that swaps values: a list for each part of the key, and two for each of the fields, expected
   * and next. It gives back `at`, from 1, and `m0`, `m1` …: 1 where the value was the expected one.
   *
   * One statement locks the rows in the order of their keys and changes them, so that two rotators, in whatever order
   * they walk, wait for each other and never in a circle. The comparison sees a locked row as it is now.
   *
   * @param fields - numbers of value columns
   */
  swap(fields: readonly number[]): string {
    const { keyTypes, areBytes } = this.#facts
    const count = keyTypes.length
    const order = this.#columns.key.map((name) => `t.${quoted(name)}`).join(', ')
    const decoded = (field: number, name: string): string =>
      areBytes[field] === true ? `decode(u.${name}, 'base64')` : `u.${name}`
    const pairs = fields.flatMap((_, at) => [`o${String(at)}`, `n${String(at)}`])
    const names = [...keyTypes.map((_, at) => `k${String(at)}`), ...pairs]
    const column = (field: number): string => quoted(this.#columns.values[field] as string)
    const collate = (field: number): string => (areBytes[field] === true ? '' : ' COLLATE "C"')
    const each = (of: (field: number, at: string) => string, separator = ', '): string =>
      fields.map((field, at) => of(field, String(at))).join(separator)
    return `WITH v AS MATERIALIZED (SELECT at, ${list(count, (at) => `u.k${at}::${keyTypes[Number(at)] ?? ''} AS k${at}`)},
    ${each((field, at) => `${decoded(field, `o${at}`)} AS o${at}, ${decoded(field, `n${at}`)} AS n${at}`)}
  FROM unnest(${names.map((_, at) => `$${String(at + 1)}::text::text[]`).join(', ')})
    WITH ORDINALITY AS u(${names.join(', ')}, at)),
held AS MATERIALIZED (SELECT v.*, ${each((field, at) => `t.${column(field)} = v.o${at}${collate(field)} AS m${at}`)}
  FROM v JOIN ${this.#table} t ON ${this.#isRow('v', '')} ORDER BY ${order} FOR NO KEY UPDATE OF t),
done AS (UPDATE ${this.#table} t
  SET ${each((field, at) => `${column(field)} = CASE WHEN h.m${at} THEN h.n${at} ELSE t.${column(field)} END`)}
  FROM held h WHERE ${this.#isRow('h', '')} AND (${each((_, at) => `h.m${at}`, ' OR ')})
  RETURNING h.at::int AS at, ${each((_, at) => `coalesce(h.m${at}, false)::int AS m${at}`)})
SELECT * FROM done`
  }

  #selected(): string {
    const { key, values, facts } = this.#columns
    const { keyTypes, areBytes } = this.#facts
    const column = (name: string): string => `t.${quoted(name)}`
    const isDate = (at: number): boolean => DATE_KEYS.includes(keyTypes[at] ?? '')
    return [
      ...key.map((name, at) =>
        isDate(at)
          ? `to_json(${column(name)}) #>> '{}' AS k${String(at)}`
          : `${column(name)}::text AS k${String(at)}`,
      ),
      ...values.map((name, at) =>
        areBytes[at] === true
          ? `${base64(column(name))} AS v${String(at)}`
          : `${column(name)}::text AS v${String(at)}`,
      ),
      ...facts.map((name, at) => `${column(name)}::text AS f${String(at)}`),
    ].join(', ')
  }

  /** Whether a row is the one of a list's element. */
  #isRow(from: string, cast?: ''): string {
    const { keyTypes } = this.#facts
    return this.#columns.key
      .map((name, at) => {
        const type = cast ?? `::${keyTypes[at] ?? ''}`
        return `t.${quoted(name)} = ${from}.k${String(at)}${type}`
      })
      .join(' AND ')
  }
}
