import { plainOptions } from '../checks/index.ts'
import { type Bytes, encodeBase64 } from '../bytes/index.ts'
import type {
  KeyValueCapabilities,
  KeyValueOptions,
  KeyValueStore,
  KeyValueWriteOptions,
} from '../ports/index.ts'
import { capabilitiesOf, checkKey, checkTtl, checkValue } from './checks.ts'
import { type PostgresOptions, PostgresQueries } from './postgres-query.ts'
import { quotedTable, VALUES_TABLE, type ValueStatements, valueStatements } from './postgres-sql.ts'
import { columnOf } from './sql-rows.ts'
import { bytesOfText } from './text-values.ts'

/** Options of {@link PostgresKeyValueStore}. */
export interface PostgresKeyValueStoreOptions extends PostgresOptions {
  /**
   * The table's name, with its schema before it if the `search_path` does not contain that schema; lower-case
   * letters, digits and `_`. `edge_kms_values` by default.
   */
  readonly table?: string
}

/**
 * A {@link KeyValueStore} on PostgreSQL, tested on 18: strong, every write one statement. Its table is
 * `postgresSchema`'s; values expire by the database's clock.
 *
 * @see https://www.postgresql.org/docs/current/sql-insert.html#SQL-ON-CONFLICT
 */
export class PostgresKeyValueStore implements KeyValueStore {
  readonly capabilities: KeyValueCapabilities = capabilitiesOf({
    consistency: 'strong',
    compareAndSwap: true,
  })
  readonly #queries: PostgresQueries
  readonly #sql: ValueStatements

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: PostgresKeyValueStoreOptions) {
    const { client, table = VALUES_TABLE, ...common } = plainOptions(options)
    const name = quotedTable(table)
    this.#sql = valueStatements(name)
    this.#queries = new PostgresQueries(client, name, common)
  }

  async get(key: string, options: KeyValueOptions = {}): Promise<Bytes | undefined> {
    const name = checkKey(key, this.capabilities.maxKeyBytes)
    const rows = await this.#queries.rows('get', options.signal, this.#sql.get, name)
    if (rows.length === 0) return undefined
    return bytesOfText(columnOf(rows[0], 'value'), () => this.#queries.calls.unreadable('get'))
  }

  async put(key: string, value: Bytes, options: KeyValueWriteOptions): Promise<void> {
    const row = this.#row(key, value, options)
    await this.#queries.rows('put', options.signal, this.#sql.put, ...row)
  }

  async compareAndSwap(
    key: string,
    expected: Bytes | undefined,
    next: Bytes,
    options: KeyValueWriteOptions,
  ): Promise<boolean> {
    const { putIfFree, swap } = this.#sql
    const row = this.#row(key, next, options)
    const rows = await (expected === undefined
      ? this.#queries.rows('compareAndSwap', options.signal, putIfFree, ...row)
      : this.#queries.rows('compareAndSwap', options.signal, swap, ...row, encodeBase64(expected)))
    return rows.length === 1
  }

  async delete(key: string, options: KeyValueOptions = {}): Promise<void> {
    const name = checkKey(key, this.capabilities.maxKeyBytes)
    await this.#queries.rows('delete', options.signal, this.#sql.delete, name)
  }

  #row(key: string, value: Bytes, { ttlMs }: KeyValueWriteOptions): [string, string, number] {
    const { maxKeyBytes, maxValueBytes } = this.capabilities
    const text = encodeBase64(checkValue(value, maxValueBytes))
    return [checkKey(key, maxKeyBytes), text, checkTtl(ttlMs)]
  }
}
