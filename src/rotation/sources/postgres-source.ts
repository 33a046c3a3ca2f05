import { decodeBase64 } from '../../bytes/index.ts'
import { oneOf, plainOptions } from '../../checks/index.ts'
import { columnOf } from '../../stores/index.ts'
import { type PostgresClient, PostgresQueries } from '../../stores/postgres-query.ts'
import type {
  RecordChange,
  RecordPage,
  RotationRecord,
  SourceOptions,
  SwapOutcome,
  ValueSource,
} from '../record-source.ts'
import { changeRounds, outcomesOf } from './change-rounds.ts'
import { PostgresRecordSql } from './postgres-record-sql.ts'
import { keyLists, swapCall } from './postgres-swap.ts'
import {
  demandDurableTable,
  DESCRIBE,
  type PostgresTable,
  postgresTable,
} from './postgres-table.ts'
import { partsOf } from './record-ids.ts'
import { callOptions, checkChanges, checkLimit, sourceName } from './source-options.ts'
import { quoted, tableColumns, type TableColumns, type TableOptions } from './table-options.ts'
import { recordOfRow, type RowReader } from './table-rows.ts'

/** Options of {@link postgresSource}. */
export interface PostgresSourceOptions extends TableOptions {
  /** A pool or client of node-postgres, of `@neondatabase/serverless`, or PGlite. It must speak to the primary. */
  readonly client: PostgresClient
  /** The table's schema; without it the `search_path` decides. */
  readonly schema?: string
  /**
   * `checked` (default): before its first write the source verifies that the database waits for the disk (`fsync`,
   * `synchronous_commit`) and that the table survives a crash; otherwise it refuses to write. `declared`: you
   * guarantee this yourself.
   */
  readonly durability?: 'checked' | 'declared'
}

/** Facts that the first call reads from the catalogue. */
interface Known {
  readonly table: PostgresTable
  readonly sql: PostgresRecordSql
  readonly row: unknown
}

/** Completes "table NAME …", for failures that a retry cannot mend. The columns were checked. */
const FAULTS: Readonly<Record<string, string>> = {
  '22001': 'has a column that is too short for a rewrapped message: widen it',
  '22P02': 'has no such key: the cursor or an id is of another table',
  '23514': 'has a CHECK that refuses a rewrapped message: widen it',
  '42P01': 'was not found: was it dropped?',
  '42601': 'cannot be read with this where: correct its syntax',
  '42703': 'has no column that where names: correct it',
  '42804': 'cannot be read with this where: it must be a condition',
  '42883': 'cannot be read with this where: correct its types',
}

/**
 * Returns a table of PostgreSQL as a source: any table with a primary key or a unique index of text, varchar, uuid,
 * integer or date columns, and one or several encrypted columns of type bytea, text or varchar.
 *
 * Each call is one statement. A swap locks its rows in the order of their keys, so rotators and other sources do not
 * deadlock; it retries after a deadlock with one of your own transactions.
 *
 * @throws KmsError `ERR_KMS_CONFIG`; the first call, if the table or a column is not as the options say
 *
 * @example
 * ```ts
 * import { postgresSource } from 'edge-kms/rotation'
 * import type { PostgresClient } from 'edge-kms/stores'
 *
 * export const patientsOf = (client: PostgresClient) =>
 *   postgresSource({
 *     client,
 *     table: 'patients',
 *     key: ['id'],
 *     values: ['diagnosis', 'notes'],
 *     facts: ['tenant_id', 'id'],
 *   })
 * ```
 */
export function postgresSource(options: PostgresSourceOptions): ValueSource {
  return new PostgresSource(options)
}

class PostgresSource implements ValueSource {
  readonly kind = 'values'
  readonly name: string
  readonly #place: string
  readonly #columns: TableColumns
  readonly #queries: PostgresQueries
  #known: Known | undefined
  #durable: boolean

  constructor(options: PostgresSourceOptions) {
    const { client, schema, table, name, durability = 'checked', ...more } = plainOptions(options)
    const { key, values, facts, where, ...common } = more
    oneOf('durability', durability, ['checked', 'declared'])
    const of = schema === undefined ? '' : `${quoted(schema, 'schema')}.`
    this.#place = `${of}${quoted(table, 'table')}`
    this.name = sourceName(name, table)
    this.#columns = tableColumns({ key, values, facts, where })
    this.#queries = new PostgresQueries(client, this.#place, callOptions(common), FAULTS)
    this.#durable = durability === 'declared'
  }

  async page(
    cursor: string | undefined,
    limit: number,
    { signal }: SourceOptions,
  ): Promise<RecordPage> {
    checkLimit(limit)
    const { key } = this.#columns
    const parts = cursor === undefined ? undefined : partsOf(cursor, key.length)
    const { table, sql } = await this.#learn(signal)
    const text = parts === undefined ? sql.first : sql.next
    const rows = await this.#queries.rows('page', signal, text, limit, ...(parts ?? []))
    const records = rows.map((row) => this.#recordOf(row, table))
    const last = records.at(-1)
    return records.length < limit || last === undefined ? { records } : { records, cursor: last.id }
  }

  async read(
    ids: readonly string[],
    { signal }: SourceOptions,
  ): Promise<readonly (RotationRecord | undefined)[]> {
    const lists = keyLists(ids, this.#columns.key.length)
    if (ids.length === 0) return []
    const { table, sql } = await this.#learn(signal)
    const rows = await this.#queries.rows('read', signal, sql.read, ...lists)
    const found = new Map(
      rows.map((row) => [columnOf(row, 'at'), this.#recordOf(row, table)] as const),
    )
    return ids.map((_, at) => found.get(at + 1))
  }

  async swap(
    changes: readonly RecordChange[],
    { signal }: SourceOptions,
  ): Promise<readonly SwapOutcome[]> {
    checkChanges(changes, this.#columns.values)
    const swapped = new Set<number>()
    if (changes.length === 0) return []
    const { table, sql, row } = await this.#learn(signal)
    this.#demandDurable(row)
    for (const round of changeRounds(changes)) {
      const call = swapCall(round, this.#columns, table)
      const text = sql.swap(call.fields)
      call.note(await this.#queries.rows('swap', signal, text, ...call.lists), swapped)
    }
    return outcomesOf(changes.length, swapped)
  }

  #recordOf(row: unknown, { areBytes }: PostgresTable): RotationRecord {
    const unreadable = (): Error => this.#queries.calls.unreadable('page')
    const reader: RowReader = {
      columns: this.#columns,
      place: `table ${this.#place}`,
      unreadable,
      valueOf: (stored, at) => {
        if (typeof stored !== 'string') throw unreadable()
        const value = areBytes[at] === true ? decodeBase64(stored) : stored
        if (value === undefined) throw unreadable()
        return value
      },
    }
    return recordOfRow(row, reader)
  }

  async #learn(signal: AbortSignal | undefined): Promise<Known> {
    if (this.#known !== undefined) return this.#known
    const [row] = await this.#queries.rows('describe', signal, DESCRIBE, this.#place)
    const table = postgresTable(this.#place, this.#columns, row)
    const sql = new PostgresRecordSql(this.#place, this.#columns, table)
    this.#known = { table, sql, row }
    return this.#known
  }

  #demandDurable(row: unknown): void {
    if (!this.#durable) demandDurableTable(this.#place, row)
    this.#durable = true
  }
}
