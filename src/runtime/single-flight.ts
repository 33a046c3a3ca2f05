import type { Network } from '../ports/index.ts'

/** Options of one call. */
export interface FlightOptions {
  /** Ends this caller's wait only: the work goes on for the others. */
  readonly signal?: AbortSignal | undefined
  /** Keeps the shared work alive after this caller has answered, e.g. `ctx.waitUntil`. */
  readonly defer?: ((work: Promise<unknown>) => void) | undefined
}

/**
 * One call for many that want the same at the same time.
 *
 * On Workers a promise that one request started may never settle for another: when the first has
 * answered, its I/O is dropped. So a follower waits with a timer of its own and then works for
 * itself, and only plain data and CryptoKeys may be results.
 */
export class SingleFlight<T> {
  readonly #network: Network
  readonly #followerWaitMs: number
  readonly #flights = new Map<string, Promise<T>>()

  /** @param followerWaitMs - how long a follower waits before it makes its own call */
  constructor(network: Network, followerWaitMs: number) {
    this.#network = network
    this.#followerWaitMs = followerWaitMs
  }

  /** The result of the flight with this key, which `work` starts if there is none. Failures are shared, never kept. */
  async run(key: string, work: () => Promise<T>, options: FlightOptions): Promise<T> {
    options.signal?.throwIfAborted()
    const flight = this.#flights.get(key)
    if (flight === undefined) return this.#lead(key, work, options)
    const landed = await this.#follow(flight, options.signal)
    return landed === undefined ? this.#lead(key, work, options) : landed.value
  }

  #lead(key: string, work: () => Promise<T>, options: FlightOptions): Promise<T> {
    const flight = work()
    this.#flights.set(key, flight)
    const land = (): void => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key)
    }
    const settled = flight.then(land, land)
    options.defer?.(settled)
    return untilAborted(flight, options.signal)
  }

  /** What the flight brought, or `undefined` when this caller's own timer ran out first. */
  async #follow(
    flight: Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly value: T } | undefined> {
    let stop = (): void => undefined
    const timer = new Promise<undefined>((resolve) => {
      stop = this.#network.after(this.#followerWaitMs, () => {
        resolve(undefined)
      })
    })
    try {
      const landed = flight.then((value) => ({ value }))
      return await untilAborted(Promise.race([landed, timer]), signal)
    } finally {
      stop()
    }
  }
}

/** The promise, or the signal's reason as soon as it aborts; what was started goes on unheard. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      reject(signal.reason as Error)
    }
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', stop)
    })
  })
}
