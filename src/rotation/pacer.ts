import type { Network, Runtime } from '../ports/index.ts'
import { sleep } from '../runtime/index.ts'

/** A shorter wait costs more than it spreads; it is made up for by the next one. */
const LEAST_WAIT_MS = 1

/** Spreads requests to a KMS evenly, so that a rotation leaves the rest of the quota to the traffic. */
export class Pacer {
  readonly #runtime: Pick<Runtime, 'now'>
  readonly #network: Network
  #perSecond = Infinity
  #nextAtMs = -Infinity
  #seenMs = -Infinity

  constructor(runtime: Pick<Runtime, 'now'>, network: Network) {
    this.#runtime = runtime
    this.#network = network
  }

  /** Requests each second; Infinity: no limit. */
  get perSecond(): number {
    return this.#perSecond
  }

  /** Lowers the rate, if this one is lower. */
  limit(perSecond: number): void {
    this.#perSecond = Math.min(this.#perSecond, perSecond)
  }

  /**
   * Waits until this many requests may begin.
   *
   * @throws the reason of an aborted signal
   */
  async take(requests: number, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    if (this.#perSecond === Infinity) return
    const now = this.#runtime.now()
    // A clock that was set back must not hold up everything until it is there again.
    if (now < this.#seenMs) this.#nextAtMs -= this.#seenMs - now
    this.#seenMs = now
    const atMs = Math.max(now, this.#nextAtMs)
    this.#nextAtMs = atMs + (requests * 1_000) / this.#perSecond
    if (atMs - now >= LEAST_WAIT_MS) await sleep(this.#network, atMs - now, signal)
  }
}
