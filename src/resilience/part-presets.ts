import type { CircuitBreakerConfig } from './circuit-config.ts'
import type { RetryConfig } from './retry-policy.ts'

/**
 * Named values for `RetryKms` and for `retry` of a stack; frozen. `none`: one attempt. `aggressive`: six
 * attempts, the first delay at most 50 ms, the longest 30 s. It needs a deadline that leaves room for them.
 *
 * @example
 * ```ts
 * import { composeKms, type KeyManagementService, RETRY_PRESETS } from 'edge-kms'
 *
 * export const patient = (kms: KeyManagementService) =>
 *   composeKms(kms, { deadlineMs: 60_000, retry: RETRY_PRESETS.aggressive })
 * ```
 */
export const RETRY_PRESETS: Readonly<Record<'none' | 'aggressive', RetryConfig>> =
  /* @__PURE__ */ Object.freeze({
    none: /* @__PURE__ */ Object.freeze({ maxAttempts: 1 }),
    aggressive: /* @__PURE__ */ Object.freeze({
      maxAttempts: 6,
      baseDelayMs: 50,
      maxDelayMs: 30_000,
    }),
  })

/**
 * Named values for `CircuitBreakerKms` and for `circuitBreaker` of a stack; frozen. `aggressive` opens soon and stays
 * open for a minute: it protects the KMS. `lenient` opens late and tries again after 15 s: it favours the callers.
 */
export const CIRCUIT_PRESETS: Readonly<Record<'aggressive' | 'lenient', CircuitBreakerConfig>> =
  /* @__PURE__ */ Object.freeze({
    aggressive: /* @__PURE__ */ Object.freeze({ failureThreshold: 3, resetTimeoutMs: 60_000 }),
    lenient: /* @__PURE__ */ Object.freeze({
      failureThreshold: 10,
      minCalls: 20,
      resetTimeoutMs: 15_000,
    }),
  })
