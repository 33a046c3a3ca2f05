import { plainOptions } from '../../src/checks/index.ts'
import { type Bytes, encodeBase64 } from '../../src/bytes/index.ts'
import type { DataKeyPage, DataKeyStore, DataKeyStoreOptions } from '../../src/ports/index.ts'
import {
  bytesOfText,
  checkBinding,
  checkDataKeyName,
  checkPage,
  checkValue,
  columnOf,
  MAX_VALUE_BYTES,
  pageOf,
  type StoreCallOptions,
  StoreCalls,
} from '../../src/stores/index.ts'
import { type D1DatabaseBinding, rowsOf } from './d1-database.ts'
import { RECORDS } from './sql.ts'

/** Options of {@link D1DataKeyStore}. */
export interface D1DataKeyStoreOptions extends StoreCallOptions {
  /** The binding itself: a session of D1 may read from a replica, which is not strong. */
  readonly database: D1DatabaseBinding
}

/**
 * A {@link DataKeyStore} on D1. Its table is `D1_SCHEMA`'s.
 *
 * @remarks Security: restoring the database to an earlier time (Time Travel) loses the records written since, and
 * with them every message that refers to them.
 */
export class D1DataKeyStore implements DataKeyStore {
  readonly consistency = 'strong' as const
  readonly #database: D1DatabaseBinding
  readonly #calls: StoreCalls

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: D1DataKeyStoreOptions) {
    const { database, ...common } = plainOptions(options)
    this.#database = checkBinding('database', database, 'batch')
    this.#calls = new StoreCalls('d1', common)
  }

  async get(key: string, options: DataKeyStoreOptions = {}): Promise<Bytes | undefined> {
    const rows = await this.#rows('get', options, RECORDS.get, checkDataKeyName(key))
    if (rows.length === 0) return undefined
    return bytesOfText(columnOf(rows[0], 'record'), () => this.#calls.unreadable('get'))
  }

  async putIfAbsent(
    key: string,
    record: Bytes,
    options: DataKeyStoreOptions = {},
  ): Promise<boolean> {
    const text = encodeBase64(checkValue(record, MAX_VALUE_BYTES))
    const values = [checkDataKeyName(key), text]
    return (await this.#rows('putIfAbsent', options, RECORDS.putIfAbsent, ...values)).length === 1
  }

  async compareAndSwap(
    key: string,
    expected: Bytes,
    next: Bytes,
    options: DataKeyStoreOptions = {},
  ): Promise<boolean> {
    const text = encodeBase64(checkValue(next, MAX_VALUE_BYTES))
    const values = [checkDataKeyName(key), text, encodeBase64(expected)]
    return (await this.#rows('compareAndSwap', options, RECORDS.swap, ...values)).length === 1
  }

  async delete(key: string, options: DataKeyStoreOptions = {}): Promise<void> {
    await this.#rows('delete', options, RECORDS.delete, checkDataKeyName(key))
  }

  async list(
    cursor: string | undefined,
    limit: number,
    options: DataKeyStoreOptions = {},
  ): Promise<DataKeyPage> {
    checkPage(cursor, limit)
    // One more than asked for tells whether there is a next page.
    const rows = await this.#rows('list', options, RECORDS.list, cursor ?? '', limit + 1)
    return pageOf(
      rows.map((row) => columnOf(row, 'key')),
      limit,
      () => this.#calls.unreadable('list'),
    )
  }

  async #rows(
    operation: string,
    options: DataKeyStoreOptions,
    sql: string,
    ...values: unknown[]
  ): Promise<readonly unknown[]> {
    const statement = this.#database.prepare(sql).bind(...values)
    return this.#calls.run(operation, options.signal, async () => rowsOf(await statement.all()))
  }
}
