import { KmsError } from '../errors.ts'
import {
  canonicalContext,
  contextId,
  type EncryptionContext,
  type KmsSignalOptions,
} from '../kms/index.ts'
import type { Network } from '../ports/index.ts'
import { SingleFlight, webTimers } from '../runtime/index.ts'
import type { KeyHeader } from '../wire/index.ts'
import type { DataEncryptionKey } from './data-encryption-key.ts'
import { integer } from '../checks/index.ts'
import type { ActiveKeyOptions, MaybePromise } from './data-key-source.ts'
import { ttlOnly } from './held-key.ts'
import { HeldKeys } from './held-keys.ts'
import { KmsSource } from './kms-source.ts'
import { headerId } from './opening.ts'
import type { KmsDataKeysOptions } from './source-options.ts'

/** Bounds of a cache in memory. Numbers are integers. */
export interface MemoryCacheConfig {
  /** How long a key is used without asking the KMS again, in milliseconds: 5 min by default, at most 1 h. */
  readonly ttlMs?: number
  /** Data keys that are held; 1,000 by default, at most 1,000,000. */
  readonly maxEntries?: number
  /** Timers of the cache; the platform's own by default. */
  readonly network?: Pick<Network, 'after'>
}

/** How long a caller waits for the KMS call of another one before it makes its own. */
const FOLLOWER_WAIT_MS = 2_000

/** Data keys held for a time, and one KMS call for all who miss the same one at the same time. */
export class MemoryKms extends KmsSource {
  readonly #held: HeldKeys
  readonly #flights: SingleFlight<DataEncryptionKey>

  /**
   * @param given - what holds the keys, where it does more than to look at their age
   * @throws KmsError `ERR_KMS_CONFIG`
   */
  constructor(options: KmsDataKeysOptions & MemoryCacheConfig, given?: HeldKeys) {
    const { ttlMs = 300_000, maxEntries = 1_000, network = webTimers, ...others } = options
    integer('maxEntries', maxEntries, 1, 1_000_000)
    const freshness = ttlOnly(integer('ttlMs', ttlMs, 1, 3_600_000))
    const held = given ?? new HeldKeys(maxEntries, freshness, freshness)
    super(others, held)
    this.#held = held
    this.#flights = new SingleFlight(network, FOLLOWER_WAIT_MS)
  }

  override active(
    context: EncryptionContext | undefined,
    options: ActiveKeyOptions,
  ): MaybePromise<DataEncryptionKey> {
    const held = this.#held
    const now = this.runtime.now()
    const entry = held.activeOf(context)
    if (entry !== undefined && held.writing.isUsable(entry, now, options)) {
      const { key } = entry
      if (key.reserve(this.limits, now, options.bytes)) {
        if (!options.durable || this.isDurable(key)) return key
        return this.makeDurable(key, options).then(() => key)
      }
    }
    // The caller may change its map while the KMS is asked.
    return this.makeMissing(canonicalContext(context).map, options)
  }

  override openMissing(
    header: KeyHeader,
    context: EncryptionContext | undefined,
    options: KmsSignalOptions,
  ): Promise<DataEncryptionKey> {
    // The whole header, and not what is its identity in the cache: wraps that were tampered with
    // must not fail for those who have the right ones.
    const id = [this.#held.opened.epoch, headerId(header, context)].join(' ')
    const work = (signal: AbortSignal): Promise<DataEncryptionKey> =>
      this.openNew(header, context, { ...options, signal })
    return this.#flights.run(id, work, options)
  }

  /** Makes another key. Before anyone else can have it, `count` says whether it becomes the active one. */
  async renew(
    context: EncryptionContext | undefined,
    options: ActiveKeyOptions,
    count: (key: DataEncryptionKey, nowMs: number) => boolean,
  ): Promise<DataEncryptionKey> {
    const held = this.#held
    const { epoch } = held.opened
    const key = await this.makeKey(context, options)
    const now = this.runtime.now()
    held.add(key, epoch, now, count(key, now))
    return key
  }

  /** A key to write under where none is at hand. */
  makeMissing(context: EncryptionContext, options: ActiveKeyOptions): Promise<DataEncryptionKey> {
    return this.#make(context, options)
  }

  async #make(context: EncryptionContext, options: ActiveKeyOptions): Promise<DataEncryptionKey> {
    const id = [this.#held.opened.epoch, options.durable, contextId(context)].join(' ')
    const leader: { counted?: boolean } = {}
    const make = (signal: AbortSignal, isFull: () => boolean): Promise<DataEncryptionKey> =>
      this.renew(context, { ...options, signal }, (key, now) => {
        leader.counted = key.reserve(this.limits, now, options.bytes)
        // Those who wait for a full flight use its key up: it must not push out one with uses left (R19).
        return !isFull()
      })
    const key = await this.#flights.run(id, make, options, this.limits.maxMessages)
    const { counted } = leader
    if (counted === false) throw new KmsError('ERR_DATA_KEY_EXHAUSTED')
    if (counted || key.reserve(this.limits, this.runtime.now(), options.bytes)) return key
    return this.#make(context, options) // others were faster to use the key up
  }
}
