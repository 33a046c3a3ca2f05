import type { BulkheadConfig } from './bulkhead.ts'
import type { CircuitBreakerConfig } from './circuit-config.ts'
import type { HedgeConfig } from './multi-options.ts'
import type { RetryConfig } from './retry-policy.ts'

/** Names of the presets of {@link composeKms}. */
export type PresetName = 'development' | 'production' | 'highAvailability' | 'highSecurity'

/** What a preset sets. Plain data; the values and their reasons are in `docs/guides/resilience.md`. */
export interface ResiliencePreset {
  /** The total deadline of a call, in milliseconds. */
  readonly deadlineMs: number
  /** The bound of one attempt at one KMS, in milliseconds. */
  readonly attemptTimeoutMs: number
  readonly retry: Required<RetryConfig> | false
  readonly circuitBreaker: Required<CircuitBreakerConfig> | false
  readonly bulkhead: Required<Omit<BulkheadConfig, 'maxHoldMs'>>
  /** Of several KEKs: the order of reading, and the hedge. */
  readonly order: 'configured' | 'fastest'
  readonly hedge: Required<HedgeConfig> | false
  /** Whether the stack is refused without an audit log that is fail-closed. */
  readonly requireAudit: boolean
  /** For the cache above the stack: how long a data key is used without asking the KMS, in milliseconds. */
  readonly cacheTtlMs: number
  /** For how long more one is used, to read and to write, while the KMS cannot be reached, in milliseconds. */
  readonly cacheMaxStaleMs: number
  /** How long a data key encrypts, in milliseconds. */
  readonly encryptForMs: number
  /** For how many messages of one cache; absent: no limit. */
  readonly maxMessages?: number
}

const RETRY: Required<RetryConfig> = {
  maxAttempts: 3,
  baseDelayMs: 50,
  throttleDelayMs: 1_000,
  maxDelayMs: 20_000,
  budget: 500,
  retryCost: 14,
  throttleCost: 5,
}

const CIRCUIT: Required<CircuitBreakerConfig> = {
  failureThreshold: 5,
  failureRate: 0.5,
  windowMs: 30_000,
  minCalls: 10,
  resetTimeoutMs: 30_000,
  successThreshold: 1,
}

const PRODUCTION: ResiliencePreset = {
  deadlineMs: 5_000,
  attemptTimeoutMs: 2_000,
  retry: RETRY,
  circuitBreaker: CIRCUIT,
  bulkhead: { maxConcurrent: 4, maxQueue: 64, maxWaitMs: 1_000 },
  order: 'configured',
  hedge: false,
  requireAudit: false,
  cacheTtlMs: 300_000,
  cacheMaxStaleMs: 60_000,
  encryptForMs: 3_600_000,
}

/** The presets, value by value. `production` is what the parts have by default. */
export const PRESETS: Readonly<Record<PresetName, ResiliencePreset>> = {
  // Failures show at once and as they are: nothing retries, nothing opens.
  development: {
    ...PRODUCTION,
    deadlineMs: 15_000,
    attemptTimeoutMs: 10_000,
    retry: false,
    circuitBreaker: false,
    bulkhead: { maxConcurrent: 16, maxQueue: 64, maxWaitMs: 1_000 },
  },
  production: PRODUCTION,
  // Time and calls are spent to get an answer.
  highAvailability: {
    ...PRODUCTION,
    deadlineMs: 10_000,
    retry: { ...RETRY, maxAttempts: 5 },
    circuitBreaker: { ...CIRCUIT, resetTimeoutMs: 10_000 },
    bulkhead: { maxConcurrent: 8, maxQueue: 256, maxWaitMs: 2_000 },
    order: 'fastest',
    hedge: { afterMs: 300, budget: 0.1 },
    cacheTtlMs: 900_000,
  },
  // A revoked key stops working soon, a data key seals little, and nothing happens without a record.
  highSecurity: {
    ...PRODUCTION,
    retry: { ...RETRY, maxAttempts: 2 },
    requireAudit: true,
    cacheTtlMs: 60_000,
    cacheMaxStaleMs: 0,
    encryptForMs: 300_000,
    maxMessages: 1_024,
  },
}
