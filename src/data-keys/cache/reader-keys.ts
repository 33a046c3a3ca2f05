import { type Bytes, equalBytes } from '../../bytes/index.ts'
import { KmsError, type Outcome } from '../../errors.ts'
import { contextEquals, type EncryptionContext, type KmsSignalOptions } from '../../kms/index.ts'
import { SingleFlight } from '../../runtime/index.ts'
import type { KeyHeader } from '../../wire/index.ts'
import type { DataEncryptionKey } from '../data-encryption-key.ts'
import type { MaybePromise, OpenRequest } from '../data-key-source.ts'
import { openMany, openingId } from '../open-many.ts'
import { freshnessOf } from './freshness.ts'
import type { HeldKey } from './held-key.ts'
import { OpenedKeys } from './opened-keys.ts'
import { type CacheParts, FOLLOWER_WAIT_MS } from './parts.ts'
import { Renewal } from './renewal.ts'
import { verdictOf } from './verdict.ts'

/**
 * The keys that readers of a cache use: memory, single flight, KMS; and a stale key while the KMS is down.
 */
export class ReaderKeys {
  readonly held: OpenedKeys
  readonly renewal: Renewal<KmsSignalOptions>
  readonly #parts: CacheParts
  readonly #flights: SingleFlight<DataEncryptionKey>

  constructor(parts: CacheParts) {
    const { settings } = parts
    this.held = new OpenedKeys(settings.maxEntries)
    this.renewal = new Renewal(settings.reading, parts, 'staleDecrypts', ({ key }) =>
      this.openAgain(key.header, key.context.map, {}),
    )
    this.#parts = parts
    this.#flights = new SingleFlight(settings.network, FOLLOWER_WAIT_MS, settings.runtime)
  }

  /** Holds a key that the KMS has just answered for, unless something was dropped since it was asked. */
  add(key: DataEncryptionKey, stamp: number): void {
    const { stamp: now, settings } = this.#parts
    if (stamp !== now.value || settings.maxEntries === 0) return
    this.held.add(this.renewal.hold(key))
  }

  /** Returns the key of a header, from memory or from the KMS. */
  open(
    header: KeyHeader,
    context: EncryptionContext | undefined,
    options: KmsSignalOptions,
  ): MaybePromise<DataEncryptionKey> {
    this.#parts.factory.check(header, context)
    return this.#atHand(header, context, options) ?? this.#missing(header, context, options)
  }

  /** Opens a header with the KMS, whatever is in memory, and holds the key. */
  async openAgain(
    header: KeyHeader,
    context: EncryptionContext | undefined,
    options: KmsSignalOptions,
  ): Promise<DataEncryptionKey> {
    const stamp = this.#parts.stamp.value
    const { factory } = this.#parts
    const key = await factory.open(await factory.admit(header, context), options)
    this.add(key, stamp)
    return key
  }

  /** Returns the keys of many headers: in order, one outcome for each. */
  async openMany(
    requests: readonly OpenRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<DataEncryptionKey>[]> {
    this.#look(options)
    const stamp = this.#parts.stamp.value
    const outcomes = await openMany(this.#parts.factory, requests, options, (request) =>
      this.#atHand(request.header, request.context, options),
    )
    return outcomes.map((outcome, i) => {
      const { header, context } = requests[i] as OpenRequest
      if (!outcome.ok) {
        const value = this.#standIn(header, context, outcome.error)
        return value === undefined ? outcome : { ok: true, value }
      }
      if (this.held.find(header.commitment)?.key !== outcome.value) this.add(outcome.value, stamp)
      return outcome
    })
  }

  /** Returns the key that a message by reference names, if it is at hand. */
  named(
    commitment: Bytes,
    context: EncryptionContext | undefined,
    options: KmsSignalOptions,
  ): DataEncryptionKey | undefined {
    return this.#hit(this.held.find(commitment), context, options)
  }

  /** Returns the key whose whole header, wraps included, is in this inline message. */
  recall(
    message: Bytes,
    context: EncryptionContext | undefined,
    options: KmsSignalOptions,
  ): DataEncryptionKey | undefined {
    return this.#hit(this.held.findIn(message), context, options)
  }

  #hit(
    held: HeldKey | undefined,
    context: EncryptionContext | undefined,
    options: KmsSignalOptions,
  ): DataEncryptionKey | undefined {
    const key = this.#usable(held, options)
    if (key === undefined || !contextEquals(context, key.context)) return undefined
    this.#parts.counts.decryptHits += 1
    return key
  }

  /** @throws KmsError `ERR_DECRYPT_FAILED` where what the commitment binds differs (W6.4) */
  #atHand(
    header: KeyHeader,
    context: EncryptionContext | undefined,
    options: KmsSignalOptions,
  ): DataEncryptionKey | undefined {
    const key = this.#usable(this.held.find(header.commitment), options)
    if (key === undefined) {
      this.#parts.counts.decryptMisses += 1
      return undefined
    }
    // No message with this header can be genuine, so no KMS is asked.
    const same = equalBytes(header.fixedBytes, key.header.fixedBytes)
    if (!same || !contextEquals(context, key.context)) throw new KmsError('ERR_DECRYPT_FAILED')
    this.#parts.counts.decryptHits += 1
    return key
  }

  #usable(held: HeldKey | undefined, options: KmsSignalOptions): DataEncryptionKey | undefined {
    if (held === undefined) return undefined
    const now = this.#look(options)
    const freshness = freshnessOf(held, now, this.#parts.settings.reading)
    if (freshness === 'expired') return undefined
    if (freshness !== 'fresh') this.renewal.used(held, freshness, now, options)
    return held.key
  }

  async #missing(
    header: KeyHeader,
    context: EncryptionContext | undefined,
    options: KmsSignalOptions,
  ): Promise<DataEncryptionKey> {
    this.#look(options)
    try {
      const id = `${String(this.#parts.stamp.value)} ${openingId(header, context)}`
      const work = (signal: AbortSignal): Promise<DataEncryptionKey> =>
        this.openAgain(header, context, { ...options, signal })
      if (this.#parts.settings.maxEntries === 0)
        return await this.openAgain(header, context, options)
      return await this.#flights.run(id, work, options)
    } catch (error) {
      const stale = this.#standIn(header, context, error)
      if (stale === undefined) throw error
      return stale
    }
  }

  #look({ defer }: KmsSignalOptions): number {
    const now = this.#parts.settings.runtime.now()
    this.#parts.look(now, defer)
    return now
  }

  #standIn(
    header: KeyHeader,
    context: EncryptionContext | undefined,
    error: unknown,
  ): DataEncryptionKey | undefined {
    if (verdictOf(error) === undefined) return undefined
    const held = this.held.find(header.commitment)
    if (held === undefined || !contextEquals(context, held.key.context)) return undefined
    // With its wraps: what somebody did to theirs must not drop the key of those who have the right ones.
    if (!equalBytes(header.bytes, held.key.header.bytes)) return undefined
    return this.renewal.standIn(held, error)
  }
}
