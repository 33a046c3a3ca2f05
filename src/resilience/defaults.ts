/** Retries. The numbers are those of AWS's SDKs from November 2026 on. */
export const RETRY = {
  maxAttempts: { standard: 3, least: 1, most: 10 },
  baseDelayMs: { standard: 50, least: 1, most: 60_000 },
  throttleDelayMs: { standard: 1_000, least: 1, most: 60_000 },
  maxDelayMs: { standard: 20_000, least: 1, most: 300_000 },
  budget: { standard: 500, least: 0, most: 1_000_000 },
  retryCost: { standard: 14, least: 1, most: 1_000_000 },
  throttleCost: { standard: 5, least: 1, most: 1_000_000 },
} as const

/** Circuit breaker. */
export const CIRCUIT = {
  failureThreshold: { standard: 5, least: 1, most: 1_000 },
  failureRate: { standard: 0.5, least: 0, most: 1, isShare: true },
  windowMs: { standard: 30_000, least: 1_000, most: 600_000 },
  minCalls: { standard: 10, least: 1, most: 10_000 },
  resetTimeoutMs: { standard: 30_000, least: 100, most: 600_000 },
  successThreshold: { standard: 1, least: 1, most: 100 },
} as const

/** Bulkhead. Workers allow six connections that wait for an answer. */
export const BULKHEAD = {
  maxConcurrent: { standard: 4, least: 1, most: 1_000 },
  maxQueue: { standard: 64, least: 0, most: 10_000 },
  maxWaitMs: { standard: 1_000, least: 1, most: 60_000 },
} as const

/** How long a call may hold a place of the bulkhead; `composeKms` sets it by itself. */
export const HOLD = {
  maxHoldMs: { standard: 10_000, least: 1, most: 900_000 },
} as const

/** A quorum of several KEKs. A header holds 16 wraps. */
export const QUORUM = {
  quorum: { standard: 1, least: 1, most: 16 },
  graceMs: { standard: 500, least: 0, most: 60_000 },
} as const

/** A second KEK for slow reads. */
export const HEDGE = {
  afterMs: { standard: 300, least: 1, most: 60_000 },
  budget: { standard: 0.1, least: 0, most: 1, isShare: true },
} as const

/** Timeouts of the stack. */
export const TIMEOUTS = {
  deadlineMs: { standard: 5_000, least: 1, most: 900_000 },
  attemptTimeoutMs: { standard: 2_000, least: 1, most: 900_000 },
} as const
