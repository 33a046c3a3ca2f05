import { createHash } from 'node:crypto'
import {
  CachedKms,
  type DataEncryptionKey,
  type EncryptionContext,
  encodeKmsContext,
  type GeneratedDataKey,
  type KeyValueStore,
  type KeyValueWriteOptions,
  type KmsCacheConfig,
  type KmsCallOptions,
  type KmsCapabilities,
  type DataKeyOptions,
  KmsError,
  SecretBytes,
  type UnwrappedDataKey,
  type WrappedKey,
} from '../../../../src/index.ts'
import {
  sharedDataKeys,
  type SharedDataKeysOptions,
} from '../../../../src/data-keys/shared/index.ts'
import { FakeWorld } from '../../../support/fake-world.ts'
import { MemoryKeyValues } from '../../../support/memory-key-values.ts'
import { type Bytes, CONTEXT, PlainKms, sequence } from '../../wire/fixture.ts'

export const STORE_KEY = sequence(32, 7)
export const PARTITION = 'a partition'
export const HOUR = 3_600_000
export const USE = { durable: false }

/** A KMS that authenticates K: a wrap opens for the context that it was made with, and for no other. */
export class BindingKms extends PlainKms {
  override readonly capabilities: KmsCapabilities = {
    usage: 'both',
    bindsContext: true,
    rewrapsInside: false,
    rotates: false,
    revealsVersion: true,
    batches: false,
    limits: { maxWrappedBytes: 6_144, maxContextBytes: 8_192 },
  }
  /** Before each call: may throw, or wait. */
  before: (name: 'generate' | 'unwrap', options: KmsCallOptions) => unknown = () => undefined
  /** The context of each unwrap. */
  readonly contexts: EncryptionContext[] = []

  count(name: string): number {
    return this.calls.filter((call) => call === name).length
  }

  override async generateDataKey(options: KmsCallOptions): Promise<GeneratedDataKey> {
    this.calls.push('generate')
    await this.before('generate', options)
    const plaintext = SecretBytes.take(crypto.getRandomValues(new Uint8Array(32)))
    return { plaintext, wraps: this.wraps(plaintext, options.context) }
  }

  override async unwrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<UnwrappedDataKey> {
    this.calls.push('unwrap')
    this.contexts.push(options.context)
    await this.before('unwrap', options)
    const [by] = wraps
    if (by === undefined) throw new KmsError('ERR_ENVELOPE_UNKNOWN_KEY')
    const bound = hashOf(options.context)
    if (this.capabilities.bindsContext && !bound.equals(by.wrapped.subarray(32))) {
      throw new KmsError('ERR_DECRYPT_FAILED')
    }
    return { plaintext: SecretBytes.take(by.wrapped.slice(0, 32).reverse()), by }
  }

  override async wrapDataKey(
    plaintext: SecretBytes,
    options: KmsCallOptions,
  ): Promise<WrappedKey[]> {
    this.calls.push('wrap')
    return this.wraps(plaintext, options.context)
  }

  /** Wraps as the KMS makes them: any caller of it can get them for any DEK. */
  wraps(plaintext: SecretBytes, context: EncryptionContext): WrappedKey[] {
    const dek = plaintext.expose().slice().reverse()
    const wrapped = new Uint8Array([...dek, ...hashOf(context)])
    return this.kekIds.map((kekId) => {
      return { provider: this.providerName, kekId, kekVersion: this.version, wrapped }
    })
  }
}

function hashOf(k: EncryptionContext): Buffer {
  return createHash('sha256').update(encodeKmsContext(k)).digest()
}

/** A KMS as Azure's RSA is: it opens any wrap, whatever the context. */
export class UnboundKms extends BindingKms {
  override readonly capabilities: KmsCapabilities = {
    ...new PlainKms().capabilities,
    bindsContext: false,
  }
}

type Options = Partial<DataKeyOptions & KmsCacheConfig> & {
  readonly sharing?: Partial<SharedDataKeysOptions>
}

/** Isolates in one world, with one KMS and one store. */
export class Cluster {
  readonly world = new FakeWorld()
  readonly kms: BindingKms
  readonly store: MemoryKeyValues

  constructor(kms = new BindingKms(), capabilities: Partial<KeyValueStore['capabilities']> = {}) {
    this.kms = kms
    this.store = new MemoryKeyValues(() => this.world.nowMs, capabilities)
    // The way to the store takes time, so that calls interleave.
    this.store.before = () => new Promise<void>((go) => void this.world.after(5, go))
  }

  /** A cache with nothing in memory. */
  isolate({ sharing, ...options }: Options = {}): CachedKms {
    const { store } = this
    const trust = sharing?.trustedStore === true ? {} : { storeAuthKey: STORE_KEY }
    const shared = sharedDataKeys({ store, partition: PARTITION, ...trust, ...sharing })
    const { kms, world } = this
    return new CachedKms({ kms, runtime: world, network: world, shared, ...options })
  }

  /** A key to write under, with the clock running until it is there. */
  async key(
    cache: CachedKms,
    context: EncryptionContext = CONTEXT,
    use: { readonly durable: boolean } = USE,
  ): Promise<DataEncryptionKey> {
    return this.value(Promise.resolve(cache.active(context, use)))
  }

  async value<T>(work: Promise<T>): Promise<T> {
    const result = await this.world.settled(work)
    if (result.status === 'rejected') throw result.reason
    return result.value
  }

  /** The name and bytes of the store's one slot. */
  get slot(): { readonly name: string; readonly bytes: Bytes } {
    const [entry, ...others] = this.store.values
    if (entry === undefined || others.length > 0) throw new Error('not one value')
    return { name: entry[0], bytes: entry[1].value }
  }

  /** Puts what an attacker likes under a name. */
  plant(name: string, value: Bytes): void {
    this.store.values.set(name, { value, untilMs: Infinity })
  }
}

/** A store whose writes are seen by others some time later, as on Workers KV. */
export class EventualKeyValues extends MemoryKeyValues {
  readonly #world: FakeWorld
  readonly #delayMs: number

  constructor(world: FakeWorld, delayMs: number) {
    super(() => world.nowMs, { consistency: 'eventual', compareAndSwap: false })
    this.#world = world
    this.#delayMs = delayMs
  }

  override async put(key: string, value: Bytes, options: KeyValueWriteOptions): Promise<void> {
    const atMs = this.#world.nowMs
    this.calls.push(`put ${key}`)
    this.#world.after(this.#delayMs, () => {
      this.values.set(key, { value, untilMs: atMs + options.ttlMs })
    })
  }
}
