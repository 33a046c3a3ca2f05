import type { CircuitState } from '../ports/index.ts'
import { type CircuitBucket, type CircuitRules, isFailing, withCall } from './circuit-window.ts'

/**
 * One circuit as plain data: it survives JSON. Changed only by the pure functions of this file, which
 * know no clock and make no calls.
 */
export interface CircuitRecord {
  readonly phase: CircuitState
  /** Counts changes of phase. Calls that began in an earlier phase no longer count. */
  readonly epoch: number
  /** Open: when a probe may be sent. Half-open: when probes without an answer are given up. */
  readonly untilMs: number
  readonly failuresInARow: number
  readonly buckets: readonly CircuitBucket[]
  /** Half-open: probes in flight, and those that succeeded. */
  readonly probing: number
  readonly passed: number
}

/** The outcome of a call. `neutral` says nothing about the KMS: a caller's mistake, an abort. */
export type CircuitOutcome = 'success' | 'failure' | 'neutral'

/** The decision about a call. */
export type Admission = 'pass' | 'probe' | 'refuse'

/** Open circuits of many isolates must not probe at the same moment. */
const MAX_SPREAD = 0.1

/** A closed circuit that has seen nothing. */
export function closedCircuit(epoch = 0): CircuitRecord {
  return {
    phase: 'closed',
    epoch,
    untilMs: 0,
    failuresInARow: 0,
    buckets: [],
    probing: 0,
    passed: 0,
  }
}

/**
 * Opens the circuit.
 *
 * @param random - in [0, 1): lengthens the time by up to a tenth
 */
export function openCircuit(
  state: CircuitRecord,
  rules: CircuitRules,
  nowMs: number,
  random: number,
): CircuitRecord {
  const untilMs = nowMs + rules.resetTimeoutMs * (1 + MAX_SPREAD * random)
  return { ...closedCircuit(state.epoch + 1), phase: 'open', untilMs }
}

/** Whether a call may go, and the state after the answer. */
export function admit(
  state: CircuitRecord,
  rules: CircuitRules,
  nowMs: number,
): { readonly state: CircuitRecord; readonly admission: Admission } {
  if (state.phase === 'closed') return { state, admission: 'pass' }
  // A clock that was put back must not keep the circuit open for longer than its rule says.
  const longestMs = rules.resetTimeoutMs * (1 + MAX_SPREAD)
  const untilMs = Math.min(state.untilMs, nowMs + longestMs)
  const isOver = nowMs >= untilMs
  if (state.phase === 'open' && !isOver)
    return { state: { ...state, untilMs }, admission: 'refuse' }
  // Probes that never came back (their request died) make room for others.
  const fresh = state.phase === 'open' || (isOver && state.probing > 0)
  const half: CircuitRecord = fresh
    ? { ...closedCircuit(state.epoch + 1), phase: 'half-open' }
    : { ...state, untilMs }
  if (half.probing + half.passed >= rules.successThreshold)
    return { state: half, admission: 'refuse' }
  const lapsesAtMs = half.probing === 0 ? nowMs + rules.resetTimeoutMs : half.untilMs
  return {
    state: { ...half, untilMs: lapsesAtMs, probing: half.probing + 1 },
    admission: 'probe',
  }
}

/** The state after a call that was admitted in `epoch` came back. */
export function settle(
  state: CircuitRecord,
  rules: CircuitRules,
  call: { readonly epoch: number; readonly outcome: CircuitOutcome },
  nowMs: number,
  random: number,
): CircuitRecord {
  // A late success from before the opening does not close it, a late failure does not prolong it.
  if (call.epoch !== state.epoch || state.phase === 'open') return state
  if (state.phase === 'half-open') {
    if (call.outcome === 'failure') return openCircuit(state, rules, nowMs, random)
    const passed = state.passed + (call.outcome === 'success' ? 1 : 0)
    if (passed >= rules.successThreshold) return closedCircuit(state.epoch + 1)
    return { ...state, probing: Math.max(0, state.probing - 1), passed }
  }
  if (call.outcome === 'neutral') return state
  const failed = call.outcome === 'failure'
  const next: CircuitRecord = {
    ...state,
    failuresInARow: failed ? state.failuresInARow + 1 : 0,
    buckets: withCall(state.buckets, rules, nowMs, failed),
  }
  return failed && isBad(next, rules) ? openCircuit(next, rules, nowMs, random) : next
}

/** Whether there are too many failures in a row, or too large a share of enough calls. */
function isBad({ failuresInARow, buckets }: CircuitRecord, rules: CircuitRules): boolean {
  return failuresInARow >= rules.failureThreshold || isFailing(buckets, rules)
}
