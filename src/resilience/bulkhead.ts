import type { Network, Runtime } from '../ports/index.ts'
import { untilAborted } from '../runtime/index.ts'
import { Permits } from './permits.ts'

/** Limits for the calls that one KMS gets at the same time. All numbers are integers. */
export interface BulkheadConfig {
  /** Most calls in flight: 4 by default (Workers allow six connections that wait for an answer), 1 to 1,000. */
  readonly maxConcurrent?: number
  /** Most calls in the queue: 64 by default, 0 to 10,000. Further calls are refused at once. */
  readonly maxQueue?: number
  /** How long a call waits in the queue, in milliseconds: 1,000 by default, 1 to 60,000. */
  readonly maxWaitMs?: number
  /**
   * How long a call counts as in flight, in milliseconds: 10,000 by default, 1 to 900,000. A longer call counts as
   * dead.
   */
  readonly maxHoldMs?: number
}

interface Waiter {
  readonly sinceMs: number
  wake: () => void
  /** Its own timer has fired. */
  isOver: boolean
  /** It was woken and has not looked yet: it is about to, or its request is dead. */
  isWoken: boolean
}

/**
 * Waiters that one free permit wakes. Waking all makes the work grow with the square of the queue; a single
 * one may be dead, and would take the wake-up with it.
 */
const WOKEN_AT_ONCE = 8

/**
 * Permits with a bounded queue. Each waiter has its own timer: on Workers the request that would wake
 * it may be dead. A wake-up goes to several waiters, so a dead one among them takes no permit with it.
 */
export class Bulkhead {
  readonly #config: Required<BulkheadConfig>
  readonly #permits: Permits
  readonly #runtime: Runtime
  readonly #network: Network
  readonly #queue = new Set<Waiter>()

  constructor(config: Required<BulkheadConfig>, runtime: Runtime, network: Network) {
    this.#config = config
    this.#permits = new Permits(config.maxConcurrent, config.maxHoldMs)
    this.#runtime = runtime
    this.#network = network
  }

  /** Returns the current numbers. */
  stats(): { readonly inFlight: number; readonly queued: number } {
    return { inFlight: this.#permits.held, queued: this.#queue.size }
  }

  /**
   * Returns a permit, or `undefined` if the queue is full or the wait was in vain.
   *
   * @throws the signal's reason
   */
  async enter(signal: AbortSignal | undefined): Promise<number | undefined> {
    const startedMs = this.#runtime.now()
    const permit = this.#permits.take(startedMs)
    if (permit !== undefined) return permit
    this.#dropDead(startedMs)
    if (this.#queue.size >= this.#config.maxQueue) return undefined
    return this.#wait(startedMs, signal)
  }

  /** Gives the permit back and wakes the first waiters. */
  leave(permit: number): void {
    this.#permits.give(permit)
    let woken = 0
    for (const waiter of this.#queue) {
      if (waiter.isWoken) continue
      waiter.isWoken = true
      waiter.wake()
      woken += 1
      if (woken === WOKEN_AT_ONCE) return
    }
  }

  async #wait(sinceMs: number, signal: AbortSignal | undefined): Promise<number | undefined> {
    const waiter: Waiter = { sinceMs, wake: () => undefined, isOver: false, isWoken: false }
    const cancel = this.#network.after(this.#config.maxWaitMs, () => {
      waiter.isOver = true
      waiter.wake()
    })
    this.#queue.add(waiter)
    try {
      for (;;) {
        const woken = new Promise<void>((resolve) => (waiter.wake = resolve))
        waiter.isWoken = false
        await untilAborted(woken, signal)
        const permit = this.#permits.take(this.#runtime.now())
        if (permit !== undefined || waiter.isOver) return permit
      }
    } finally {
      cancel()
      this.#queue.delete(waiter)
    }
  }

  /** A waiter whose own timer is overdue will never run again. */
  #dropDead(nowMs: number): void {
    // The first ones have waited longest.
    for (const waiter of this.#queue) {
      if (nowMs - waiter.sinceMs <= 2 * this.#config.maxWaitMs) return
      this.#queue.delete(waiter)
    }
  }
}
