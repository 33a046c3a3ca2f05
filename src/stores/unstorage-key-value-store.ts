import { plainOptions, wrongOption } from '../checks/index.ts'
import { type Bytes, concatBytes, encodeUtf8 } from '../bytes/index.ts'
import type {
  KeyValueCapabilities,
  KeyValueOptions,
  KeyValueStore,
  KeyValueWriteOptions,
  Runtime,
} from '../ports/index.ts'
import { webRuntime } from '../runtime/index.ts'
import { capabilitiesOf, checkKey } from './checks.ts'
import { checkBinding, type StoreCallOptions, StoreCalls } from './store-calls.ts'
import { TimedValues } from './timed-values.ts'

/** The part of unstorage's `Storage` that the store uses, over any driver. */
export interface UnstorageStorage {
  getItemRaw(key: string): Promise<unknown>
  setItemRaw(key: string, value: Uint8Array, options: { ttl: number }): Promise<void>
  removeItem(key: string): Promise<void>
}

/** Options of {@link UnstorageKeyValueStore}. */
export interface UnstorageKeyValueStoreOptions extends StoreCallOptions {
  /** The result of `createStorage`. */
  readonly storage: UnstorageStorage
  /** Prefix of every key: lower-case letters, digits and `-`, up to 32; `edge-kms` by default. */
  readonly prefix?: string
  readonly runtime?: Runtime
}

/** As hex it is a name of 240 characters, which every file system takes. */
const UNSTORAGE_MAX_KEY_BYTES = 120
const LENGTH_BYTES = 4

/**
 * A {@link KeyValueStore} over any driver of unstorage: eventual, because a storage does not report what its driver
 * guarantees. It cannot compare and swap. For a backend that can, use the store of that backend.
 *
 * A value carries its expiry time by this client's clock and is never returned after that. Drivers that know
 * `ttl` get it in whole seconds. A value that is cut off, e.g. by a crash while a file was written, counts as
 * absent.
 *
 * @see https://unstorage.unjs.io/drivers
 */
export class UnstorageKeyValueStore implements KeyValueStore {
  readonly capabilities: KeyValueCapabilities = capabilitiesOf({
    consistency: 'eventual',
    compareAndSwap: false,
    maxKeyBytes: UNSTORAGE_MAX_KEY_BYTES,
  })
  readonly #storage: UnstorageStorage
  readonly #prefix: string
  readonly #values: TimedValues
  readonly #calls: StoreCalls

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: UnstorageKeyValueStoreOptions) {
    const { storage, prefix = 'edge-kms', runtime = webRuntime, ...common } = plainOptions(options)
    this.#storage = checkBinding('storage', storage, 'setItemRaw')
    if (typeof prefix !== 'string' || !/^[a-z0-9-]{1,32}$/.test(prefix)) {
      throw wrongOption('prefix', '1 to 32 lower-case letters, digits and `-`', prefix)
    }
    this.#prefix = prefix
    this.#calls = new StoreCalls('unstorage', common)
    this.#values = new TimedValues(runtime, this.capabilities.maxValueBytes)
  }

  async get(key: string, options: KeyValueOptions = {}): Promise<Bytes | undefined> {
    const name = this.#name(key)
    return this.#calls.run('get', options.signal, async () => {
      const found = await this.#storage.getItemRaw(name)
      if (found === null || found === undefined) return undefined
      const unreadable = (): Error => this.#calls.unreadable('get')
      const whole = wholeOf(bytesOf(found, unreadable))
      return whole && this.#values.unpack(whole, unreadable)
    })
  }

  async put(key: string, value: Bytes, options: KeyValueWriteOptions): Promise<void> {
    const name = this.#name(key)
    const { bytes, ttlMs } = this.#values.pack(value, options.ttlMs)
    const framed = concatBytes(bytes, lengthOf(bytes))
    await this.#calls.run('put', options.signal, () =>
      this.#storage.setItemRaw(name, framed, { ttl: Math.ceil(ttlMs / 1_000) }),
    )
  }

  /** @throws KmsError `ERR_KMS_UNSUPPORTED` */
  compareAndSwap(): Promise<boolean> {
    return this.#calls.cannotSwap()
  }

  async delete(key: string, options: KeyValueOptions = {}): Promise<void> {
    const name = this.#name(key)
    await this.#calls.run('delete', options.signal, () => this.#storage.removeItem(name))
  }

  /** Hex, because unstorage takes `/` for `:` and cuts at `?`, and file systems fold case. */
  #name(key: string): string {
    const bytes = encodeUtf8(checkKey(key, this.capabilities.maxKeyBytes))
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))
    return `${this.#prefix}:${hex.join('')}`
  }
}

/** Drivers give a Uint8Array, a Buffer or an ArrayBuffer; of memory it is the one that was put. */
function bytesOf(found: unknown, unreadable: () => Error): Bytes {
  if (found instanceof ArrayBuffer) return new Uint8Array(found)
  if (found instanceof Uint8Array) return new Uint8Array(found)
  throw unreadable()
}

/** Returns the bytes before their own length, or `undefined` where the end is missing. */
function wholeOf(stored: Bytes): Bytes | undefined {
  const end = stored.length - LENGTH_BYTES
  if (end < 0) return undefined
  const length = new DataView(stored.buffer).getUint32(end)
  return length === end ? stored.subarray(0, end) : undefined
}

function lengthOf(bytes: Bytes): Bytes {
  const length = new Uint8Array(LENGTH_BYTES)
  new DataView(length.buffer).setUint32(0, bytes.length)
  return length
}
