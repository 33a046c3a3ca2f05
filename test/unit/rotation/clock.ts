import type { Network } from '../../../src/ports/index.ts'
import { turn } from '../../support/fake-world.ts'

export const START_MS = 1_700_000_000_000
/** Bounds of calls, which never pass here: everything answers. */
const NEVER_MS = 900_000
/** Turns of the event loop without work after which only timers are left. */
const QUIET_TURNS = 6

/** A clock that its own timers move: a wait costs no time, and real work costs no time on this clock. */
export class Clock {
  nowMs = START_MS
  readonly runtime = {
    now: (): number => this.nowMs,
    randomFill: (bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> =>
      crypto.getRandomValues(bytes),
  }
  readonly network: Network = {
    fetch: () => Promise.reject(new Error('no network')),
    after: (delayMs, callback) => this.#after(delayMs, callback),
    jitter: () => 0.5,
  }
  readonly #timers = new Set<{ atMs: number; callback: () => void }>()
  #isTurning = false

  /** Options of a step. */
  get ports() {
    const bounds = { callTimeoutMs: NEVER_MS, sourceTimeoutMs: NEVER_MS, objectTimeoutMs: NEVER_MS }
    return { runtime: this.runtime, network: this.network, ...bounds }
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#after(delayMs, resolve))
  }

  #after(delayMs: number, callback: () => void): () => void {
    if (delayMs >= NEVER_MS) return () => undefined
    const timer = { atMs: this.nowMs + delayMs, callback }
    this.#timers.add(timer)
    if (!this.#isTurning) void this.#turn()
    return () => this.#timers.delete(timer)
  }

  /** Moves on to the next timers once nothing else is left to do. */
  async #turn(): Promise<void> {
    this.#isTurning = true
    for (let turns = 0; turns < QUIET_TURNS; turns += 1) await turn()
    this.#isTurning = false
    this.#fire()
  }

  #fire(): void {
    if (this.#timers.size === 0) return
    this.nowMs = Math.max(this.nowMs, Math.min(...[...this.#timers].map(({ atMs }) => atMs)))
    for (const timer of this.#timers) {
      if (timer.atMs > this.nowMs) continue
      this.#timers.delete(timer)
      timer.callback()
    }
    void this.#turn()
  }
}
