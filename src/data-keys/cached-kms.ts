import type { Bytes } from '../bytes/index.ts'
import { SubkeyPool } from '../ciphers/index.ts'
import type { Outcome } from '../errors.ts'
import type { EncryptionContext, KmsSignalOptions, WrappedKey } from '../kms/index.ts'
import type { KeyHeader } from '../wire/index.ts'
import type { KmsCacheConfig } from './cache/config.ts'
import { dropHeld } from './cache/held-key.ts'
import { type Invalidation, meantBy } from './cache/invalidation.ts'
import type { CacheParts } from './cache/parts.ts'
import { NOT_SHARED } from './cache/not-shared.ts'
import { ReaderKeys } from './cache/reader-keys.ts'
import { type CacheStats, noCounts } from './cache/stats.ts'
import { WriterKeys } from './cache/writer-keys.ts'
import type { DataEncryptionKey } from './data-encryption-key.ts'
import { DataKeyFactory } from './data-key-factory.ts'
import type {
  ActiveKeyOptions,
  DataKeyPolicy,
  DataKeySource,
  Defer,
  MaybePromise,
  OpenRequest,
  RewrapKeyOptions,
} from './data-key-source.ts'
import { SUBKEYS } from './defaults.ts'
import { DataKeyRecords } from './records/data-key-records.ts'
import type { SharedLevel } from './shared-level.ts'
import { type DataKeyOptions, sourceSettings } from './source-options.ts'

/**
 * Caches the data keys of a KMS: the source of keys of an `EnvelopeCipher`. It is not itself a
 * `KeyManagementService`. It holds derived keys that cannot be exported, never raw bytes.
 *
 * @remarks Security: a key that is disabled in the KMS still decrypts here for up to `ttlMs`, and for
 * `maxStaleMs` more while the KMS cannot be reached. One cache is one partition: callers that must not
 * see each other's keys need different contexts, or a cache each.
 *
 * @example
 * ```ts
 * import { CachedKms, EnvelopeCipher } from 'edge-kms'
 * import { createLocalKms } from 'edge-kms/local'
 *
 * const kms = createLocalKms({ versions: [{ version: 1, key: crypto.getRandomValues(new Uint8Array(32)) }] })
 * const keys = new CachedKms({ kms, ttlMs: 60_000 })
 * export const cipher = new EnvelopeCipher({ keys })
 * ```
 */
export class CachedKms implements DataKeySource {
  readonly policy: DataKeyPolicy
  readonly #records: DataKeyRecords
  readonly #parts: CacheParts
  readonly #readers: ReaderKeys
  readonly #writers: WriterKeys
  readonly #shared: SharedLevel
  readonly #subkeys = new SubkeyPool(SUBKEYS.ofCache)

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: DataKeyOptions & KmsCacheConfig) {
    const settings = sourceSettings(options)
    const factory = new DataKeyFactory(settings, () =>
      settings.maxEntries === 0 ? new SubkeyPool(SUBKEYS.ofKey) : this.#subkeys,
    )
    const parts: CacheParts = {
      settings,
      factory,
      counts: noCounts(),
      stamp: { value: 0 },
      look: (nowMs, defer) => this.#shared.look(nowMs, defer),
      refused: ({ header, context }) => {
        const held = [readers.held.find(header.commitment), this.#writers.find(context.map)]
        if (dropHeld(held)) parts.counts.revocations += 1
      },
    }
    const readers = new ReaderKeys(parts)
    this.policy = settings.policy
    this.#parts = parts
    this.#records = new DataKeyRecords(settings, factory)
    this.#readers = readers
    this.#writers = new WriterKeys(parts, readers, (...asked) => this.#shared.obtain(...asked))
    this.#shared = (settings.shared ?? NOT_SHARED).attach({
      ...settings,
      get entries() {
        return readers.held.size
      },
      canOpen: (...given) => factory.canOpen(...given),
      isUsedUp: (commitment) => this.#writers.counts.isUsedUp(commitment),
      make: (context, asked) => factory.make(context, asked),
      open: (header, context, asked) => readers.openAgain(header, context, asked),
      drop: () => {
        this.#drop()
      },
    })
  }

  active(
    context: EncryptionContext | undefined,
    options: ActiveKeyOptions,
  ): MaybePromise<DataEncryptionKey> {
    const key = this.#writers.atHand(context, options) ?? this.#writers.missing(context, options)
    const ready = this.#records.ready(key, options)
    if (!(ready instanceof Promise)) return ready
    // A clear while the KMS or a store was asked has ended the key: it must not fail the caller.
    return ready.then((key) => (key.generation.ended ? this.active(context, options) : key))
  }

  open(
    header: KeyHeader,
    context: EncryptionContext | undefined,
    options: KmsSignalOptions,
  ): MaybePromise<DataEncryptionKey> {
    return this.#readers.open(header, context, options)
  }

  openMany(
    requests: readonly OpenRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<DataEncryptionKey>[]> {
    return this.#readers.openMany(requests, options)
  }

  byReference(
    commitment: Bytes,
    context: EncryptionContext | undefined,
    options: KmsSignalOptions,
  ): MaybePromise<DataEncryptionKey> {
    return (
      this.#readers.named(commitment, context, options) ??
      this.headerOf(commitment, options).then((header) => this.open(header, context, options))
    )
  }

  headerOf(commitment: Bytes, options: KmsSignalOptions): Promise<KeyHeader> {
    return this.#records.headerOf(commitment, options)
  }

  recall(
    message: Bytes,
    context: EncryptionContext | undefined,
    defer: Defer,
  ): DataEncryptionKey | undefined {
    return this.#readers.recall(message, context, { defer })
  }

  rewrap(
    header: KeyHeader,
    context: EncryptionContext | undefined,
    options: RewrapKeyOptions,
  ): Promise<KeyHeader> {
    return this.#parts.factory.rewrap(header, context, options)
  }

  canOpen(wraps: readonly WrappedKey[], context?: EncryptionContext): boolean {
    return this.#parts.factory.canOpen(wraps, context)
  }

  /** Returns the counts since construction. */
  stats(): CacheStats {
    const { counts, factory } = this.#parts
    const { size: entries, evictions } = this.#readers.held
    const { refusals } = factory.failed
    return { ...counts, entries, evictions, refusals, ...this.#shared.stats() }
  }

  /** Drops all keys and fails open streams. Call it after a restore from a snapshot, or to revoke at once (W5.7). */
  clear(): void {
    this.#parts.factory.clear()
    this.#drop()
    this.#shared.clear()
  }

  /**
   * Drops keys at once, e.g. after a grant was revoked or a key leaked. The next use asks the KMS. With a shared
   * level, the other caches of the partition then drop all their keys. A cache in use does so within `signalMs` plus
   * the time until the store shows a write. An idle cache does so in the background of its next use.
   *
   * @throws KmsError `ERR_STORE_UNAVAILABLE` if the other caches could not be notified; call again
   */
  async invalidate(what: Invalidation = {}, options: KmsSignalOptions = {}): Promise<void> {
    const isMeant = meantBy(what, options)
    this.#drop(isMeant)
    try {
      await this.#shared.signal(options)
    } finally {
      this.#drop(isMeant) // keys adopted again before the others got the signal
    }
  }

  /** Drops keys, for readers and writers, and calls under way. */
  #drop(isMeant?: (key: DataEncryptionKey) => boolean): void {
    this.#parts.stamp.value += 1
    if (isMeant === undefined) {
      this.#readers.held.clear()
      this.#writers.clear()
      this.#subkeys.clear()
      return
    }
    const held = [...this.#readers.held.values(), ...this.#writers.held.values()]
    dropHeld(held.filter(({ key }) => isMeant(key)))
  }
}
