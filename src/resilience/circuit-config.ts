import { checkNumbers, wrongOption } from '../checks/index.ts'
import type { CircuitRecord } from './circuit-state.ts'
import type { CircuitRules } from './circuit-window.ts'
import { CIRCUIT } from './defaults.ts'

/** When a circuit opens and closes. Numbers are integers, except the rate. */
export interface CircuitBreakerConfig {
  /** Failures in a row that open it: 5 by default, 1 to 1,000. */
  readonly failureThreshold?: number
  /** Share of failures in the window that opens it: 0.5 by default, above 0, at most 1. */
  readonly failureRate?: number
  /** The window of that share, in milliseconds: 30,000 by default, 1,000 to 600,000. */
  readonly windowMs?: number
  /** Fewest calls in the window for `failureRate` to apply: 10 by default, 1 to 10,000. */
  readonly minCalls?: number
  /** How long it stays open, plus up to a tenth at random, in milliseconds: 30,000 by default, 100 to 600,000. */
  readonly resetTimeoutMs?: number
  /** Probes that must all succeed to close it: 1 by default, 1 to 100; 1 if a store is shared. */
  readonly successThreshold?: number
}

/**
 * Returns the rules, complete.
 *
 * @param isShared - the circuit is shared: one isolate probes, once per period
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function circuitRules(config: CircuitBreakerConfig, isShared: boolean): CircuitRules {
  const { successThreshold } = CIRCUIT
  const one = isShared ? { successThreshold: { ...successThreshold, most: 1 } } : undefined
  return checkNumbers({ ...CIRCUIT, ...one }, config)
}

/**
 * Returns a state that was kept elsewhere, if it has the shape of one. Probes that were under way then
 * are forgotten.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function restoredCircuit(
  name: string,
  state: CircuitRecord | undefined,
): CircuitRecord | undefined {
  if (state === undefined) return undefined
  const { phase, epoch, untilMs, failuresInARow, buckets, passed } = Object(state) as CircuitRecord
  const isPhase = ['closed', 'open', 'half-open'].includes(phase)
  const numbers = [epoch, failuresInARow, passed]
  const areNumbers = numbers.every((n) => Number.isSafeInteger(n) && n >= 0)
  const isBucket = (bucket: (typeof buckets)[number] | null | undefined): boolean =>
    [bucket?.n, bucket?.calls, bucket?.failures].every(Number.isSafeInteger)
  const areBuckets = Array.isArray(buckets) && buckets.length <= 10 && buckets.every(isBucket)
  if (!isPhase || !areNumbers || !Number.isFinite(untilMs) || !areBuckets)
    throw wrongOption(name, 'what state() returned', state)
  return { phase, epoch, untilMs, failuresInARow, buckets, passed, probing: 0 }
}
