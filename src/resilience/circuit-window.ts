/** When a circuit opens and closes; complete and checked. */
export interface CircuitRules {
  readonly failureThreshold: number
  readonly failureRate: number
  readonly windowMs: number
  readonly minCalls: number
  readonly resetTimeoutMs: number
  readonly successThreshold: number
}

/** Calls of one tenth of the window. */
export interface CircuitBucket {
  /** Its number since the epoch: time divided by the bucket's width. */
  readonly n: number
  readonly calls: number
  readonly failures: number
}

/** Calls of the last while, by tenths of the window. Plain data; the functions of this file are pure. */
export type CircuitWindow = readonly CircuitBucket[]

/** Into how many buckets a window is divided. */
const BUCKETS = 10

/** Returns the window with one more call in it, and without what has left it. */
export function withCall(
  window: CircuitWindow,
  rules: CircuitRules,
  nowMs: number,
  failed: boolean,
): CircuitWindow {
  const now = bucketOf(rules, nowMs)
  const kept = window.filter(({ n }) => n > now - BUCKETS && n < now)
  const { calls, failures } = window.find(({ n }) => n === now) ?? { calls: 0, failures: 0 }
  return [...kept, { n: now, calls: calls + 1, failures: failures + (failed ? 1 : 0) }]
}

/**
 * Returns the calls of several windows in one, without what has left it. Isolates whose clocks are at most a
 * bucket apart count together; a bucket that is further ahead is dropped.
 */
export function mergedWindow(
  windows: readonly CircuitWindow[],
  rules: CircuitRules,
  nowMs: number,
): CircuitWindow {
  const now = bucketOf(rules, nowMs)
  const sums = new Map<number, CircuitBucket>()
  for (const { n, calls, failures } of windows.flat()) {
    if (n <= now - BUCKETS || n > now + 1) continue
    const sum = sums.get(n)
    sums.set(n, { n, calls: calls + (sum?.calls ?? 0), failures: failures + (sum?.failures ?? 0) })
  }
  return [...sums.values()].sort((a, b) => a.n - b.n)
}

/** Returns whether enough calls of a window failed to open a circuit. */
export function isFailing(window: CircuitWindow, { minCalls, failureRate }: CircuitRules): boolean {
  const { calls, failures } = totalsOf(window)
  return calls >= minCalls && failures >= calls * failureRate
}

/**
 * Returns whether a window is half-way to {@link isFailing}: then calls that succeed elsewhere must be
 * counted too, or a small share of failures would look like an outage.
 */
export function isNearFailing(
  window: CircuitWindow,
  { minCalls, failureRate }: CircuitRules,
): boolean {
  const { calls, failures } = totalsOf(window)
  return failures > 0 && failures >= Math.max(minCalls, calls) * (failureRate / 2)
}

/** Returns how many calls of a window failed. */
export function failuresIn(window: CircuitWindow): number {
  return totalsOf(window).failures
}

function totalsOf(window: CircuitWindow): { readonly calls: number; readonly failures: number } {
  return {
    calls: window.reduce((sum, bucket) => sum + bucket.calls, 0),
    failures: window.reduce((sum, bucket) => sum + bucket.failures, 0),
  }
}

function bucketOf({ windowMs }: CircuitRules, nowMs: number): number {
  return Math.floor((nowMs * BUCKETS) / windowMs)
}
