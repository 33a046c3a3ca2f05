import { plainOptions } from '../../src/checks/index.ts'
import type { Bytes } from '../../src/bytes/index.ts'
import type {
  KeyValueCapabilities,
  KeyValueOptions,
  KeyValueStore,
  KeyValueWriteOptions,
} from '../../src/ports/index.ts'
import { checkBinding } from '../../src/stores/index.ts'
import { type EventualParts, eventualParts, type EventualStoreOptions } from './eventual-parts.ts'

/** The members of a `KVNamespace` binding that the stores use. */
export interface WorkersKvNamespace {
  get(key: string, type: 'arrayBuffer'): Promise<ArrayBuffer | null>
  put(key: string, value: ArrayBuffer, options: { expirationTtl: number }): Promise<void>
  delete(key: string): Promise<void>
}

/** Options of {@link WorkersKvStore}. */
export interface WorkersKvStoreOptions extends EventualStoreOptions {
  readonly namespace: WorkersKvNamespace
}

/** The shortest life that Workers KV takes, seconds. */
const MIN_TTL_S = 60

/**
 * A {@link KeyValueStore} on Workers KV: eventual. Other locations may see a write 60 seconds later or more, and one
 * key accepts one write a second. It cannot compare and swap.
 *
 * A value carries its expiry time and is never returned after that, although Workers KV itself keeps
 * it for 60 seconds at least.
 *
 * @see https://developers.cloudflare.com/kv/platform/limits/
 */
export class WorkersKvStore implements KeyValueStore {
  readonly capabilities: KeyValueCapabilities
  readonly #namespace: WorkersKvNamespace
  readonly #parts: EventualParts

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: WorkersKvStoreOptions) {
    const { namespace, ...common } = plainOptions(options)
    this.#namespace = checkBinding('namespace', namespace, 'put')
    this.#parts = eventualParts('workers-kv', common)
    this.capabilities = this.#parts.capabilities
  }

  async get(key: string, options: KeyValueOptions = {}): Promise<Bytes | undefined> {
    const name = this.#name(key)
    return this.#parts.calls.run('get', options.signal, async () => {
      const found = await this.#namespace.get(name, 'arrayBuffer')
      if (found === null) return undefined
      return this.#parts.values.unpack(new Uint8Array(found), () =>
        this.#parts.calls.unreadable('get'),
      )
    })
  }

  async put(key: string, value: Bytes, options: KeyValueWriteOptions): Promise<void> {
    const name = this.#name(key)
    const { bytes, ttlMs } = this.#parts.values.pack(value, options.ttlMs)
    const expirationTtl = Math.max(MIN_TTL_S, Math.ceil(ttlMs / 1_000))
    await this.#parts.calls.run('put', options.signal, () =>
      this.#namespace.put(name, bytes.buffer, { expirationTtl }),
    )
  }

  /** @throws KmsError `ERR_KMS_UNSUPPORTED` */
  compareAndSwap(): Promise<boolean> {
    return this.#parts.calls.cannotSwap()
  }

  async delete(key: string, options: KeyValueOptions = {}): Promise<void> {
    const name = this.#name(key)
    await this.#parts.calls.run('delete', options.signal, () => this.#namespace.delete(name))
  }

  #name(key: string): string {
    const name = this.#parts.nameOf(key)
    // The two names that Workers KV does not take.
    if (name === '.' || name === '..') throw new RangeError('a key must not be . or ..')
    return name
  }
}
