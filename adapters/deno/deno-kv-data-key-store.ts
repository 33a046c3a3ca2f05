import { plainOptions } from '../../src/checks/index.ts'
import { type Bytes, copyBytes } from '../../src/bytes/index.ts'
import type { DataKeyPage, DataKeyStore, DataKeyStoreOptions } from '../../src/ports/index.ts'
import {
  checkBinding,
  checkDataKeyName,
  checkPage,
  checkPrefix,
  checkValue,
  pageOf,
  type StoreCallOptions,
  StoreCalls,
} from '../../src/stores/index.ts'
import {
  DENO_MAX_VALUE_BYTES,
  type DenoKv,
  type DenoKvEntry,
  entryBytes,
  swapEntry,
} from './deno-kv.ts'

/** Options of {@link DenoKvDataKeyStore}. */
export interface DenoKvDataKeyStoreOptions extends StoreCallOptions {
  /** The result of `Deno.openKv`: of a path, or of Deno Deploy, and never of `:memory:`. */
  readonly kv: DenoKv
  /** The first part of every key; `edge-kms` by default. */
  readonly prefix?: string
}

/**
 * A {@link DataKeyStore} on Deno KV. A record is at most 65,000 bytes here.
 *
 * @remarks Security: on your own machine the records are one SQLite file, and only a copy of it protects you from its
 * loss. If you lose a record, you lose every message that refers to it.
 *
 * @see https://docs.deno.com/deploy/kv/
 */
export class DenoKvDataKeyStore implements DataKeyStore {
  readonly consistency = 'strong' as const
  readonly #kv: DenoKv
  readonly #prefix: readonly string[]
  readonly #calls: StoreCalls

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: DenoKvDataKeyStoreOptions) {
    const { kv, prefix = 'edge-kms', ...common } = plainOptions(options)
    this.#kv = checkBinding('kv', kv, 'atomic')
    this.#prefix = [checkPrefix(prefix), 'data-keys']
    this.#calls = new StoreCalls('deno-kv', common)
  }

  async get(key: string, options: DataKeyStoreOptions = {}): Promise<Bytes | undefined> {
    const name = this.#name(key)
    return this.#calls.run('get', options.signal, async () =>
      this.#held('get', await this.#kv.get(name)),
    )
  }

  putIfAbsent(key: string, record: Bytes, options: DataKeyStoreOptions = {}): Promise<boolean> {
    return this.#swap('putIfAbsent', key, undefined, record, options)
  }

  compareAndSwap(
    key: string,
    expected: Bytes,
    next: Bytes,
    options: DataKeyStoreOptions = {},
  ): Promise<boolean> {
    return this.#swap('compareAndSwap', key, expected, next, options)
  }

  async delete(key: string, options: DataKeyStoreOptions = {}): Promise<void> {
    const name = this.#name(key)
    await this.#calls.run('delete', options.signal, () => this.#kv.delete(name))
  }

  async list(
    cursor: string | undefined,
    limit: number,
    options: DataKeyStoreOptions = {},
  ): Promise<DataKeyPage> {
    checkPage(cursor, limit)
    // The first key after the one before.
    const start =
      cursor === undefined ? [...this.#prefix, ''] : [...this.#prefix, `${cursor}\u0000`]
    const found = await this.#calls.run('list', options.signal, async () => {
      const names: unknown[] = []
      const entries = this.#kv.list({ prefix: this.#prefix, start }, { limit: limit + 1 })
      for await (const entry of entries) names.push(entry.key.at(-1))
      return names
    })
    return pageOf(found, limit, () => this.#calls.unreadable('list'))
  }

  async #swap(
    operation: string,
    key: string,
    expected: Bytes | undefined,
    record: Bytes,
    options: DataKeyStoreOptions,
  ): Promise<boolean> {
    const name = this.#name(key)
    const bytes = copyBytes(checkValue(record, DENO_MAX_VALUE_BYTES))
    const wanted = expected && copyBytes(expected)
    return this.#calls.run(operation, options.signal, () =>
      swapEntry(
        this.#kv,
        name,
        wanted,
        { bytes },
        (entry) => this.#held(operation, entry),
        () =>
          this.#calls.unavailable(operation, 'other writers changed the value at every attempt'),
      ),
    )
  }

  #held(operation: string, { value, versionstamp }: DenoKvEntry): Bytes | undefined {
    if (versionstamp === null) return undefined
    return entryBytes(value, () => this.#calls.unreadable(operation))
  }

  #name(key: string): readonly string[] {
    return [...this.#prefix, checkDataKeyName(key)]
  }
}
