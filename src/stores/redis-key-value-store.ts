import { type Bytes, encodeBase64 } from '../bytes/index.ts'
import { oneOf, plainOptions } from '../checks/index.ts'
import type {
  KeyValueCapabilities,
  KeyValueOptions,
  KeyValueStore,
  KeyValueWriteOptions,
} from '../ports/index.ts'
import {
  capabilitiesOf,
  checkKey,
  checkPrefix,
  checkTtl,
  checkValue,
  MAX_KEY_BYTES,
} from './checks.ts'
import { checkCommand, type RedisCommand } from './redis-command.ts'
import { type StoreCallOptions, StoreCalls } from './store-calls.ts'
import { bytesOfText } from './text-values.ts'

/** Options of {@link RedisKeyValueStore}. */
export interface RedisKeyValueStoreOptions extends StoreCallOptions {
  readonly command: RedisCommand
  /** Prefix of every key; `edge-kms:` by default. */
  readonly prefix?: string
  /**
   * `strong` (default) if every command goes to one primary. `eventual` if reads may go to a replica, as with a
   * global database of Upstash; compareAndSwap is atomic there too.
   */
  readonly consistency?: 'strong' | 'eventual'
}

/** One key, so that it runs on a cluster as well. Redis runs a script whole or not at all. */
const SWAP = `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1`

/**
 * A {@link KeyValueStore} on Redis 6 or later. Values expire by the server's clock, to the millisecond.
 *
 * A failover may lose acknowledged writes, because Redis replicates asynchronously; the cache's shared level allows
 * that.
 */
export class RedisKeyValueStore implements KeyValueStore {
  readonly capabilities: KeyValueCapabilities
  readonly #command: RedisCommand
  readonly #prefix: string
  readonly #calls: StoreCalls

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: RedisKeyValueStoreOptions) {
    const {
      command,
      prefix = 'edge-kms:',
      consistency = 'strong',
      ...common
    } = plainOptions(options)
    this.#command = checkCommand(command)
    this.#prefix = checkPrefix(prefix)
    oneOf('consistency', consistency, ['strong', 'eventual'])
    this.#calls = new StoreCalls('redis', common)
    this.capabilities = capabilitiesOf({
      consistency,
      compareAndSwap: true,
      maxKeyBytes: MAX_KEY_BYTES - prefix.length,
    })
  }

  async get(key: string, options: KeyValueOptions = {}): Promise<Bytes | undefined> {
    const found = await this.#run('get', options, 'GET', this.#name(key))
    return found === null ? undefined : bytesOfText(found, () => this.#calls.unreadable('get'))
  }

  async put(key: string, value: Bytes, options: KeyValueWriteOptions): Promise<void> {
    const args = [this.#name(key), this.#text(value), 'PX', timeOf(options)]
    const answer = await this.#run('put', options, 'SET', ...args)
    if (answer !== 'OK') throw this.#calls.unreadable('put')
  }

  async compareAndSwap(
    key: string,
    expected: Bytes | undefined,
    next: Bytes,
    options: KeyValueWriteOptions,
  ): Promise<boolean> {
    const [name, text, time] = [this.#name(key), this.#text(next), timeOf(options)]
    const answer = await (expected === undefined
      ? this.#run('compareAndSwap', options, 'SET', name, text, 'NX', 'PX', time)
      : this.#run(
          'compareAndSwap',
          options,
          'EVAL',
          SWAP,
          '1',
          name,
          encodeBase64(expected),
          text,
          time,
        ))
    if (answer === 'OK' || answer === 1) return true
    if (answer === null || answer === 0) return false
    throw this.#calls.unreadable('compareAndSwap')
  }

  async delete(key: string, options: KeyValueOptions = {}): Promise<void> {
    await this.#run('delete', options, 'DEL', this.#name(key))
  }

  #run(
    operation: string,
    options: KeyValueOptions,
    ...args: [string, ...string[]]
  ): Promise<unknown> {
    return this.#calls.run(operation, options.signal, (signal) => this.#command(args, { signal }))
  }

  #name(key: string): string {
    return this.#prefix + checkKey(key, this.capabilities.maxKeyBytes)
  }

  /** base64, because JSON and most clients carry text only. */
  #text(value: Bytes): string {
    return encodeBase64(checkValue(value, this.capabilities.maxValueBytes))
  }
}

function timeOf({ ttlMs }: KeyValueWriteOptions): string {
  return String(checkTtl(ttlMs))
}
