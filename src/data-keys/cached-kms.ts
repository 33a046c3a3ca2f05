import { isKmsError, type Outcome } from '../errors.ts'
import { integer, wrongOption } from '../checks/index.ts'
import { canonicalContext, type EncryptionContext, type KmsSignalOptions } from '../kms/index.ts'
import { webNetwork } from '../runtime/index.ts'
import type { KeyHeader } from '../wire/index.ts'
import { equalBytes } from '../bytes/index.ts'
import type { KmsCacheConfig } from './cache-config.ts'
import { type CacheStats, NOT_SHARED } from './cache-stats.ts'
import type { DataEncryptionKey } from './data-encryption-key.ts'
import { dataKeyLimits } from './data-key-limits.ts'
import type { ActiveKeyOptions, Defer, MaybePromise, OpenRequest } from './data-key-source.ts'
import type { HeldKey } from './held-key.ts'
import { HeldKeys } from './held-keys.ts'
import { dropFrom, type Invalidation, meantBy } from './invalidation.ts'
import { MemoryKms } from './memory-kms.ts'
import { isOfContext } from './opened-keys.ts'
import type { ObtainOptions, SharedDataKeys, SharedLevel, SharedLevelHost } from './shared-level.ts'
import type { KmsDataKeysOptions } from './source-options.ts'
import { failureOf, StaleFreshness } from './stale-freshness.ts'

/**
 * Data keys kept in the memory of this process or isolate. Holds derived keys that cannot be
 * exported, never raw bytes.
 *
 * @remarks Security: a key that is disabled in the KMS still decrypts here for up to `ttlMs`, and for
 * `maxStaleMs` more while the KMS cannot be reached.
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
export class CachedKms extends MemoryKms {
  readonly #held: HeldKeys
  readonly #reading: StaleFreshness<KmsSignalOptions>
  readonly #writing: StaleFreshness<ActiveKeyOptions>
  readonly #shared: SharedLevel | undefined
  /** Keys that others made, whose records are in the data-key store as somebody has rewrapped them. */
  readonly #rewrapped = new WeakSet<DataEncryptionKey>()
  #encrypts = 0
  #encryptMisses = 0
  #revocations = 0

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: KmsDataKeysOptions & KmsCacheConfig) {
    const {
      refreshAheadMs: ahead,
      maxStaleMs = 60_000,
      maxStaleWriteMs = 60_000,
      shared,
      ...others
    } = options
    const { ttlMs = 300_000, maxEntries = 1_000, network = webNetwork } = others
    const { encryptForMs } = dataKeyLimits(others.encryptForMs)
    const refreshAheadMs = ahead ?? Math.floor(integer('ttlMs', ttlMs, 1, 3_600_000) / 5)
    const look = (nowMs: number, defer: Defer): void => this.#shared?.look(nowMs, defer)
    const reading = new StaleFreshness<KmsSignalOptions>(
      { ttlMs, refreshAheadMs, maxStaleMs, encryptForMs: Infinity },
      network,
      (held, { defer }) => {
        this.#reopen(held, defer)
      },
      look,
    )
    const writing = new StaleFreshness<ActiveKeyOptions>(
      { ttlMs, refreshAheadMs, maxStaleMs: maxStaleWriteMs, encryptForMs },
      network,
      (held, use) => {
        this.#replace(held, use)
      },
      look,
    )
    const held = new HeldKeys(maxEntries, reading, writing)
    super(others, held)
    integer('refreshAheadMs', refreshAheadMs, 0, ttlMs)
    integer('maxStaleMs', maxStaleMs, 0, 86_400_000)
    integer('maxStaleWriteMs', maxStaleWriteMs, 0, 86_400_000)
    this.#held = held
    this.#reading = reading
    this.#writing = writing
    if (shared === undefined) return
    if (typeof (shared as Partial<SharedDataKeys> | null)?.attach !== 'function') {
      throw wrongOption('shared')
    }
    this.#shared = shared.attach(this.#hostOf(others.kms, { network, maxEntries, refreshAheadMs }))
  }

  override active(
    context: EncryptionContext | undefined,
    options: ActiveKeyOptions,
  ): MaybePromise<DataEncryptionKey> {
    this.#encrypts += 1
    return super.active(context, options)
  }

  override async makeMissing(
    context: EncryptionContext,
    options: ActiveKeyOptions,
  ): Promise<DataEncryptionKey> {
    this.#encryptMisses += 1
    try {
      return await this.#makeOrAgain(context, options)
    } catch (error) {
      const held = this.#held.activeOf(context)
      const key = held && this.#standsIn(held, error, this.#writing)
      if (key?.reserve(this.limits, this.runtime.now(), options.bytes) !== true) throw error
      if (options.durable) await this.makeDurable(key, options)
      return key
    }
  }

  override async makeKey(
    context: EncryptionContext | undefined,
    options: ActiveKeyOptions & { readonly own?: boolean },
  ): Promise<DataEncryptionKey> {
    if (this.#shared === undefined || options.own) return super.makeKey(context, options)
    return this.#shared.obtain(canonicalContext(context), options)
  }

  override async openMissing(
    header: KeyHeader,
    context: EncryptionContext | undefined,
    options: KmsSignalOptions,
  ): Promise<DataEncryptionKey> {
    this.#shared?.look(this.runtime.now(), options.defer)
    try {
      return await super.openMissing(header, context, options)
    } catch (error) {
      const stale = this.#staleOf(header, context, error)
      if (stale === undefined) throw error
      return stale
    }
  }

  override async openMany(
    requests: readonly OpenRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<DataEncryptionKey>[]> {
    this.#shared?.look(this.runtime.now(), options.defer)
    const outcomes = await super.openMany(requests, options)
    return outcomes.map((outcome, i) => {
      if (outcome.ok) return outcome
      const { header, context } = requests[i] as OpenRequest
      const stale = this.#staleOf(header, context, outcome.error)
      return stale === undefined ? outcome : { ok: true, value: stale }
    })
  }

  stats(): CacheStats {
    const { opened } = this.#held
    return {
      entries: opened.keys.size,
      encryptHits: this.#encrypts - this.#encryptMisses,
      encryptMisses: this.#encryptMisses,
      decryptHits: opened.hits,
      decryptMisses: opened.misses,
      staleEncrypts: this.#writing.staleServes,
      staleDecrypts: this.#reading.staleServes,
      refreshes: this.#reading.refreshes + this.#writing.refreshes,
      evictions: opened.keys.evictions,
      revocations: this.#revocations,
      refusals: this.refusals,
      ...(this.#shared?.stats() ?? NOT_SHARED),
    }
  }

  override clear(): void {
    super.clear()
    this.#shared?.clear()
  }

  /**
   * Drops keys at once: after a grant was taken back, or a key was compromised. The next use asks the KMS.
   * With a shared level, what is shared by now is not used any more by anybody, and the other caches of the
   * partition, which are told through the store, drop all that they hold. A cache in use hears of it within
   * `signalMs`, one call of the store and the time that the store takes to show a write; one that is not in
   * use, in the background of its next use.
   *
   * @throws KmsError `ERR_STORE_UNAVAILABLE`: dropped here, but the others were not told; call again
   */
  async invalidate(what: Invalidation = {}, options: KmsSignalOptions = {}): Promise<void> {
    const isMeant = meantBy(what)
    const drop = (): void => {
      if (isMeant === undefined) super.clear()
      else dropFrom(this.#held, isMeant)
    }
    drop()
    try {
      await this.#shared?.signal(options)
    } finally {
      drop() // what was adopted again until the others were told
    }
  }

  /** A key that others made may have been rewrapped by now, and its record differs in its wraps then. */
  override async makeDurable(key: DataEncryptionKey, options: KmsSignalOptions): Promise<void> {
    if (this.#rewrapped.has(key)) return
    try {
      await super.makeDurable(key, options)
    } catch (error) {
      if (this.#shared === undefined) throw error
      const there = this.headerOf(key.header.commitment, options)
      await there.catch(() => Promise.reject(error as Error)) // what is not there was not written
      this.#rewrapped.add(key)
    }
  }

  override isDurable(key: DataEncryptionKey): boolean {
    return super.isDurable(key) || this.#rewrapped.has(key)
  }

  #hostOf(
    kms: KmsDataKeysOptions['kms'],
    settings: Pick<SharedLevelHost, 'network' | 'maxEntries' | 'refreshAheadMs'>,
  ): SharedLevelHost {
    const { opened } = this.#held
    return {
      ...settings,
      runtime: this.runtime,
      limits: this.limits,
      policy: this.policy,
      capabilities: kms.capabilities,
      get entries() {
        return opened.keys.size
      },
      canOpen: (wraps) => this.canOpen(wraps),
      make: (context, options) => super.makeKey(context.map, options),
      open: (header, context, options) => this.openNew(header, context, options),
      makeDurable: (key, options) => this.makeDurable(key, options),
      drop: () => {
        super.clear()
      },
    }
  }

  /** A key that was adopted may be used up, or come to its end, in that moment: then one of our own. */
  async #makeOrAgain(
    context: EncryptionContext,
    options: ActiveKeyOptions,
  ): Promise<DataEncryptionKey> {
    try {
      return await super.makeMissing(context, options)
    } catch (error) {
      const usedUp = isKmsError(error, 'ERR_DATA_KEY_EXHAUSTED')
      const fits = options.bytes <= this.limits.maxBytes
      if (this.#shared === undefined || !usedUp || !fits) throw error
      return super.makeMissing(context, { ...options, own: true } as ActiveKeyOptions)
    }
  }

  /** The key of a header that stands in for what the KMS did not give. */
  #staleOf(
    header: KeyHeader,
    context: EncryptionContext | undefined,
    error: unknown,
  ): DataEncryptionKey | undefined {
    const held = this.#held.opened.peek(header.commitment, 0)
    if (held === undefined || !isOfContext(held.key, context)) return undefined
    // Not the wraps: what somebody did to theirs must not drop the key of those who have the right ones.
    if (!equalBytes(header.bytes, held.key.header.bytes)) return undefined
    return this.#standsIn(held, error, this.#reading)
  }

  /** A key that may be used although the KMS was asked in vain. */
  #standsIn(
    held: HeldKey,
    error: unknown,
    freshness: StaleFreshness<never>,
  ): DataEncryptionKey | undefined {
    if (!this.#isOutage(held, error)) return undefined
    return freshness.standsIn(held, this.runtime.now()) ? held.key : undefined
  }

  /** Whether the KMS is down. Where it gave a verdict on the key, that goes at once, for readers and writers. */
  #isOutage(held: HeldKey, error: unknown): boolean {
    const failure = failureOf(error)
    if (failure === 'outage') held.outageAtMs = this.runtime.now()
    if (failure === 'verdict') {
      if (held.cachedAtMs !== -Infinity) this.#revocations += 1
      const { header, context } = held.key
      for (const entry of [
        held,
        this.#held.opened.peek(header.commitment, 0),
        this.#held.activeOf(context.map),
      ]) {
        if (entry !== undefined) entry.cachedAtMs = -Infinity
      }
    }
    return failure === 'outage'
  }

  #reopen(held: HeldKey, defer: Defer): void {
    const { header, context } = held.key
    this.#behind(held, defer, this.openNew(header, context.map, {}))
  }

  #replace(held: HeldKey, options: ActiveKeyOptions): void {
    const { context } = held.key
    const call: ObtainOptions = { ...options, signal: undefined, ahead: true }
    this.#behind(
      held,
      options.defer,
      this.renew(context.map, call, () => true),
    )
  }

  /** Work that no caller waits for: what it brings is in the cache. */
  #behind(held: HeldKey, defer: Defer, work: Promise<unknown>): void {
    const quiet = work.catch((error: unknown) => {
      this.#isOutage(held, error)
    })
    defer?.(quiet)
  }
}
