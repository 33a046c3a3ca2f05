import type { KmsSignalOptions } from '../kms/index.ts'
import type { CallClass, CircuitEvent } from '../ports/index.ts'
import { notify } from '../runtime/index.ts'
import {
  admit,
  type CircuitOutcome,
  type CircuitRecord,
  closedCircuit,
  openCircuit,
  settle,
} from './circuit-state.ts'
import type { CircuitRules } from './circuit-window.ts'
import { isRefusal } from './refusal.ts'
import { errorTypeOf, type Ports } from './service.ts'
import type { SharedCircuit } from './shared-circuit.ts'

/** Names a circuit in events. */
export interface CircuitName {
  readonly provider: string
  readonly callClass: CallClass
}

/** A call that was let through. */
export interface CircuitTicket {
  readonly epoch: number
  readonly startedMs: number
  /** A call that was cut counts if the KMS had this long to answer. */
  readonly enoughMs: number
}

/** A KMS that had this long and did not answer is slow, no matter which layer cut the call. */
const SLOW_MS = 1_000
/** A layer that waits for less than this says nothing about the KMS when it stops. */
const LEAST_MS = 100
/** Timers and clocks disagree by a few milliseconds: this share of the time is all of it. */
const NEARLY_ALL = 0.9
/** Only outages count. Throttles are the concern of the retries. */
const OUTAGES: readonly string[] = ['ERR_KMS_UNAVAILABLE', 'ERR_KMS_TIMEOUT']

/** One circuit at work: the pure state, the clock, and what other isolates say. */
export class Circuit {
  readonly #rules: CircuitRules
  readonly #name: CircuitName
  readonly #ports: Ports
  readonly #shared: SharedCircuit | undefined
  #state: CircuitRecord

  constructor(
    rules: CircuitRules,
    name: CircuitName,
    ports: Ports,
    shared: SharedCircuit | undefined,
    state: CircuitRecord | undefined,
  ) {
    this.#rules = rules
    this.#name = name
    this.#ports = ports
    this.#shared = shared
    this.#state = state ?? closedCircuit()
  }

  get state(): CircuitRecord {
    return this.#state
  }

  /**
   * Returns a ticket for a call, or how long to stay away.
   *
   * @throws the signal's reason
   */
  async enter(
    options: KmsSignalOptions,
  ): Promise<CircuitTicket | { readonly retryAfterMs: number }> {
    this.#listen(options)
    const startedMs = this.#ports.runtime.now()
    const { state, admission } = admit(this.#state, this.#rules, startedMs)
    this.#become(state, 'calls')
    if (admission === 'refuse')
      return { retryAfterMs: Math.max(0, Math.ceil(state.untilMs - startedMs)) }
    const ticket = { epoch: state.epoch, startedMs, enoughMs: enoughOf(options, startedMs) }
    if (admission === 'pass' || this.#shared === undefined) return ticket
    try {
      if (await this.#shared.lease(options)) return ticket
    } catch (error) {
      this.#settle(ticket, 'neutral', options)
      throw error
    }
    // Another isolate probes. Its result comes as news; if it dies, its lease ends.
    const retryAfterMs = Math.ceil(this.#rules.resetTimeoutMs / 4)
    if (this.#state.epoch === ticket.epoch) {
      const untilMs = this.#ports.runtime.now() + retryAfterMs
      const waiting: CircuitRecord = { ...closedCircuit(ticket.epoch + 1), phase: 'open', untilMs }
      this.#become(waiting, 'advice')
    }
    return { retryAfterMs }
  }

  /** The call came back. */
  leave(ticket: CircuitTicket, error: unknown, options: KmsSignalOptions): void {
    this.#settle(ticket, this.#outcomeOf(ticket, error, options), options)
  }

  #settle(ticket: CircuitTicket, outcome: CircuitOutcome, options: KmsSignalOptions): void {
    const { runtime, network } = this.#ports
    const { phase: before, epoch } = this.#state
    const call = { epoch: ticket.epoch, outcome }
    this.#become(settle(this.#state, this.#rules, call, runtime.now(), network.jitter()), 'calls')
    const { phase } = this.#state
    if (phase === before) {
      const counts = phase === 'closed' && ticket.epoch === epoch && outcome !== 'neutral'
      if (counts) this.#shared?.count(outcome === 'failure', options)
    } else if (phase !== 'half-open') this.#shared?.tell(phase, options)
  }

  #outcomeOf(ticket: CircuitTicket, error: unknown, options: KmsSignalOptions): CircuitOutcome {
    if (error === undefined) return 'success'
    const { signal, progress } = options
    const sinceMs = progress?.askedAtMs ?? ticket.startedMs
    const hadTime = this.#ports.runtime.now() - sinceMs >= ticket.enoughMs
    if (isRefusal(error) || (signal?.aborted === true && !hadTime)) return 'neutral'
    return OUTAGES.includes(errorTypeOf(error, signal)) ? 'failure' : 'neutral'
  }

  /** Takes up what other isolates said since this circuit last changed by itself. */
  #listen(options: KmsSignalOptions): void {
    const news = this.#shared?.news(options)
    if (news === undefined) return
    const { runtime, network } = this.#ports
    const nowMs = runtime.now()
    const { phase, epoch } = this.#state
    const leftMs = news.atMs + this.#rules.resetTimeoutMs - nowMs
    if (news.phase === 'closed' && phase === 'open')
      this.#become(closedCircuit(epoch + 1), 'advice')
    if (news.phase === 'open' && phase === 'closed' && leftMs > 0) {
      const open = openCircuit(this.#state, this.#rules, nowMs, network.jitter())
      this.#become({ ...open, untilMs: Math.min(open.untilMs, nowMs + leftMs) }, 'advice')
    }
  }

  #become(next: CircuitRecord, why: CircuitEvent['why']): void {
    const { phase: from } = this.#state
    this.#state = next
    if (next.phase === from) return
    notify(this.#ports.observer, { type: 'circuit', ...this.#name, from, to: next.phase, why })
  }
}

/**
 * Returns how long the KMS must have had a call that is cut: a second, or what the layers above can
 * wait for, if that is less. Else a KMS that hangs behind a shorter wait would be asked for ever.
 */
function enoughOf({ deadlineMs, patienceMs }: KmsSignalOptions, nowMs: number): number {
  const leftMs = Math.min((deadlineMs ?? Infinity) - nowMs, patienceMs ?? Infinity)
  return Math.min(SLOW_MS, Math.max(LEAST_MS, leftMs * NEARLY_ALL))
}
