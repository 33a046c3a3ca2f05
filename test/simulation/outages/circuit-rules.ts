import type { CircuitEvent } from '../../../src/index.ts'
import type { OutagePlan } from './plan.ts'

/** A call of a KMS, as the judge keeps it. */
export interface Attempt {
  readonly isolate: string
  readonly order: number
  readonly atMs: number
  endedMs: number | undefined
  /** Nobody listened to it any more when it ended: the caller or the stack had given up. */
  cut: boolean
  code: string | undefined
}

/** Time that an attempt waits in the queue before it begins, with its ways to the store. */
const LATE_MS = 1_100
const OUTAGES: readonly unknown[] = ['ERR_KMS_UNAVAILABLE', 'ERR_KMS_TIMEOUT']
/** Of the breaker's window, by default, with a bucket of it and the longest write of the store. */
const WINDOW_MS = 30_000 + 3_000 + 5_000
/** A call that was cut counts if the KMS had it for a second or all the time that was left, but never below this. */
const LEAST_MS = 100

/** Facts about one circuit that the isolates of a world may have from each other. */
export interface CircuitNews {
  opened: boolean
  closed: boolean
  /** When the store last gave each isolate the lease, by the world's clock. */
  readonly leasedAtMs: Map<string, number>
  /** The isolate that probes, and since when. */
  lease: { readonly isolate: string; readonly sinceMs: number } | undefined
}

/**
 * R23 and R24 for one circuit of one isolate: it opens for outages alone and soon enough, it closes
 * for a probe that succeeded, and of many isolates one probes at a time.
 */
export class CircuitRules {
  readonly #plan: OutagePlan
  readonly #news: CircuitNews
  readonly #blame: (rule: 'circuit' | 'closed' | 'probe', text: string) => void
  readonly #attempts: Attempt[] = []
  #phase: CircuitEvent['to'] = 'closed'
  #sinceOrder = 0
  #inARow = 0
  #openedMs = -Infinity

  constructor(
    plan: OutagePlan,
    news: CircuitNews,
    blame: (rule: 'circuit' | 'closed' | 'probe', text: string) => void,
  ) {
    this.#plan = plan
    this.#news = news
    this.#blame = blame
  }

  /** Returns how many calls of this isolate all isolates may have counted by now. */
  outagesBefore(nowMs: number): number {
    const sinceMs = nowMs - WINDOW_MS - 2 * this.#plan.skewMs
    const recent = this.#attempts.filter(({ endedMs }) => (endedMs ?? nowMs) >= sinceMs)
    return recent.filter((one) => this.#isOutage(one, nowMs)).length
  }

  /** Returns whether this isolate has opened its circuit by itself a moment ago. */
  opensBefore(nowMs: number): boolean {
    return nowMs - this.#openedMs <= WINDOW_MS
  }

  began(attempt: Attempt): void {
    const { failureThreshold } = this.#plan.config.circuitBreaker
    if (this.#phase === 'closed' && this.#inARow > failureThreshold)
      this.#blame('circuit', `is closed after ${String(this.#inARow)} failures in a row`)
    if (this.#phase === 'half-open') this.#probes(attempt)
    this.#attempts.push(attempt)
  }

  ended(attempt: Attempt): void {
    if (attempt.order <= this.#sinceOrder || attempt.cut) return
    if (attempt.code === undefined) this.#inARow = 0
    else if (OUTAGES.includes(attempt.code)) this.#inARow += 1
  }

  changed({ from, to, why }: CircuitEvent, order: number, nowMs: number): void {
    if (why === 'calls' && to === 'open') this.#opens(from, nowMs)
    if (why === 'calls' && to === 'open') this.#openedMs = nowMs
    if (why === 'calls' && to === 'closed') this.#closes()
    const told = to === 'open' ? this.#news.opened : this.#news.closed
    const isDenied = from === 'half-open' && to === 'open'
    if (why === 'advice' && !told && !isDenied && this.#plan.forgeries === 0)
      this.#blame('circuit', `is ${to} by advice that nobody gave`)
    if (why === 'advice' && !this.#plan.shared) this.#blame('circuit', 'takes advice, from nobody')
    this.#phase = to
    this.#sinceOrder = order
    this.#inARow = 0
  }

  #opens(from: CircuitEvent['from'], nowMs: number): void {
    this.#news.opened = true
    const { failureThreshold, minCalls, failureRate } = this.#plan.config.circuitBreaker
    const least = Math.min(failureThreshold, Math.ceil(minCalls * failureRate))
    const failures = this.#attempts.filter((one) => this.#mayCount(one, nowMs)).length
    const needed = from === 'half-open' ? 1 : least
    if (failures < needed)
      this.#blame('circuit', `opens from ${from} after ${String(failures)} outages`)
  }

  /** Whether it can be one of those that opened the circuit. */
  #mayCount(attempt: Attempt, nowMs: number): boolean {
    return attempt.order > this.#sinceOrder && this.#isOutage(attempt, nowMs)
  }

  #isOutage({ atMs, endedMs, cut, code }: Attempt, nowMs: number): boolean {
    if (!cut && OUTAGES.includes(code)) return true
    return (cut || endedMs === undefined) && (endedMs ?? nowMs) - atMs >= LEAST_MS
  }

  #closes(): void {
    this.#news.closed = true
    const passed = this.#attempts.some(
      ({ order, endedMs, cut, code }) =>
        endedMs !== undefined && !cut && code === undefined && order > this.#sinceOrder,
    )
    if (!passed) this.#blame('closed', 'closes though no probe of its own has succeeded')
  }

  /** R24: while the store is well, one isolate probes in each period. */
  #probes({ isolate, atMs }: Attempt): void {
    const { resetTimeoutMs } = this.#plan.config.circuitBreaker
    const isSure = this.#plan.shared && resetTimeoutMs >= 5_000 && this.#plan.storeIsWell
    const { lease } = this.#news
    const isHeld = lease !== undefined && atMs - lease.sinceMs < resetTimeoutMs - LATE_MS
    if (isSure && isHeld && lease.isolate !== isolate)
      this.#blame('probe', `probes ${String(atMs - lease.sinceMs)} ms after ${lease.isolate}`)
    if (isHeld) return
    // The first probe of a lease may have ended before it reached the KMS: the lease began earlier.
    const leasedAtMs = this.#news.leasedAtMs.get(isolate) ?? -Infinity
    const isOfIt = atMs - leasedAtMs < resetTimeoutMs + LATE_MS
    this.#news.lease = { isolate, sinceMs: isOfIt ? leasedAtMs : atMs }
  }
}
