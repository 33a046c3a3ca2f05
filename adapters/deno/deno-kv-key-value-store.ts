import { plainOptions } from '../../src/checks/index.ts'
import { type Bytes, copyBytes } from '../../src/bytes/index.ts'
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
  type StoreCallOptions,
  StoreCalls,
  TimedValues,
} from '../../src/stores/index.ts'
import {
  DENO_MAX_VALUE_BYTES,
  type DenoKv,
  type DenoKvEntry,
  entryBytes,
  swapEntry,
} from './deno-kv.ts'

/** Options of {@link DenoKvKeyValueStore}. */
export interface DenoKvKeyValueStoreOptions extends StoreCallOptions {
  /** The result of `Deno.openKv`. */
  readonly kv: DenoKv
  /** The first part of every key; `edge-kms` by default. */
  readonly prefix?: string
  readonly runtime?: Runtime
}

/**
 * A {@link KeyValueStore} on Deno KV: strong. Deno may keep a value past its time, so a value carries
 * its expiry time by this client's clock.
 *
 * @see https://docs.deno.com/deploy/kv/
 */
export class DenoKvKeyValueStore implements KeyValueStore {
  readonly capabilities: KeyValueCapabilities = capabilitiesOf({
    consistency: 'strong',
    compareAndSwap: true,
    maxValueBytes: DENO_MAX_VALUE_BYTES,
  })
  readonly #kv: DenoKv
  readonly #prefix: string
  readonly #values: TimedValues
  readonly #calls: StoreCalls

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: DenoKvKeyValueStoreOptions) {
    const { kv, prefix = 'edge-kms', runtime = webRuntime, ...common } = plainOptions(options)
    this.#kv = checkBinding('kv', kv, 'atomic')
    this.#prefix = checkPrefix(prefix)
    this.#calls = new StoreCalls('deno-kv', common)
    this.#values = new TimedValues(runtime, this.capabilities.maxValueBytes)
  }

  async get(key: string, options: KeyValueOptions = {}): Promise<Bytes | undefined> {
    const name = this.#name(key)
    return this.#calls.run('get', options.signal, async () =>
      this.#held('get', await this.#kv.get(name)),
    )
  }

  async put(key: string, value: Bytes, options: KeyValueWriteOptions): Promise<void> {
    const name = this.#name(key)
    const { bytes, ttlMs } = this.#values.pack(value, options.ttlMs)
    await this.#calls.run('put', options.signal, () =>
      this.#kv.set(name, bytes, { expireIn: ttlMs }),
    )
  }

  async compareAndSwap(
    key: string,
    expected: Bytes | undefined,
    next: Bytes,
    options: KeyValueWriteOptions,
  ): Promise<boolean> {
    const name = this.#name(key)
    const { bytes, ttlMs: expireIn } = this.#values.pack(next, options.ttlMs)
    const wanted = expected && copyBytes(expected)
    const operation = 'compareAndSwap'
    return this.#calls.run(operation, options.signal, () =>
      swapEntry(
        this.#kv,
        name,
        wanted,
        { bytes, expireIn },
        (entry) => this.#held(operation, entry),
        () =>
          this.#calls.unavailable(operation, 'other writers changed the value at every attempt'),
      ),
    )
  }

  async delete(key: string, options: KeyValueOptions = {}): Promise<void> {
    const name = this.#name(key)
    await this.#calls.run('delete', options.signal, () => this.#kv.delete(name))
  }

  #held(operation: string, { value, versionstamp }: DenoKvEntry): Bytes | undefined {
    if (versionstamp === null) return undefined
    const unreadable = (): Error => this.#calls.unreadable(operation)
    return this.#values.unpack(entryBytes(value, unreadable), unreadable)
  }

  #name(key: string): readonly string[] {
    return [this.#prefix, 'values', checkKey(key, this.capabilities.maxKeyBytes)]
  }
}
