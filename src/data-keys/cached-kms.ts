import { KmsError } from '../errors.ts'
import { contextId, type EncryptionContext, type KmsSignalOptions } from '../kms/index.ts'
import type { Network } from '../ports/index.ts'
import { SingleFlight, webNetwork } from '../runtime/index.ts'
import type { KeyHeader } from '../wire/index.ts'
import { BoundedMap } from './bounded-map.ts'
import type { DataEncryptionKey } from './data-encryption-key.ts'
import { inRange } from './data-key-limits.ts'
import type { ActiveKeyOptions, MaybePromise } from './data-key-source.ts'
import { KmsSource } from './kms-data-keys.ts'
import { type HeldKey, isOfContext, OpenedKeys } from './opened-keys.ts'
import { headerId } from './opening.ts'
import type { KmsDataKeysOptions } from './source-options.ts'

/** Bounds of a cache of data keys. Numbers are integers. */
export interface KmsCacheConfig {
  /** How long a key is used without asking the KMS again, in milliseconds: 5 min by default, at most 1 h. */
  readonly ttlMs?: number
  /** Data keys that are held; 1,000 by default, at most 1,000,000. */
  readonly maxEntries?: number
  /** Timers and jitter of the cache; the platform's own by default. */
  readonly network?: Network
}

/** How long a caller waits for the KMS call of another one before it makes its own. */
const FOLLOWER_WAIT_MS = 2_000

/** Counts since construction; `entries` is the number now. */
export interface CacheStats {
  readonly entries: number
  readonly encryptHits: number
  readonly encryptMisses: number
  readonly decryptHits: number
  readonly decryptMisses: number
  /** Keys dropped because the cache was full. */
  readonly evictions: number
  /** Headers refused from memory, without a KMS call, because they failed a moment ago. */
  readonly refusals: number
}

/**
 * Data keys kept in the memory of this process or isolate. Holds derived keys that cannot be
 * exported, never raw bytes.
 *
 * @remarks Security: a key that is disabled in the KMS still decrypts here for up to `ttlMs`.
 * One cache is one partition: do not share it between callers that must not see each other's keys
 * without telling them apart in the context.
 *
 * @example
 * ```ts
 * import { CachedKms, EnvelopeCipher } from 'edge-kms'
 * import { createLocalKms } from 'edge-kms/local'
 *
 * const kms = createLocalKms({ versions: [{ version: 1, key: crypto.getRandomValues(new Uint8Array(32)) }] })
 * const keys = new CachedKms({ kms, ttlMs: 60_000, maxMessages: 100_000 })
 * export const cipher = new EnvelopeCipher({ keys })
 * ```
 */
export class CachedKms extends KmsSource {
  readonly #opened: OpenedKeys
  readonly #active: BoundedMap<string, HeldKey>
  readonly #flights: SingleFlight<DataEncryptionKey>
  #latest: HeldKey | undefined
  #stats = { encryptHits: 0, encryptMisses: 0 }

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: KmsDataKeysOptions & KmsCacheConfig) {
    const { ttlMs = 300_000, maxEntries = 1_000, network = webNetwork, ...others } = options
    inRange('maxEntries', maxEntries, 1, 1_000_000)
    const opened = new OpenedKeys(maxEntries, inRange('ttlMs', ttlMs, 1, 3_600_000))
    super(others, opened)
    this.#opened = opened
    this.#active = new BoundedMap(maxEntries)
    this.#flights = new SingleFlight(network, FOLLOWER_WAIT_MS)
  }

  override active(
    context: EncryptionContext | undefined,
    options: ActiveKeyOptions,
  ): MaybePromise<DataEncryptionKey> {
    const now = this.runtime.now()
    const entry = this.#activeOf(context)
    if (entry !== undefined) {
      const { key } = entry
      if (this.#opened.isFresh(entry, now) && key.reserve(this.limits, now, options.bytes)) {
        this.#stats.encryptHits += 1
        if (!options.durable || this.isDurable(key)) return key
        return this.makeDurable(key, options).then(() => key)
      }
      this.#active.delete(key.context.id)
      this.#latest = undefined
    }
    this.#stats.encryptMisses += 1
    return this.#make(context, options)
  }

  /** W5.7: nothing that was made or learnt before stays. */
  override clear(): void {
    this.#active.clear()
    this.#latest = undefined
    super.clear()
  }

  stats(): CacheStats {
    const { size: entries, evictions, hits: decryptHits, misses: decryptMisses } = this.#opened
    const { refusals } = this
    return { ...this.#stats, entries, evictions, decryptHits, decryptMisses, refusals }
  }

  /** The key that is active for a context. That of the last call is found without making an id. */
  #activeOf(context: EncryptionContext | undefined): HeldKey | undefined {
    const latest = this.#latest
    if (latest !== undefined && isOfContext(latest.key, context)) return latest
    return (this.#latest = this.#active.get(contextId(context)))
  }

  override openNew(
    header: KeyHeader,
    context: EncryptionContext | undefined,
    options: KmsSignalOptions,
  ): Promise<DataEncryptionKey> {
    // The whole header, and not what is its identity in the cache: wraps that were tampered with
    // must not fail for those who have the right ones.
    const id = `${String(this.#opened.epoch)} ${headerId(header, context)}`
    const work = (signal: AbortSignal): Promise<DataEncryptionKey> =>
      super.openNew(header, context, { ...options, signal })
    return this.#flights.run(id, work, options)
  }

  async #make(
    context: EncryptionContext | undefined,
    options: ActiveKeyOptions,
  ): Promise<DataEncryptionKey> {
    const { epoch } = this.#opened
    const id = [epoch, options.durable, contextId(context)].join(' ')
    const mine: { counted?: boolean } = {}
    const make = async (signal: AbortSignal, isFull: () => boolean): Promise<DataEncryptionKey> => {
      const key = await this.makeKey(context, { ...options, signal })
      const cachedAtMs = this.runtime.now()
      mine.counted = key.reserve(this.limits, cachedAtMs, options.bytes)
      // Those who wait for a full flight use its key up: it must not push out one with uses left (R19).
      if (this.#opened.add(key, epoch, cachedAtMs) && !isFull()) {
        // Under the key's own context: a getter may have answered the look-up differently.
        this.#latest = { key, cachedAtMs }
        this.#active.set(key.context.id, this.#latest)
      }
      return key
    }
    const key = await this.#flights.run(id, make, options, this.limits.maxMessages)
    const counted = mine.counted ?? key.reserve(this.limits, this.runtime.now(), options.bytes)
    if (counted) return key
    if (mine.counted === false) throw new KmsError('ERR_DATA_KEY_EXHAUSTED')
    return this.#make(context, options) // others were faster to use the key up
  }
}
