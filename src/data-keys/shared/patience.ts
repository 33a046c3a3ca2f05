import type { Network, Runtime } from '../../ports/index.ts'
import { type Bytes, equalBytes } from '../../bytes/index.ts'
import { sleep } from '../../runtime/index.ts'
import type { ObtainOptions } from '../shared-level.ts'
import type { Lease } from './slot.ts'

const FIRST_POLL_MS = 50
const LONGEST_POLL_MS = 400

/** Parts that a wait uses. */
export interface PatienceOptions {
  readonly runtime: Runtime
  readonly network: Network
  readonly waitMs: number
  readonly leaseMs: number
}

/**
 * Limits how long one call waits for another process, by its own timers. It recognizes a lease whose holder has died:
 * it has seen the lease unchanged for as long as one may last, or the time in the lease is over, with room for clocks
 * that differ.
 */
export class Patience {
  readonly #options: PatienceOptions
  #startMs: number
  #clockMs: number
  readonly #boundMs: number
  #sleptMs = 0
  #pollMs = FIRST_POLL_MS
  #seen: Bytes | undefined
  #seenAtMs = 0

  constructor(options: PatienceOptions, { deadlineMs }: ObtainOptions) {
    this.#options = options
    this.#startMs = this.#clockMs = options.runtime.now()
    // Half of the time that is left belongs to the KMS.
    const leftMs = ((deadlineMs ?? Infinity) - this.#startMs) / 2
    this.#boundMs = Math.min(options.waitMs, leftMs)
  }

  /** Whether this has waited at all. */
  get waited(): boolean {
    return this.#sleptMs > 0
  }

  /** Whether somebody is at work under this lease, as far as can be known from here. */
  isHeld({ holder, untilMs }: Lease): boolean {
    const { runtime, leaseMs } = this.#options
    if (this.#seen === undefined || !equalBytes(this.#seen, holder)) {
      this.#seen = holder
      this.#seenAtMs = this.#elapsedMs()
    }
    // Clocks may differ by as much as a lease, and no lease is taken from who works under it.
    const mayLast = runtime.now() < untilMs + leaseMs
    return mayLast && this.#elapsedMs() - this.#seenAtMs < leaseMs
  }

  /**
   * Waits a little, each time longer. `false`: this has waited enough.
   *
   * @throws the signal's reason
   */
  async wait(signal: AbortSignal | undefined): Promise<boolean> {
    const { network } = this.#options
    if (this.#elapsedMs() >= this.#boundMs) return false
    const delayMs = this.#pollMs * (1 - network.jitter() / 2)
    this.#pollMs = Math.min(this.#pollMs * 2, LONGEST_POLL_MS)
    await sleep(network, delayMs, signal)
    this.#sleptMs += delayMs
    return true
  }

  /** A clock can stop. If it is set back, what it showed before still counts. */
  #elapsedMs(): number {
    const now = this.#options.runtime.now()
    if (now < this.#clockMs) this.#startMs -= this.#clockMs - now
    this.#clockMs = now
    return Math.max(this.#sleptMs, now - this.#startMs)
  }
}
