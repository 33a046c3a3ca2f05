import { integer, refuseOthers, share, wrongOption } from '../checks/index.ts'
import type { CircuitRules, CircuitState } from './circuit-state.ts'

/** When a circuit opens and closes. Numbers are integers but for the rate. */
export interface CircuitBreakerConfig {
  /** Failures in a row that open it: 5 by default, 1 to 1,000. */
  readonly failureThreshold?: number
  /** Share of failures in the window that opens it: 0.5 by default, above 0, at most 1. */
  readonly failureRate?: number
  /** The window of that share, in milliseconds: 30,000 by default, 1,000 to 600,000. */
  readonly windowMs?: number
  /** Calls in the window below which the share says nothing: 10 by default, 1 to 10,000. */
  readonly minCalls?: number
  /** How long it stays open, plus up to a tenth, in milliseconds: 30,000 by default, 100 to 600,000. */
  readonly resetTimeoutMs?: number
  /** Probes that are let through, and must all come back well to close it: 1 by default, 1 to 100. */
  readonly successThreshold?: number
}

/**
 * @param isShared - the circuit is shared: one isolate probes, once per period
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function circuitRules(config: CircuitBreakerConfig, isShared: boolean): CircuitRules {
  const {
    failureThreshold = 5,
    failureRate = 0.5,
    windowMs = 30_000,
    minCalls = 10,
    resetTimeoutMs = 30_000,
    successThreshold = 1,
    ...others
  } = config
  refuseOthers(others)
  return Object.freeze({
    failureThreshold: integer('failureThreshold', failureThreshold, 1, 1_000),
    failureRate: share('failureRate', failureRate),
    windowMs: integer('windowMs', windowMs, 1_000, 600_000),
    minCalls: integer('minCalls', minCalls, 1, 10_000),
    resetTimeoutMs: integer('resetTimeoutMs', resetTimeoutMs, 100, 600_000),
    successThreshold: integer('successThreshold', successThreshold, 1, isShared ? 1 : 100),
  })
}

/**
 * A state that was kept elsewhere, if it has the shape of one. Probes that were on their way then
 * are not any more.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function restoredCircuit(state: CircuitState | undefined): CircuitState | undefined {
  if (state === undefined) return undefined
  const { phase, epoch, untilMs, failuresInARow, buckets, passed } = state
  const isPhase = ['closed', 'open', 'half-open'].includes(phase)
  const numbers = [epoch, failuresInARow, passed]
  const areNumbers = numbers.every((n) => Number.isSafeInteger(n) && n >= 0)
  const areBuckets =
    Array.isArray(buckets) &&
    buckets.length <= 10 &&
    buckets.every(({ n, calls, failures }) => [n, calls, failures].every(Number.isSafeInteger))
  if (!isPhase || !areNumbers || !Number.isFinite(untilMs) || !areBuckets)
    throw wrongOption('state')
  return { phase, epoch, untilMs, failuresInARow, buckets, passed, probing: 0 }
}
