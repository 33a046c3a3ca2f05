import type { HeldKey } from './held-key.ts'
import { within } from './held-key.ts'

/** After a failed call, stale keys are served without waiting for the KMS for this long. */
const OUTAGE_MS = 10_000
/** A background call without an answer for this long counts as an outage. */
const UNANSWERED_MS = 2_000
/** Between two background calls, at most; at least half of it. */
const RETRY_MS = 5_000

/** Times of a cache, in milliseconds. */
export interface FreshnessTimes {
  readonly ttlMs: number
  readonly refreshAheadMs: number
  readonly maxStaleMs: number
  /** Milliseconds after its creation in which a key may encrypt; Infinity for readers. */
  readonly encryptForMs: number
}

/**
 * `fresh`: use it. `refresh`: use it, and ask the KMS again in the background. `stale`: past its time,
 * but the KMS is down: use it, and ask again. `expired`: ask the KMS first.
 */
export type Freshness = 'fresh' | 'refresh' | 'stale' | 'expired'

/** Returns what a use of a cached key may do now. Computed on use, without timers. */
export function freshnessOf(held: HeldKey, nowMs: number, times: FreshnessTimes): Freshness {
  if (within(held.answeredAtMs, nowMs, times.ttlMs)) {
    return times.refreshAheadMs > 0 && nowMs >= held.refreshAtMs ? 'refresh' : 'fresh'
  }
  return isDown(held, nowMs) && mayBeStale(held, nowMs, times) ? 'stale' : 'expired'
}

/** Whether a key is young enough to be used while the KMS is down. */
export function mayBeStale(held: HeldKey, nowMs: number, times: FreshnessTimes): boolean {
  return within(held.answeredAtMs, nowMs, times.ttlMs + times.maxStaleMs)
}

/**
 * Returns when a key that the KMS has just answered for is to be renewed. Spread, so that isolates do
 * not ask all at once.
 *
 * @param spread - a number in [0, 1)
 */
export function refreshAtMs(
  createdAtMs: number,
  nowMs: number,
  { ttlMs, refreshAheadMs, encryptForMs }: FreshnessTimes,
  spread: number,
): number {
  const lifeMs = Math.min(ttlMs, createdAtMs + encryptForMs - nowMs)
  return nowMs + lifeMs - Math.min(refreshAheadMs, lifeMs / 2) * (1 - spread / 2)
}

/** Returns when the next background call may follow one that starts now. */
export function retryAtMs(nowMs: number, spread: number): number {
  return nowMs + RETRY_MS * (1 - spread / 2)
}

function isDown({ outageAtMs, askedAtMs }: HeldKey, nowMs: number): boolean {
  if (outageAtMs !== undefined && within(outageAtMs, nowMs, OUTAGE_MS)) return true
  return askedAtMs !== undefined && nowMs - askedAtMs >= UNANSWERED_MS
}
