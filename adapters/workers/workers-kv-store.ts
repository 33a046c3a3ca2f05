import { plainOptions } from '../../src/checks/index.ts'
import type { Bytes } from '../../src/bytes/index.ts'
import type {
  KeyValueCapabilities,
  KeyValueOptions,
  KeyValueStore,
  KeyValueWriteOptions,
  Runtime,
} from '../../src/ports/index.ts'
import { webRuntime } from '../../src/runtime/index.ts'
import {
  capabilitiesOf,
  checkBinding,
  checkKey,
  checkPrefix,
  MAX_KEY_BYTES,
  type StoreCallOptions,
  StoreCalls,
  TimedValues,
} from '../../src/stores/index.ts'

/** The members of a `KVNamespace` binding that the stores use. */
export interface WorkersKvNamespace {
  get(key: string, type: 'arrayBuffer'): Promise<ArrayBuffer | null>
  put(key: string, value: ArrayBuffer, options: { expirationTtl: number }): Promise<void>
  delete(key: string): Promise<void>
}

/** Options of {@link WorkersKvStore}. */
export interface WorkersKvStoreOptions extends StoreCallOptions {
  readonly namespace: WorkersKvNamespace
  /** Prefix of every key; none by default. */
  readonly prefix?: string
  readonly runtime?: Runtime
}

/** The shortest life that Workers KV takes, seconds. */
const MIN_TTL_S = 60

/**
 * A {@link KeyValueStore} on Workers KV: eventual, a write may be seen elsewhere 60 seconds later or
 * more, and one key takes one write a second. It cannot compare and swap.
 *
 * A value carries its expiry time and is never returned after that, although Workers KV itself keeps
 * it for 60 seconds at least.
 *
 * @see https://developers.cloudflare.com/kv/platform/limits/
 */
export class WorkersKvStore implements KeyValueStore {
  readonly capabilities: KeyValueCapabilities
  readonly #namespace: WorkersKvNamespace
  readonly #prefix: string
  readonly #values: TimedValues
  readonly #calls: StoreCalls

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: WorkersKvStoreOptions) {
    const { namespace, prefix = '', runtime = webRuntime, ...common } = plainOptions(options)
    this.#namespace = checkBinding('namespace', namespace, 'put')
    this.#prefix = checkPrefix(prefix)
    this.#calls = new StoreCalls('workers-kv', common)
    this.capabilities = capabilitiesOf({
      consistency: 'eventual',
      compareAndSwap: false,
      maxKeyBytes: MAX_KEY_BYTES - prefix.length,
    })
    this.#values = new TimedValues(runtime, this.capabilities.maxValueBytes)
  }

  async get(key: string, options: KeyValueOptions = {}): Promise<Bytes | undefined> {
    const name = this.#name(key)
    return this.#calls.run('get', options.signal, async () => {
      const found = await this.#namespace.get(name, 'arrayBuffer')
      if (found === null) return undefined
      return this.#values.unpack(new Uint8Array(found), () => this.#calls.unreadable('get'))
    })
  }

  async put(key: string, value: Bytes, options: KeyValueWriteOptions): Promise<void> {
    const name = this.#name(key)
    const { bytes, ttlMs } = this.#values.pack(value, options.ttlMs)
    const expirationTtl = Math.max(MIN_TTL_S, Math.ceil(ttlMs / 1_000))
    await this.#calls.run('put', options.signal, () =>
      this.#namespace.put(name, bytes.buffer, { expirationTtl }),
    )
  }

  /** @throws KmsError `ERR_KMS_UNSUPPORTED` */
  compareAndSwap(): Promise<boolean> {
    return this.#calls.cannotSwap()
  }

  async delete(key: string, options: KeyValueOptions = {}): Promise<void> {
    const name = this.#name(key)
    await this.#calls.run('delete', options.signal, () => this.#namespace.delete(name))
  }

  #name(key: string): string {
    const name = this.#prefix + checkKey(key, this.capabilities.maxKeyBytes)
    // The two names that Workers KV does not take.
    if (name === '.' || name === '..') throw new RangeError('a key must not be . or ..')
    return name
  }
}
