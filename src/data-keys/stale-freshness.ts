import { isKmsError } from '../errors.ts'
import type { KmsSignalOptions } from '../kms/index.ts'
import type { Network } from '../ports/index.ts'
import type { DataEncryptionKey } from './data-encryption-key.ts'
import type { Defer } from './data-key-source.ts'
import { type Freshness, type HeldKey, within } from './held-key.ts'

/** How long a KMS that did not answer is taken to be down: stale keys are then given out without a wait. */
const OUTAGE_MS = 10_000
/** Between two attempts in the background, at most; at least half of it. */
const RETRY_MS = 5_000

/** What another call may mend; an open breaker is one of the first. */
const OUTAGES: readonly unknown[] = ['ERR_KMS_UNAVAILABLE', 'ERR_KMS_TIMEOUT', 'ERR_KMS_THROTTLED']

/** What the KMS says about the key itself. */
const VERDICTS: readonly unknown[] = [
  'ERR_KMS_ACCESS_DENIED',
  'ERR_KMS_KEY_DISABLED',
  'ERR_KMS_KEY_NOT_FOUND',
]

/** Times of a cache, in milliseconds. */
export interface StaleSettings {
  readonly ttlMs: number
  readonly refreshAheadMs: number
  readonly maxStaleMs: number
  /** After its creation a key is of no use here; Infinity for readers. */
  readonly encryptForMs: number
}

/**
 * Asks the KMS again ahead of a key's end, and lets a key be used past it while the KMS is down.
 * All of it is computed on use: there are no timers.
 */
export class StaleFreshness<O extends KmsSignalOptions> implements Freshness<O> {
  /** Uses of a key past its time. */
  staleServes = 0
  /** Calls ahead of a key's end, and during an outage. */
  refreshes = 0
  readonly #settings: StaleSettings
  readonly #network: Pick<Network, 'jitter'>
  readonly #refresh: (held: HeldKey, options: O) => void
  readonly #look: (nowMs: number, defer: Defer) => void

  /**
   * @param refresh - asks the KMS again; the caller does not wait for it
   * @param look - hears of each use
   */
  constructor(
    settings: StaleSettings,
    network: Pick<Network, 'jitter'>,
    refresh: (held: HeldKey, options: O) => void,
    look: (nowMs: number, defer: Defer) => void,
  ) {
    this.#settings = settings
    this.#network = network
    this.#refresh = refresh
    this.#look = look
  }

  hold(key: DataEncryptionKey, nowMs: number): HeldKey {
    const { ttlMs, refreshAheadMs, encryptForMs } = this.#settings
    const lifeMs = Math.min(ttlMs, key.header.createdAtMs + encryptForMs - nowMs)
    const aheadMs = this.#spread(Math.min(refreshAheadMs, lifeMs / 2))
    return { key, cachedAtMs: nowMs, refreshAtMs: nowMs + lifeMs - aheadMs }
  }

  isUsable(held: HeldKey, nowMs: number, options: O): boolean {
    this.#look(nowMs, options.defer)
    const fresh = within(held.cachedAtMs, nowMs, this.#settings.ttlMs)
    const down = within(held.outageAtMs ?? -Infinity, nowMs, OUTAGE_MS)
    if (!fresh && !(down && this.standsIn(held, nowMs))) return false
    if (nowMs >= (held.refreshAtMs ?? Infinity) && this.#settings.refreshAheadMs > 0) {
      held.refreshAtMs = nowMs + this.#spread(RETRY_MS)
      this.refreshes += 1
      this.#refresh(held, options)
    }
    return true
  }

  /** Whether a key is young enough to be used while the KMS is down, which is counted. */
  standsIn(held: HeldKey, nowMs: number): boolean {
    const { ttlMs, maxStaleMs } = this.#settings
    if (!within(held.cachedAtMs, nowMs, ttlMs + maxStaleMs)) return false
    this.staleServes += 1
    return true
  }

  /** So that not all isolates ask at once. */
  #spread(mostMs: number): number {
    return mostMs * (1 - this.#network.jitter() / 2)
  }
}

/** What a failed call says: that the KMS is down, or that it refuses this key. */
export function failureOf(error: unknown): 'outage' | 'verdict' | undefined {
  const code = isKmsError(error) && error.code
  if (OUTAGES.includes(code)) return 'outage'
  return VERDICTS.includes(code) ? 'verdict' : undefined
}
