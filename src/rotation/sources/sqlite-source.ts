import { plainOptions } from '../../checks/index.ts'
import { columnOf, type StoreCalls } from '../../stores/index.ts'
import type {
  RecordChange,
  RecordPage,
  RotationRecord,
  SourceOptions,
  StoredValue,
  SwapOutcome,
  ValueSource,
} from '../record-source.ts'
import { changeRounds, outcomesOf } from './change-rounds.ts'
import { idOf, partsOf } from './record-ids.ts'
import { checkChanges, checkLimit, sourceCalls, sourceName } from './source-options.ts'
import {
  sqliteDatabase,
  type SqliteDatabase,
  type SqliteDriver,
  type SqliteStatement,
} from './sqlite-database.ts'
import { sqliteFault } from './sqlite-faults.ts'
import { SqliteRecordSql } from './sqlite-record-sql.ts'
import { swapStatements } from './sqlite-swap.ts'
import { demandSqliteTable } from './sqlite-table.ts'
import { tableColumns, type TableColumns, type TableOptions } from './table-options.ts'
import { keyOfRow, recordOfRow, type RowReader } from './table-rows.ts'

/** Options of {@link sqliteSource}. */
export interface SqliteSourceOptions extends TableOptions {
  /**
   * A connection for this source alone. Calls inside one of your transactions are refused, because nothing is durable
   * there.
   */
  readonly database: SqliteDriver | SqliteDatabase
}

/**
 * Returns a table of SQLite as a source, over node:sqlite, better-sqlite3 or bun:sqlite: any table with a primary key or
 * a unique index of TEXT or INTEGER columns, and one or several encrypted columns of bytes or text.
 *
 * @throws KmsError `ERR_KMS_CONFIG`; the first call, if the table or a column is not as the options say
 *
 * @example
 * ```ts
 * import { sqliteSource, type SqliteDriver } from 'edge-kms/rotation'
 *
 * export const notesOf = (database: SqliteDriver) =>
 *   sqliteSource({ database, table: 'notes', key: ['id'], values: ['body'], facts: ['tenant'] })
 * ```
 */
export function sqliteSource(options: SqliteSourceOptions): ValueSource {
  const {
    database: given,
    table,
    name,
    key,
    values,
    facts,
    where,
    ...common
  } = plainOptions(options)
  const database = sqliteDatabase(given)
  const columns = tableColumns({ key, values, facts, where })
  return new SqliteSource(
    { name: sourceName(name, table), table, columns, database },
    sourceCalls(database.provider, common),
  )
}

interface Parts {
  readonly name: string
  readonly table: string
  readonly columns: TableColumns
  readonly database: SqliteDatabase
}

class SqliteSource implements ValueSource {
  readonly kind = 'values'
  readonly name: string
  readonly #parts: Parts
  readonly #sql: SqliteRecordSql
  readonly #reader: RowReader
  readonly #calls: StoreCalls
  #isKnown = false

  constructor(parts: Parts, calls: StoreCalls) {
    this.name = parts.name
    this.#parts = parts
    this.#sql = new SqliteRecordSql(parts.table, parts.columns)
    this.#calls = calls
    const unreadable = (): Error => calls.unreadable('page')
    this.#reader = {
      columns: parts.columns,
      place: `table ${parts.table}`,
      valueOf: (stored) => valueOf(stored, unreadable),
      unreadable,
    }
  }

  async page(
    cursor: string | undefined,
    limit: number,
    { signal }: SourceOptions,
  ): Promise<RecordPage> {
    checkLimit(limit)
    const { key } = this.#parts.columns
    const parts = cursor === undefined ? undefined : partsOf(cursor, key.length)
    await this.#learn(signal)
    const { first, next } = this.#sql
    const page =
      parts === undefined
        ? { sql: first, values: [limit] }
        : { sql: next, values: [...parts, limit] }
    const [rows = []] = await this.#run('page', [page], signal)
    const records = rows.map((row) => recordOfRow(row, this.#reader))
    const last = records.at(-1)
    return records.length < limit || last === undefined ? { records } : { records, cursor: last.id }
  }

  async read(
    ids: readonly string[],
    { signal }: SourceOptions,
  ): Promise<readonly (RotationRecord | undefined)[]> {
    const keys = ids.map((id) => partsOf(id, this.#parts.columns.key.length))
    if (ids.length === 0) return []
    await this.#learn(signal)
    const read = { sql: this.#sql.read, values: [JSON.stringify(keys)] }
    const [rows = []] = await this.#run('read', [read], signal)
    const found = new Map(
      rows.map((row) => [Number(columnOf(row, 'at')), recordOfRow(row, this.#reader)]),
    )
    return ids.map((_, at) => found.get(at))
  }

  async swap(
    changes: readonly RecordChange[],
    { signal }: SourceOptions,
  ): Promise<readonly SwapOutcome[]> {
    const { key, values } = this.#parts.columns
    checkChanges(changes, values)
    const swapped = new Set<number>()
    const rounds = changeRounds(changes).map((round) =>
      swapStatements(round, this.#sql, key.length),
    )
    const statements = rounds.flat()
    if (statements.length === 0) return []
    await this.#learn(signal)
    const answers = await this.#run('swap', statements, signal)
    statements.forEach(({ places }, index) => {
      for (const row of answers[index] ?? []) {
        const at = places.get(idOf(keyOfRow(row, this.#reader)))
        if (at !== undefined) swapped.add(at)
      }
    })
    return outcomesOf(changes.length, swapped)
  }

  async #learn(signal: AbortSignal | undefined): Promise<void> {
    if (this.#isKnown) return
    const { table, columns } = this.#parts
    const values = [table]
    const questions = [this.#sql.columns, this.#sql.uniques].map((sql) => ({ sql, values }))
    const [found = [], uniques = []] = await this.#run('describe', questions, signal)
    demandSqliteTable(table, columns, found, uniques)
    this.#isKnown = true
  }

  #run(
    operation: string,
    statements: readonly SqliteStatement[],
    signal: AbortSignal | undefined,
  ): Promise<readonly (readonly unknown[])[]> {
    return this.#calls.run(operation, signal, async () => {
      const answers = await this.#answersTo(statements)
      const isWhole = answers.length === statements.length && answers.every(Array.isArray)
      if (!isWhole) throw this.#calls.unreadable(operation)
      return answers
    })
  }

  async #answersTo(
    statements: readonly SqliteStatement[],
  ): Promise<readonly (readonly unknown[])[]> {
    try {
      return await this.#parts.database.run(statements)
    } catch (error) {
      throw sqliteFault(error, this.#reader.place) ?? error
    }
  }
}

/** D1 gives bytes as an array of numbers. */
function valueOf(stored: unknown, unreadable: () => Error): StoredValue {
  if (typeof stored === 'string') return stored
  if (stored instanceof Uint8Array) return new Uint8Array(stored)
  if (stored instanceof ArrayBuffer) return new Uint8Array(stored.slice(0))
  if (Array.isArray(stored)) return Uint8Array.from(stored as number[])
  throw unreadable()
}
