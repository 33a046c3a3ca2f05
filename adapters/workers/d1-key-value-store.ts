import { plainOptions } from '../../src/checks/index.ts'
import { type Bytes, encodeBase64 } from '../../src/bytes/index.ts'
import type {
  KeyValueCapabilities,
  KeyValueOptions,
  KeyValueStore,
  KeyValueWriteOptions,
  Runtime,
} from '../../src/ports/index.ts'
import { webRuntime } from '../../src/runtime/index.ts'
import {
  bytesOfText,
  capabilitiesOf,
  checkBinding,
  checkKey,
  checkTtl,
  checkValue,
  columnOf,
  type StoreCallOptions,
  StoreCalls,
} from '../../src/stores/index.ts'
import { type D1DatabaseBinding, type D1StatementBinding, rowsOf } from './d1-database.ts'
import { VALUES } from './sql.ts'

/** Options of {@link D1KeyValueStore}. */
export interface D1KeyValueStoreOptions extends StoreCallOptions {
  /** The binding itself: a session of D1 may read from a replica, which is not strong. */
  readonly database: D1DatabaseBinding
  readonly runtime?: Runtime
}

/**
 * A {@link KeyValueStore} on D1: strong, because without a session every query goes to the primary. Its table is
 * `D1_SCHEMA`'s; values expire by this client's clock.
 *
 * @see https://developers.cloudflare.com/d1/platform/limits/
 */
export class D1KeyValueStore implements KeyValueStore {
  readonly capabilities: KeyValueCapabilities = capabilitiesOf({
    consistency: 'strong',
    compareAndSwap: true,
  })
  readonly #database: D1DatabaseBinding
  readonly #runtime: Runtime
  readonly #calls: StoreCalls

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: D1KeyValueStoreOptions) {
    const { database, runtime = webRuntime, ...common } = plainOptions(options)
    this.#database = checkBinding('database', database, 'batch')
    this.#runtime = runtime
    this.#calls = new StoreCalls('d1', common)
  }

  async get(key: string, options: KeyValueOptions = {}): Promise<Bytes | undefined> {
    const { maxKeyBytes } = this.capabilities
    const statement = this.#bind(VALUES.get, checkKey(key, maxKeyBytes), this.#runtime.now())
    return this.#calls.run('get', options.signal, async () => {
      const rows = rowsOf(await statement.all())
      if (rows.length === 0) return undefined
      return bytesOfText(columnOf(rows[0], 'value'), () => this.#calls.unreadable('get'))
    })
  }

  async put(key: string, value: Bytes, options: KeyValueWriteOptions): Promise<void> {
    const write = this.#bind(VALUES.put, ...this.#row(key, value, options))
    await this.#writeAndSweep('put', write, options)
  }

  async compareAndSwap(
    key: string,
    expected: Bytes | undefined,
    next: Bytes,
    options: KeyValueWriteOptions,
  ): Promise<boolean> {
    const row = this.#row(key, next, options)
    const now = this.#runtime.now()
    const write =
      expected === undefined
        ? this.#bind(VALUES.putIfFree, ...row, now)
        : this.#bind(VALUES.swap, ...row, now, encodeBase64(expected))
    return (await this.#writeAndSweep('compareAndSwap', write, options)) === 1
  }

  async delete(key: string, options: KeyValueOptions = {}): Promise<void> {
    const statement = this.#bind(VALUES.delete, checkKey(key, this.capabilities.maxKeyBytes))
    await this.#calls.run('delete', options.signal, () => statement.all())
  }

  /** @returns how many rows the write gave back */
  async #writeAndSweep(
    operation: string,
    write: D1StatementBinding,
    options: KeyValueOptions,
  ): Promise<number> {
    const sweep = this.#bind(VALUES.sweep, this.#runtime.now())
    return this.#calls.run(operation, options.signal, async () => {
      const [written] = await this.#database.batch([write, sweep])
      return rowsOf(written).length
    })
  }

  #row(key: string, value: Bytes, options: KeyValueWriteOptions): unknown[] {
    const { maxKeyBytes, maxValueBytes } = this.capabilities
    return [
      checkKey(key, maxKeyBytes),
      encodeBase64(checkValue(value, maxValueBytes)),
      this.#runtime.now() + checkTtl(options.ttlMs),
    ]
  }

  #bind(sql: string, ...values: unknown[]): D1StatementBinding {
    return this.#database.prepare(sql).bind(...values)
  }
}
