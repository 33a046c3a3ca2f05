import { type Bound, checkNumber, checkNumbers } from '../checks/index.ts'
import { isKmsError, type KmsError } from '../errors.ts'
import { RETRY } from './defaults.ts'

/**
 * When and how often a call is retried. All numbers are integers; the defaults are those of AWS's SDKs from November
 * 2026 on.
 */
export interface RetryConfig {
  /** Attempts in all: 3 by default, 1 to 10. 1: no retry. */
  readonly maxAttempts?: number
  /** Longest first delay, which doubles for each attempt, in milliseconds: 50 by default, 1 to 60,000, at most `maxDelayMs`. */
  readonly baseDelayMs?: number
  /** Longest first delay after `ERR_KMS_THROTTLED`: 1,000 by default, 1 to 60,000, at most `maxDelayMs`. */
  readonly throttleDelayMs?: number
  /** Longest delay, unless the KMS asks for more, in milliseconds: 20,000 by default, 1 to 300,000. */
  readonly maxDelayMs?: number
  /** Tokens that retries are paid from, shared by all calls of one instance: 500 by default, 0 to 1,000,000. */
  readonly budget?: number
  /** Price of a retry: 14 by default, 1 to 1,000,000. */
  readonly retryCost?: number
  /** Price of a retry after `ERR_KMS_THROTTLED`: 5 by default, 1 to 1,000,000. */
  readonly throttleCost?: number
}

/** A {@link RetryConfig}, checked and complete. */
export type RetryPolicy = Readonly<Required<RetryConfig>>

/** The tokens that are left. Plain data: it may be kept and brought back. */
export interface RetryBudget {
  readonly tokens: number
}

/** A KMS that asks for more than this on top of our own delay is not obeyed: the caller has a deadline. */
const MAX_HINT_EXTRA_MS = 5_000

/**
 * Returns the policy, complete. A first delay above the longest would never be waited for, so the
 * defaults of the delays are cut to `maxDelayMs` and larger values are refused.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function retryPolicy(config: RetryConfig): RetryPolicy {
  const maxDelayMs = config.maxDelayMs ?? RETRY.maxDelayMs.standard
  checkNumber('maxDelayMs', maxDelayMs, RETRY.maxDelayMs)
  const within = ({ standard, least, most }: Bound): Bound => ({
    standard: Math.min(standard, maxDelayMs),
    least,
    most: Math.min(most, maxDelayMs),
  })
  const baseDelayMs = within(RETRY.baseDelayMs)
  return checkNumbers(
    { ...RETRY, baseDelayMs, throttleDelayMs: within(RETRY.throttleDelayMs) },
    config,
  )
}

/**
 * Returns the delay before the next attempt: full jitter below a cap. A hint of the KMS lengthens it by
 * at most 5 s.
 *
 * @param attempt - how many were made, from 1
 * @param random - in [0, 1)
 */
export function retryDelayMs(
  policy: RetryPolicy,
  attempt: number,
  failure: KmsError,
  random: number,
): number {
  const base = isThrottle(failure) ? policy.throttleDelayMs : policy.baseDelayMs
  const computed = random * Math.min(base * 2 ** (attempt - 1), policy.maxDelayMs)
  const hint = failure.retryAfterMs ?? 0
  return hint > computed ? Math.min(hint, computed + MAX_HINT_EXTRA_MS) : computed
}

/** Returns the price of a retry after this failure. */
export function retryCost(policy: RetryPolicy, failure: KmsError): number {
  return isThrottle(failure) ? policy.throttleCost : policy.retryCost
}

/** Returns the budget after a retry, or `undefined` if it cannot be paid. */
export function spend(budget: RetryBudget, cost: number): RetryBudget | undefined {
  return budget.tokens < cost ? undefined : { tokens: budget.tokens - cost }
}

/** Returns the budget after a success: the price of this call's last retry comes back, else 1. */
export function refill(policy: RetryPolicy, budget: RetryBudget, paid: number): RetryBudget {
  return { tokens: Math.min(policy.budget, budget.tokens + (paid === 0 ? 1 : paid)) }
}

function isThrottle(failure: KmsError): boolean {
  return isKmsError(failure, 'ERR_KMS_THROTTLED')
}
