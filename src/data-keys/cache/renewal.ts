import type { KmsSignalOptions } from '../../kms/index.ts'
import { keepAlive } from '../../runtime/index.ts'
import type { DataEncryptionKey } from '../data-encryption-key.ts'
import {
  type Freshness,
  type FreshnessTimes,
  mayBeStale,
  refreshAtMs,
  retryAtMs,
} from './freshness.ts'
import type { HeldKey } from './held-key.ts'
import type { CacheParts } from './parts.ts'
import { verdictOf } from './verdict.ts'

/**
 * Asks the KMS again in the background ahead of a key's end, and lets a key be used past its end while
 * the KMS is down. A cache has one for readers and one for writers.
 */
export class Renewal<O extends KmsSignalOptions> {
  readonly #times: FreshnessTimes
  readonly #parts: CacheParts
  readonly #staleUses: 'staleEncrypts' | 'staleDecrypts'
  readonly #ask: (held: HeldKey, options: O) => Promise<unknown>

  /**
   * @param staleUses - counts uses of a key past its time
   * @param ask - asks the KMS and holds what it answers
   */
  constructor(
    times: FreshnessTimes,
    parts: CacheParts,
    staleUses: 'staleEncrypts' | 'staleDecrypts',
    ask: (held: HeldKey, options: O) => Promise<unknown>,
  ) {
    this.#times = times
    this.#parts = parts
    this.#staleUses = staleUses
    this.#ask = ask
  }

  /** Returns an entry for a key that the KMS has just answered for. */
  hold(key: DataEncryptionKey): HeldKey {
    const { runtime, network } = this.#parts.settings
    const now = runtime.now()
    const renewAtMs = refreshAtMs(key.header.createdAtMs, now, this.#times, network.jitter())
    return { key, answeredAtMs: now, refreshAtMs: renewAtMs }
  }

  /** Hears of a use of a key that is not fresh any more, and renews it where that is due. */
  used(held: HeldKey, freshness: Freshness, nowMs: number, options: O): void {
    if (freshness === 'stale') this.#parts.counts[this.#staleUses] += 1
    if (this.#times.refreshAheadMs === 0 || nowMs < held.refreshAtMs) return
    held.refreshAtMs = retryAtMs(nowMs, this.#parts.settings.network.jitter())
    held.askedAtMs ??= nowMs
    this.#parts.counts.refreshes += 1
    const answered = (): void => {
      held.askedAtMs = undefined
    }
    const failed = (error: unknown): void => {
      this.#learn(held, error)
    }
    const work = this.#ask(held, options).then(answered, failed) // begins whether deferred or not
    keepAlive(options.defer, work)
  }

  /** Returns the key if it may replace an answer of the KMS, which failed with this error. */
  standIn(held: HeldKey | undefined, error: unknown): DataEncryptionKey | undefined {
    if (held === undefined || !this.#learn(held, error)) return undefined
    if (!mayBeStale(held, this.#parts.settings.runtime.now(), this.#times)) return undefined
    this.#parts.counts[this.#staleUses] += 1
    return held.key
  }

  /** Notes what a failed call says. Returns whether the KMS is down. */
  #learn(held: HeldKey, error: unknown): boolean {
    held.askedAtMs = undefined
    const verdict = verdictOf(error)
    if (verdict === 'outage') held.outageAtMs = this.#parts.settings.runtime.now()
    if (verdict === 'refusal') this.#parts.refused(held.key)
    return verdict === 'outage'
  }
}
