import { type Bytes, equalBytes } from '../bytes/index.ts'
import { isKmsError, KmsError, type Outcome } from '../errors.ts'
import {
  canonicalContext,
  contextId,
  type EncryptionContext,
  type KmsSignalOptions,
  type WrappedKey,
} from '../kms/index.ts'
import type { KeyHeader } from '../wire/index.ts'
import { BoundedMap } from './bounded-map.ts'
import type { DataEncryptionKey } from './data-encryption-key.ts'
import { inRange } from './data-key-limits.ts'
import type {
  ActiveKeyOptions,
  DataKeyPolicy,
  DataKeySource,
  MaybePromise,
  OpenRequest,
  RewrapKeyOptions,
} from './data-key-source.ts'
import { FailedHeaders } from './failed-headers.ts'
import { checkHeader } from './header-policy.ts'
import { KmsDataKeys, type KmsDataKeysOptions } from './kms-data-keys.ts'
import { settle } from './open-batch.ts'
import { type HeldKey, isOfContext, OpenedKeys } from './opened-keys.ts'

/** Bounds of a cache of data keys. Numbers are integers. */
export interface KmsCacheConfig {
  /** How long a key is used without asking the KMS again, in milliseconds: 5 min by default, at most 1 h. */
  readonly ttlMs?: number
  /** Data keys that are held; 1,000 by default, at most 1,000,000. */
  readonly maxEntries?: number
}

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
export class CachedKms implements DataKeySource {
  readonly policy: DataKeyPolicy
  readonly #inner: KmsDataKeys
  readonly #opened: OpenedKeys
  readonly #active: BoundedMap<string, HeldKey>
  readonly #failed: FailedHeaders
  #latest: HeldKey | undefined
  #epoch = 0
  #stats = { encryptHits: 0, encryptMisses: 0, decryptHits: 0, decryptMisses: 0, refusals: 0 }

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: KmsDataKeysOptions & KmsCacheConfig) {
    this.#inner = new KmsDataKeys(options)
    this.policy = this.#inner.policy
    const ttlMs = inRange('ttlMs', options.ttlMs ?? 300_000, 1, 3_600_000)
    const maxEntries = inRange('maxEntries', options.maxEntries ?? 1_000, 1, 1_000_000)
    this.#opened = new OpenedKeys(maxEntries, ttlMs)
    this.#active = new BoundedMap(maxEntries)
    this.#failed = new FailedHeaders(this.#inner.runtime)
  }

  active(
    context: EncryptionContext | undefined,
    options: ActiveKeyOptions,
  ): MaybePromise<DataEncryptionKey> {
    const now = this.#inner.runtime.now()
    const entry = this.#activeOf(context)
    if (entry !== undefined) {
      const { key } = entry
      if (this.#opened.isFresh(entry, now) && key.reserve(this.#inner.limits, now, options.bytes)) {
        this.#stats.encryptHits += 1
        if (!options.durable || key.durable) return key
        return this.#inner.makeDurable(key, options).then(() => key)
      }
      this.#active.delete(key.context.id)
      this.#latest = undefined
    }
    this.#stats.encryptMisses += 1
    return this.#make(context, options)
  }

  open(
    header: KeyHeader,
    context: EncryptionContext | undefined,
    options: KmsSignalOptions,
  ): MaybePromise<DataEncryptionKey> {
    checkHeader(this.#inner.kms, header, context)
    const held = this.#held(header, context)
    if (held !== undefined) return held
    this.#stats.decryptMisses += 1
    return this.#unwrap(header, context, options)
  }

  async openMany(
    requests: readonly OpenRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<DataEncryptionKey>[]> {
    const outcomes = new Array<Outcome<DataEncryptionKey>>(requests.length)
    const missing: number[] = []
    for (const [i, request] of requests.entries()) {
      try {
        checkHeader(this.#inner.kms, request.header, request.context)
        const held = this.#held(request.header, request.context)
        if (held === undefined) missing.push(i)
        else outcomes[i] = { ok: true, value: held }
      } catch (error) {
        if (!isKmsError(error)) throw error
        outcomes[i] = { ok: false, error }
      }
    }
    if (missing.length === 0) return outcomes
    this.#stats.decryptMisses += missing.length
    const opened = await this.#openMissing(
      missing.map((i) => requests[i] as OpenRequest),
      options,
    )
    for (const [place, outcome] of opened.entries()) outcomes[missing[place] as number] = outcome
    return outcomes
  }

  byReference(
    commitment: Bytes,
    context: EncryptionContext | undefined,
    options: KmsSignalOptions,
  ): MaybePromise<DataEncryptionKey> {
    const held = this.#opened.find(commitment, 0, this.#inner.runtime.now())
    if (held !== undefined && isOfContext(held, context)) {
      this.#stats.decryptHits += 1
      return held
    }
    return this.#inner
      .headerOf(commitment, options)
      .then((header) => this.open(header, context, options))
  }

  headerOf(commitment: Bytes, options: KmsSignalOptions): Promise<KeyHeader> {
    return this.#inner.headerOf(commitment, options)
  }

  recall(message: Bytes, context: EncryptionContext | undefined): DataEncryptionKey | undefined {
    const held = this.#opened.recall(message, this.#inner.runtime.now())
    if (held === undefined || !isOfContext(held, context)) return undefined
    this.#stats.decryptHits += 1
    return held
  }

  rewrap(
    header: KeyHeader,
    context: EncryptionContext | undefined,
    options: RewrapKeyOptions,
  ): Promise<KeyHeader> {
    return this.#inner.rewrap(header, context, options)
  }

  canOpen(wraps: readonly WrappedKey[]): boolean {
    return this.#inner.canOpen(wraps)
  }

  /** W5.7: nothing that was made or learnt before stays. */
  clear(): void {
    this.#epoch += 1
    this.#opened.clear()
    this.#active.clear()
    this.#latest = undefined
    this.#failed.clear()
  }

  stats(): CacheStats {
    return { ...this.#stats, entries: this.#opened.size, evictions: this.#opened.evictions }
  }

  /** The key that is active for a context. That of the last call is found without making an id. */
  #activeOf(context: EncryptionContext | undefined): HeldKey | undefined {
    const latest = this.#latest
    if (latest !== undefined && isOfContext(latest.key, context)) return latest
    return (this.#latest = this.#active.get(contextId(context)))
  }

  async #make(
    context: EncryptionContext | undefined,
    options: ActiveKeyOptions,
  ): Promise<DataEncryptionKey> {
    const epoch = this.#epoch
    const key = await this.#inner.active(context, options)
    if (this.#hold(key, epoch)) {
      // Under the key's own context: a getter may have answered the look-up differently.
      this.#latest = { key, cachedAtMs: this.#inner.runtime.now() }
      this.#active.set(key.context.id, this.#latest)
    }
    return key
  }

  async #unwrap(
    header: KeyHeader,
    context: EncryptionContext | undefined,
    options: KmsSignalOptions,
  ): Promise<DataEncryptionKey> {
    const canonical = canonicalContext(context)
    const id = await this.#failed.idOf(header, canonical)
    if (this.#failed.has(id)) throw this.#refuse()
    const epoch = this.#epoch
    const outcome = await settle(() => this.#inner.open(header, canonical.map, options))
    this.#failed.learn(id, outcome)
    if (!outcome.ok) throw outcome.error
    this.#hold(outcome.value, epoch)
    return outcome.value
  }

  async #openMissing(
    requests: readonly OpenRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<DataEncryptionKey>[]> {
    const ids = await Promise.all(
      requests.map(({ header, context }) =>
        settle(() => this.#failed.idOf(header, canonicalContext(context))),
      ),
    )
    const outcomes = ids.map((id): Outcome<DataEncryptionKey> | undefined =>
      id.ok && this.#failed.has(id.value) ? { ok: false, error: this.#refuse() } : undefined,
    )
    const rest = [...requests.keys()].filter((i) => outcomes[i] === undefined)
    const epoch = this.#epoch
    const opened = await this.#inner.openMany(
      rest.map((i) => requests[i] as OpenRequest),
      options,
    )
    for (const [place, outcome] of opened.entries()) {
      const i = rest[place] as number
      const id = ids[i]
      if (id?.ok === true) this.#failed.learn(id.value, outcome)
      if (outcome.ok) this.#hold(outcome.value, epoch)
      outcomes[i] = outcome
    }
    return outcomes as readonly Outcome<DataEncryptionKey>[]
  }

  #refuse(): KmsError {
    this.#stats.refusals += 1
    return new KmsError('ERR_DECRYPT_FAILED') // W6.5
  }

  /** The key of this header if it is held. Wraps may differ: they are not part of its identity. */
  #held(header: KeyHeader, context: EncryptionContext | undefined): DataEncryptionKey | undefined {
    const held = this.#opened.find(header.commitment, 0, this.#inner.runtime.now())
    if (held === undefined) return undefined
    // The commitment binds these, so a message in which they differ cannot be genuine: no KMS call.
    if (!isOfContext(held, context) || !equalBytes(header.fixedBytes, held.header.fixedBytes)) {
      throw new KmsError('ERR_DECRYPT_FAILED')
    }
    this.#stats.decryptHits += 1
    return held
  }

  /** Keeps a key, unless the cache was cleared while the KMS was asked for it. */
  #hold(key: DataEncryptionKey, epoch: number): boolean {
    if (epoch !== this.#epoch) return false
    this.#opened.add(key, this.#inner.runtime.now())
    return true
  }
}
