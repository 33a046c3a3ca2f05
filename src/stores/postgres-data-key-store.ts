import { configError, describe, oneOf, plainOptions } from '../checks/index.ts'
import { type Bytes, encodeBase64 } from '../bytes/index.ts'
import type { DataKeyPage, DataKeyStore, DataKeyStoreOptions } from '../ports/index.ts'
import { checkDataKeyName, checkPage, checkValue, MAX_VALUE_BYTES, pageOf } from './checks.ts'
import { type PostgresOptions, PostgresQueries } from './postgres-query.ts'
import {
  DATA_KEYS_TABLE,
  quotedTable,
  type RecordStatements,
  recordStatements,
} from './postgres-sql.ts'
import { columnOf } from './sql-rows.ts'
import { bytesOfText } from './text-values.ts'

/** Options of {@link PostgresDataKeyStore}. */
export interface PostgresDataKeyStoreOptions extends PostgresOptions {
  /**
   * The table's name, with its schema before it if the `search_path` does not contain that schema; lower-case
   * letters, digits and `_`. `edge_kms_data_keys` by default.
   */
  readonly table?: string
  /**
   * `checked` (default): before its first write the store verifies that the database waits for the disk (`fsync`,
   * `synchronous_commit`) and that the table survives a crash; otherwise it refuses to write. `declared`: you
   * guarantee this yourself, e.g. for a service that keeps its log elsewhere.
   */
  readonly durability?: 'checked' | 'declared'
}

/**
 * A {@link DataKeyStore} on the primary of PostgreSQL, tested on 18. Its table is `postgresSchema`'s.
 *
 * @remarks Security: restoring a backup, or failing over to a replica that is not synchronous, loses acknowledged
 * records, and with them every message that refers to them.
 *
 * @see https://www.postgresql.org/docs/current/wal-async-commit.html
 */
export class PostgresDataKeyStore implements DataKeyStore {
  readonly consistency = 'strong' as const
  readonly #queries: PostgresQueries
  readonly #sql: RecordStatements
  readonly #table: string
  #durable: boolean

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: PostgresDataKeyStoreOptions) {
    const {
      client,
      table = DATA_KEYS_TABLE,
      durability = 'checked',
      ...common
    } = plainOptions(options)
    oneOf('durability', durability, ['checked', 'declared'])
    this.#table = quotedTable(table)
    this.#sql = recordStatements(this.#table)
    this.#durable = durability === 'declared'
    this.#queries = new PostgresQueries(client, this.#table, common)
  }

  async get(key: string, { signal }: DataKeyStoreOptions = {}): Promise<Bytes | undefined> {
    const rows = await this.#queries.rows('get', signal, this.#sql.get, checkDataKeyName(key))
    if (rows.length === 0) return undefined
    return bytesOfText(columnOf(rows[0], 'record'), () => this.#queries.calls.unreadable('get'))
  }

  /** @throws KmsError `ERR_KMS_CONFIG` if the database could lose a write in a crash */
  async putIfAbsent(
    key: string,
    record: Bytes,
    { signal }: DataKeyStoreOptions = {},
  ): Promise<boolean> {
    const text = encodeBase64(checkValue(record, MAX_VALUE_BYTES))
    const values = [checkDataKeyName(key), text]
    await this.#demandDurable(signal)
    const { putIfAbsent } = this.#sql
    return (await this.#queries.rows('putIfAbsent', signal, putIfAbsent, ...values)).length === 1
  }

  /** @throws KmsError `ERR_KMS_CONFIG` if the database could lose a write in a crash */
  async compareAndSwap(
    key: string,
    expected: Bytes,
    next: Bytes,
    { signal }: DataKeyStoreOptions = {},
  ): Promise<boolean> {
    const text = encodeBase64(checkValue(next, MAX_VALUE_BYTES))
    const values = [checkDataKeyName(key), text, encodeBase64(expected)]
    await this.#demandDurable(signal)
    const { swap } = this.#sql
    return (await this.#queries.rows('compareAndSwap', signal, swap, ...values)).length === 1
  }

  /** @throws KmsError `ERR_KMS_CONFIG` if the database would lose the deletion in a crash */
  async delete(key: string, { signal }: DataKeyStoreOptions = {}): Promise<void> {
    const name = checkDataKeyName(key)
    await this.#demandDurable(signal)
    await this.#queries.rows('delete', signal, this.#sql.delete, name)
  }

  async list(
    cursor: string | undefined,
    limit: number,
    { signal }: DataKeyStoreOptions = {},
  ): Promise<DataKeyPage> {
    checkPage(cursor, limit)
    // One more than asked for tells whether there is a next page.
    const rows = await this.#queries.rows('list', signal, this.#sql.list, cursor ?? '', limit + 1)
    return pageOf(
      rows.map((row) => columnOf(row, 'key')),
      limit,
      () => this.#queries.calls.unreadable('list'),
    )
  }

  async #demandDurable(signal: AbortSignal | undefined): Promise<void> {
    if (this.#durable) return
    const [row] = await this.#queries.rows('check', signal, this.#sql.durability, this.#table)
    demandDurable(this.#table, row)
    this.#durable = true
  }
}

/** @throws KmsError `ERR_KMS_CONFIG` */
function demandDurable(table: string, row: unknown): void {
  const { kind, type, fsync, commit } = Object(row) as Readonly<Record<string, unknown>>
  const refuse = (expected: string, got: unknown): never => {
    const value = typeof got === 'string' ? got : describe(got)
    throw configError(`table ${table}: ${expected}, got ${value}`)
  }
  if (kind === null) {
    const fix = 'create it with the statements of postgresSchema(), or correct table'
    throw configError(`table ${table} was not found: ${fix}`)
  }
  // Text would take bytes, and give back others.
  if (type !== 'bytea') refuse('the column record must be of type bytea', type)
  if (kind !== 'p') refuse('relpersistence must be p, or a crash empties the table', kind)
  if (fsync !== 'on') refuse('fsync of the server must be on', fsync)
  if (typeof commit !== 'string' || commit === 'off') {
    refuse('synchronous_commit must not be off: a crash would lose acknowledged records', commit)
  }
}
