import type { Runtime } from '../ports/index.ts'

/** A flight that is quiet for longer than the sink may take is dead: its request has ended. */
const STALL_MARGIN_MS = 250

/** Tracks the call that writes batches for all: one at a time, and replaced if it dies. */
export class AuditFlight {
  /** How long a flight may be quiet, milliseconds. */
  readonly stallMs: number
  readonly #runtime: Runtime
  #current: object | undefined
  #movedAtMs = 0

  /** @param options - `timeoutMs`: the longest write of the sink */
  constructor({ timeoutMs, runtime }: { readonly timeoutMs: number; readonly runtime: Runtime }) {
    this.stallMs = timeoutMs + STALL_MARGIN_MS
    this.#runtime = runtime
  }

  /** Whether a call writes, and lives. */
  get isLive(): boolean {
    return this.#current !== undefined && this.#runtime.now() - this.#movedAtMs < this.stallMs
  }

  /** Returns a new flight, which replaces the one before. */
  begin(): object {
    this.#current = {}
    this.moved()
    return this.#current
  }

  /** Whether this flight still writes: no other one has replaced it. */
  is(flight: object): boolean {
    return this.#current === flight
  }

  /** Ends this flight, and returns whether it still was the current one. */
  end(flight: object): boolean {
    if (!this.is(flight)) return false
    this.#current = undefined
    return true
  }

  /** Notes that the flight lives. */
  moved(): void {
    this.#movedAtMs = this.#runtime.now()
  }
}
