import { standardsOf } from '../checks/index.ts'
import type { BulkheadConfig } from './bulkhead.ts'
import type { CircuitBreakerConfig } from './circuit-config.ts'
import { BULKHEAD, CIRCUIT, HEDGE, RETRY, TIMEOUTS } from './defaults.ts'
import type { HedgeConfig } from './multi-options.ts'
import type { RetryConfig } from './retry-policy.ts'

/** Names of the presets of {@link composeKms}. */
export type PresetName = 'development' | 'production' | 'highAvailability' | 'highSecurity'

/** Values of a preset. Plain data; the values and their reasons are in `docs/guides/resilience.md`. */
export interface ResiliencePreset {
  /** The total deadline of a call, in milliseconds. */
  readonly deadlineMs: number
  /** Timeout of one attempt at one KMS, in milliseconds. */
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
  /** How long after that it is still used, to read and to write, while the KMS cannot be reached, in milliseconds. */
  readonly cacheMaxStaleMs: number
  /** How long a data key encrypts, in milliseconds. */
  readonly encryptForMs: number
  /** Most messages of one cache under one data key; absent: no limit. */
  readonly maxMessages?: number
}

/** The presets, value by value; frozen. `production` has the defaults of the parts. */
export const PRESETS: Readonly<Record<PresetName, ResiliencePreset>> = /* @__PURE__ */ frozen(
  /* @__PURE__ */ presets(),
)

function presets(): Record<PresetName, ResiliencePreset> {
  const [retry, circuitBreaker] = [standardsOf(RETRY), standardsOf(CIRCUIT)]
  const bulkhead = standardsOf(BULKHEAD)
  const production: ResiliencePreset = {
    ...standardsOf(TIMEOUTS),
    retry,
    circuitBreaker,
    bulkhead,
    order: 'configured',
    hedge: false,
    requireAudit: false,
    cacheTtlMs: 300_000,
    cacheMaxStaleMs: 60_000,
    encryptForMs: 3_600_000,
  }
  return {
    // Failures show at once and as they are: no retries, no circuit.
    development: {
      ...production,
      deadlineMs: 15_000,
      attemptTimeoutMs: 10_000,
      retry: false,
      circuitBreaker: false,
      bulkhead: { ...bulkhead, maxConcurrent: 16 },
    },
    production,
    // Time and calls are spent to get an answer.
    highAvailability: {
      ...production,
      deadlineMs: 10_000,
      retry: { ...retry, maxAttempts: 5 },
      circuitBreaker: { ...circuitBreaker, resetTimeoutMs: 10_000 },
      bulkhead: { maxConcurrent: 8, maxQueue: 256, maxWaitMs: 2_000 },
      order: 'fastest',
      hedge: standardsOf(HEDGE),
      cacheTtlMs: 900_000,
    },
    // A revoked key stops working soon, a data key seals little, and every call has a record.
    highSecurity: {
      ...production,
      retry: { ...retry, maxAttempts: 2 },
      requireAudit: true,
      cacheTtlMs: 60_000,
      cacheMaxStaleMs: 0,
      encryptForMs: 300_000,
      maxMessages: 1_024,
    },
  }
}

/** Freezes a tree of plain data: a preset that one caller changes would change for all. */
function frozen<T extends object>(tree: T): T {
  for (const branch of Object.values(tree)) if (typeof branch === 'object') frozen(branch as object)
  return Object.freeze(tree)
}
