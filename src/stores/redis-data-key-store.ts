import { type Bytes, encodeBase64 } from '../bytes/index.ts'
import { oneOf, plainOptions } from '../checks/index.ts'
import type { DataKeyPage, DataKeyStore, DataKeyStoreOptions } from '../ports/index.ts'
import {
  checkDataKeyName,
  checkPage,
  checkPrefix,
  checkValue,
  MAX_VALUE_BYTES,
  pageOf,
} from './checks.ts'
import { checkCommand, type RedisCommand } from './redis-command.ts'
import { demandDurable } from './redis-durability.ts'
import { type StoreCallOptions, StoreCalls } from './store-calls.ts'
import { bytesOfText } from './text-values.ts'

/** Options of {@link RedisDataKeyStore}. */
export interface RedisDataKeyStoreOptions extends StoreCallOptions {
  readonly command: RedisCommand
  /**
   * Prefix of every key; `{edge-kms}:` by default. On a cluster it must have a hash tag, which puts
   * the records and their index on one node.
   */
  readonly prefix?: string
  /**
   * `checked` (default): before its first write the store verifies, by INFO, that the server keeps an append-only
   * file and does not evict keys without a time to live; otherwise it refuses to write. `declared`: you guarantee
   * this yourself, e.g. for a managed service that does not report it.
   */
  readonly durability?: 'checked' | 'declared'
}

/** The record and its place in the index, or neither: Redis keeps a script whole in its file. */
const PUT = `if redis.call('SET', KEYS[1], ARGV[1], 'NX') == false then return 0 end
redis.call('ZADD', KEYS[2], 0, ARGV[2]) return 1`

const SWAP = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2]) return 1`

/** The record and its place in the index. */
const DELETE = `redis.call('ZREM', KEYS[2], ARGV[1])
return redis.call('DEL', KEYS[1])`

/**
 * A {@link DataKeyStore} on one Redis primary, 6 or later.
 *
 * @remarks Security: Redis is a system of record only with `appendonly yes`, `appendfsync always` and
 * `maxmemory-policy noeviction`. With `appendfsync everysec`, the default, a crash loses up to two seconds of
 * acknowledged records; a failover loses records that were not replicated yet. A lost record loses every message that
 * refers to it. Prefer a store of another kind if you have one.
 *
 * @see https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/
 */
export class RedisDataKeyStore implements DataKeyStore {
  readonly consistency = 'strong' as const
  readonly #command: RedisCommand
  readonly #prefix: string
  readonly #calls: StoreCalls
  #durable: boolean

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: RedisDataKeyStoreOptions) {
    const {
      command,
      prefix = '{edge-kms}:',
      durability = 'checked',
      ...common
    } = plainOptions(options)
    this.#command = checkCommand(command)
    this.#prefix = checkPrefix(prefix)
    oneOf('durability', durability, ['checked', 'declared'])
    this.#durable = durability === 'declared'
    this.#calls = new StoreCalls('redis', common)
  }

  async get(key: string, options: DataKeyStoreOptions = {}): Promise<Bytes | undefined> {
    const found = await this.#run('get', options, 'GET', this.#name(key))
    return found === null ? undefined : bytesOfText(found, () => this.#calls.unreadable('get'))
  }

  /** @throws KmsError `ERR_KMS_CONFIG` if the server could lose a write */
  async putIfAbsent(
    key: string,
    record: Bytes,
    options: DataKeyStoreOptions = {},
  ): Promise<boolean> {
    const keys = ['2', this.#name(key), this.#index]
    const text = encodeBase64(checkValue(record, MAX_VALUE_BYTES))
    await this.#demandDurable(options)
    return this.#wrote(
      'putIfAbsent',
      await this.#run('putIfAbsent', options, 'EVAL', PUT, ...keys, text, key),
    )
  }

  /** @throws KmsError `ERR_KMS_CONFIG` if the server could lose a write */
  async compareAndSwap(
    key: string,
    expected: Bytes,
    next: Bytes,
    options: DataKeyStoreOptions = {},
  ): Promise<boolean> {
    const name = this.#name(key)
    const texts = [encodeBase64(expected), encodeBase64(checkValue(next, MAX_VALUE_BYTES))]
    await this.#demandDurable(options)
    return this.#wrote(
      'compareAndSwap',
      await this.#run('compareAndSwap', options, 'EVAL', SWAP, '1', name, ...texts),
    )
  }

  /** @throws KmsError `ERR_KMS_CONFIG` if the server would lose the deletion in a crash */
  async delete(key: string, options: DataKeyStoreOptions = {}): Promise<void> {
    const keys = ['2', this.#name(key), this.#index]
    await this.#demandDurable(options)
    this.#wrote('delete', await this.#run('delete', options, 'EVAL', DELETE, ...keys, key))
  }

  async list(
    cursor: string | undefined,
    limit: number,
    options: DataKeyStoreOptions = {},
  ): Promise<DataKeyPage> {
    checkPage(cursor, limit)
    const from = cursor === undefined ? '-' : `(${cursor}`
    const range = [this.#index, from, '+', 'LIMIT', '0', String(limit + 1)]
    const found = await this.#run('list', options, 'ZRANGEBYLEX', ...range)
    const unreadable = (): Error => this.#calls.unreadable('list')
    if (!Array.isArray(found)) throw unreadable()
    return pageOf(found, limit, unreadable)
  }

  async #demandDurable(options: DataKeyStoreOptions): Promise<void> {
    if (this.#durable) return
    demandDurable(await this.#run('info', options, 'INFO'))
    this.#durable = true
  }

  #wrote(operation: string, answer: unknown): boolean {
    if (answer !== 0 && answer !== 1) throw this.#calls.unreadable(operation)
    return answer === 1
  }

  #run(
    operation: string,
    options: DataKeyStoreOptions,
    ...args: [string, ...string[]]
  ): Promise<unknown> {
    return this.#calls.run(operation, options.signal, (signal) => this.#command(args, { signal }))
  }

  #name(key: string): string {
    return this.#prefix + checkDataKeyName(key)
  }

  /** All keys at one score: Redis sorts them by their bytes. */
  get #index(): string {
    return `${this.#prefix}index`
  }
}
