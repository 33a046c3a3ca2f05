import { KmsError } from '../../errors.ts'
import {
  type CanonicalContext,
  canonicalContext,
  contextEquals,
  contextId,
  type EncryptionContext,
} from '../../kms/index.ts'
import { BoundedMap, SingleFlight } from '../../runtime/index.ts'
import type { DataEncryptionKey } from '../data-encryption-key.ts'
import { mayEncryptAt } from '../data-key-limits.ts'
import type { ActiveKeyOptions } from '../data-key-source.ts'
import type { ObtainOptions } from '../shared-level.ts'
import { freshnessOf } from './freshness.ts'
import type { HeldKey } from './held-key.ts'
import { MessageCounts } from './message-counts.ts'
import { type CacheParts, FOLLOWER_WAIT_MS } from './parts.ts'
import type { ReaderKeys } from './reader-keys.ts'
import { Renewal } from './renewal.ts'

/** Callers that share a key which others use up join this many times before each makes its own. */
const MAX_JOINS = 2

/** Makes a data key for a context, or takes one that other processes share. */
export type ObtainKey = (
  context: CanonicalContext,
  options: ObtainOptions,
) => Promise<DataEncryptionKey>

/**
 * The keys that writers of a cache use, one for each context: memory, single flight, shared level, KMS;
 * and a stale key while the KMS is down.
 */
export class WriterKeys {
  readonly held: BoundedMap<string, HeldKey>
  readonly renewal: Renewal<ActiveKeyOptions>
  readonly counts: MessageCounts
  readonly #parts: CacheParts
  readonly #readers: ReaderKeys
  readonly #obtain: ObtainKey
  readonly #flights: SingleFlight<DataEncryptionKey>
  /** The entry of the last call: it is found without making an id. */
  #latest: HeldKey | undefined

  constructor(parts: CacheParts, readers: ReaderKeys, obtain: ObtainKey) {
    const { settings } = parts
    this.held = new BoundedMap(settings.maxEntries)
    this.renewal = new Renewal(
      settings.writing,
      parts,
      'staleEncrypts',
      ({ key: { context } }, options) =>
        this.#renew(context, { ...options, signal: undefined, ahead: true }),
    )
    this.counts = new MessageCounts(settings.limits.maxMessages, 4 * settings.maxEntries + 1_000)
    this.#parts = parts
    this.#readers = readers
    this.#obtain = obtain
    this.#flights = new SingleFlight(settings.network, FOLLOWER_WAIT_MS, settings.runtime)
  }

  /** Returns the entry of a context, whatever its age. */
  find(context: EncryptionContext | undefined): HeldKey | undefined {
    const latest = this.#latest
    if (latest !== undefined && contextEquals(context, latest.key.context)) return latest
    return (this.#latest = this.held.get(contextId(context)))
  }

  /** Returns a key that may encrypt one more message, if it is at hand; the message is counted. */
  atHand(
    context: EncryptionContext | undefined,
    options: ActiveKeyOptions,
  ): DataEncryptionKey | undefined {
    const held = this.find(context)
    if (held === undefined) return undefined
    const now = this.#now()
    this.#parts.look(now, options.defer)
    const freshness = freshnessOf(held, now, this.#parts.settings.writing)
    if (freshness === 'expired' || !this.#take(held.key, now)) return undefined
    if (freshness !== 'fresh') this.renewal.used(held, freshness, now, options)
    this.#parts.counts.encryptHits += 1
    return held.key
  }

  /** Returns a key where none is at hand: a new one, a shared one, or a stale one while the KMS is down. */
  async missing(
    given: EncryptionContext | undefined,
    options: ActiveKeyOptions,
  ): Promise<DataEncryptionKey> {
    this.#parts.counts.encryptMisses += 1
    const context = canonicalContext(given) // the caller may change its map while the KMS is asked
    try {
      return await this.#fresh(context, options)
    } catch (error) {
      const stale = this.renewal.standIn(this.find(context.map), error)
      if (stale === undefined || !this.#take(stale, this.#now())) throw error
      return stale
    }
  }

  clear(): void {
    this.held.clear()
    this.counts.clear()
    this.#latest = undefined
  }

  /** Exhaustion stays linear: who finds two shared keys used up makes one alone. */
  async #fresh(context: CanonicalContext, options: ActiveKeyOptions): Promise<DataEncryptionKey> {
    const mostJoins = this.#parts.settings.maxEntries === 0 ? 0 : MAX_JOINS
    for (let joins = 0; joins < mostJoins; joins += 1) {
      const id = `${String(this.#parts.stamp.value)} ${context.id}`
      const work = (signal: AbortSignal): Promise<DataEncryptionKey> =>
        this.#renew(context, { ...options, signal })
      const key = await this.#flights.run(id, work, options)
      if (this.#take(key, this.#now())) return key
    }
    const own = await this.#parts.factory.make(context, options)
    if (!this.#take(own, this.#now())) throw new KmsError('ERR_DATA_KEY_EXHAUSTED')
    return own
  }

  async #renew(context: CanonicalContext, options: ObtainOptions): Promise<DataEncryptionKey> {
    const stamp = this.#parts.stamp.value
    const key = await this.#obtain(context, options)
    await key.prepare()
    if (stamp !== this.#parts.stamp.value) return key
    this.#readers.add(key, stamp)
    this.#latest = this.renewal.hold(key)
    this.held.set(context.id, this.#latest)
    return key
  }

  /** Counts one message, or returns `false`: the key is too old or used up. */
  #take({ header }: DataEncryptionKey, nowMs: number): boolean {
    const { encryptForMs } = this.#parts.settings.limits
    if (!mayEncryptAt(header.createdAtMs, encryptForMs, nowMs)) return false
    return this.counts.take(header.commitment)
  }

  #now(): number {
    return this.#parts.settings.runtime.now()
  }
}
