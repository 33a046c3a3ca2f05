import type { Network } from '../ports/index.ts'

/** Options of one call. */
export interface FlightOptions {
  /** Ends this caller's wait only: the work goes on for the others. */
  readonly signal?: AbortSignal | undefined
  /** Keeps the shared work alive after this caller has answered, e.g. `ctx.waitUntil`. */
  readonly defer?: ((work: Promise<unknown>) => void) | undefined
}

/** How often a follower waits before it leads whatever the others do. */
const MAX_TURNS = 3

interface Landed<T> {
  readonly value: T
}

interface Flight<T> {
  readonly landing: Promise<T>
  readonly seats: number
  /** Callers that share the result. */
  taken: number
}

/**
 * One call for many that want the same at the same time.
 *
 * On Workers a promise that one request started may never settle for another: when the first has
 * answered, its I/O is dropped. So a follower waits with a timer of its own and then works for
 * itself, and only plain data and CryptoKeys may be results.
 */
export class SingleFlight<T> {
  readonly #network: Pick<Network, 'after'>
  readonly #followerWaitMs: number
  readonly #outlives: boolean
  readonly #flights = new Map<string, Flight<T>>()

  /**
   * @param followerWaitMs - how long a follower waits before it makes its own call
   * @param outlives - whether the work goes on, and can be joined, when all its callers have given up;
   * it must have a bound of its own
   */
  constructor(network: Pick<Network, 'after'>, followerWaitMs: number, outlives = false) {
    this.#network = network
    this.#followerWaitMs = followerWaitMs
    this.#outlives = outlives
  }

  /**
   * The result of the flight with this key, which `work` starts if there is none. Failures are
   * shared, never kept.
   *
   * @param work - its signal aborts when the caller that started it gives up and no other has joined;
   * `isFull` tells whether every seat is taken by now
   * @param seats - how many callers one result is enough for
   */
  async run(
    key: string,
    work: (signal: AbortSignal, isFull: () => boolean) => Promise<T>,
    options: FlightOptions,
    seats: number = Infinity,
  ): Promise<T> {
    options.signal?.throwIfAborted()
    const joined: Promise<Landed<T>>[] = []
    let passed: Flight<T> | undefined
    // Of many whose leader died, the first whose timer fires leads, and the others join that flight
    // too; what comes first counts.
    for (let turns = 0; turns < MAX_TURNS; turns += 1) {
      const flight = this.#flights.get(key)
      if (flight === undefined || flight === passed || flight.taken >= flight.seats) break
      flight.taken += 1
      joined.push(flight.landing.then((value) => ({ value })))
      const landed = await this.#firstOf(joined, options.signal)
      if (landed !== undefined) return landed.value
      passed = flight
    }
    return this.#lead(key, work, options, seats)
  }

  #lead(
    key: string,
    work: (signal: AbortSignal, isFull: () => boolean) => Promise<T>,
    options: FlightOptions,
    seats: number,
  ): Promise<T> {
    const control = new AbortController()
    const landing = work(control.signal, () => flight.taken >= flight.seats)
    const flight: Flight<T> = { landing, seats, taken: 1 }
    this.#flights.set(key, flight)
    const leave = (): void => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key)
    }
    const settled = landing.then(leave, leave)
    options.defer?.(settled)
    return untilAborted(landing, options.signal, (reason) => {
      if (flight.taken > 1 || this.#outlives) return
      leave()
      control.abort(reason)
    })
  }

  /** What one of the flights brought, or `undefined` when this caller's own timer ran out first. */
  async #firstOf(
    joined: readonly Promise<Landed<T>>[],
    signal: AbortSignal | undefined,
  ): Promise<Landed<T> | undefined> {
    let stop = (): void => undefined
    const timer = new Promise<undefined>((resolve) => {
      stop = this.#network.after(this.#followerWaitMs, () => {
        resolve(undefined)
      })
    })
    try {
      return await untilAborted(Promise.race([...joined, timer]), signal)
    } finally {
      stop()
    }
  }
}

/** The promise, or the signal's reason as soon as it aborts; what was started goes on unheard. */
export function untilAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  onAbort?: (reason: unknown) => void,
): Promise<T> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      reject(signal.reason as Error)
      onAbort?.(signal.reason)
    }
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', stop)
    })
  })
}
