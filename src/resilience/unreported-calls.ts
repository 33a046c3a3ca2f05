import {
  type CircuitRules,
  type CircuitWindow,
  failuresIn,
  isFailing,
  isNearFailing,
  mergedWindow,
  withCall,
} from './circuit-window.ts'

/** An isolate whose calls succeed speaks against an outage at most this often. */
const OBJECTION_MS = 1_000

/** Calls that one isolate has made and not yet reported to the others. */
export class UnreportedCalls {
  readonly #rules: CircuitRules
  readonly #reportMs: number
  #window: CircuitWindow = []
  /** Calls that the report under way has taken along. */
  #taken: CircuitWindow = []
  #busyUntilMs = -Infinity
  #objectedAtMs = -Infinity

  /** @param reportMs - how long a report may take, and how long a store that fails is left alone */
  constructor(rules: CircuitRules, reportMs: number) {
    this.#rules = rules
    this.#reportMs = reportMs
  }

  /** Counts a call. */
  add(failed: boolean, nowMs: number): void {
    this.#window = withCall(this.#window, this.#rules, nowMs, failed)
  }

  /**
   * Returns whether a report must begin. If one is under way, it takes the new calls along.
   *
   * @param seen - what all isolates have counted, as this one last saw it
   */
  begins(failed: boolean, seen: CircuitWindow, nowMs: number): boolean {
    // By time, not by a flag: a report that a dead request began never ends.
    const leftMs = this.#busyUntilMs - nowMs
    if (leftMs > 0 && leftMs <= this.#reportMs) return false
    if (!failed && !this.#objects(seen, nowMs)) return false
    this.#busyUntilMs = nowMs + this.#reportMs
    return true
  }

  /**
   * Returns the calls of all with those of this isolate, and whether they open the circuit; `undefined` if
   * there is nothing to report. The calls count as taken until {@link reported} or {@link restore}.
   */
  over(
    counted: CircuitWindow,
    nowMs: number,
  ): { readonly window: CircuitWindow; readonly opens: boolean } | undefined {
    const taken = mergedWindow([this.#window], this.#rules, nowMs)
    const failures = failuresIn(taken)
    const others = mergedWindow([counted], this.#rules, nowMs)
    if (failures === 0 && (taken.length === 0 || !isNearFailing(others, this.#rules))) {
      this.done()
      return undefined
    }
    this.#taken = taken
    this.#window = []
    const window = mergedWindow([others, taken], this.#rules, nowMs)
    return { window, opens: failures > 0 && isFailing(window, this.#rules) }
  }

  /** The calls that were taken are in the store. */
  reported(): void {
    this.#taken = []
  }

  /** The calls that were taken are not in the store. */
  restore(nowMs: number): void {
    this.#window = mergedWindow([this.#window, this.#taken], this.#rules, nowMs)
    this.#taken = []
  }

  /** The report has ended, and the store has answered. */
  done(): void {
    this.#busyUntilMs = -Infinity
  }

  /** Forgets all: the circuit has changed. */
  clear(): void {
    this.#window = []
    this.#taken = []
    this.done()
  }

  #objects(seen: CircuitWindow, nowMs: number): boolean {
    const sinceMs = nowMs - this.#objectedAtMs
    if (seen.length === 0 || (sinceMs >= 0 && sinceMs < OBJECTION_MS)) return false
    if (!isNearFailing(mergedWindow([seen], this.#rules, nowMs), this.#rules)) return false
    this.#objectedAtMs = nowMs
    return true
  }
}
