import type { Network, Runtime } from '../ports/index.ts'
import { keepAlive } from './keep-alive.ts'
import { webRuntime } from './web-runtime.ts'

/** Options of one call. */
export interface FlightOptions {
  /** Ends this caller's wait only: the work goes on for the others. */
  readonly signal?: AbortSignal | undefined
  /** Keeps the shared work alive after this caller has answered, e.g. `ctx.waitUntil`. */
  readonly defer?: ((work: Promise<unknown>) => void) | undefined
}

/** How often a follower waits before it leads, whatever the others do. */
const MAX_TURNS = 3
/** Flights that can be joined at one time, and characters of their keys; the oldest goes first. */
const MAX_FLIGHTS = 1_024
const MAX_KEY_CHARS = 4_194_304

interface Landed<T> {
  readonly value: T
}

interface Flight<T> {
  readonly landing: Promise<T>
  readonly startedMs: number
  /** Callers that share the result. */
  joined: number
}

/**
 * Makes one call for many callers that want the same at the same time.
 *
 * On Workers a promise that one request started may never settle for another: once the first has
 * answered, its I/O is dropped. So a follower waits with a timer of its own and then works for
 * itself, only plain data and CryptoKeys may be results, and a flight that never lands is forgotten.
 */
export class SingleFlight<T> {
  readonly #network: Pick<Network, 'after'>
  readonly #runtime: Pick<Runtime, 'now'>
  readonly #followerWaitMs: number
  readonly #outlives: boolean
  readonly #flights = new Map<string, Flight<T>>()
  #keyChars = 0

  /**
   * @param followerWaitMs - how long a follower waits before it makes its own call
   * @param outlives - whether the work goes on, and can be joined, when all its callers have given up;
   * it must have a bound of its own
   */
  constructor(
    network: Pick<Network, 'after'>,
    followerWaitMs: number,
    runtime: Pick<Runtime, 'now'> = webRuntime,
    outlives = false,
  ) {
    this.#network = network
    this.#followerWaitMs = followerWaitMs
    this.#runtime = runtime
    this.#outlives = outlives
  }

  /** Flights that can be joined now. */
  get size(): number {
    this.#forgetOld()
    return this.#flights.size
  }

  /**
   * Returns the result of the flight with this key, which `work` starts if there is none. Failures are
   * shared, never kept.
   *
   * @param work - its signal aborts when the caller that started it gives up and no other has joined
   */
  async run(
    key: string,
    work: (signal: AbortSignal) => Promise<T>,
    options: FlightOptions,
  ): Promise<T> {
    options.signal?.throwIfAborted()
    this.#forgetOld()
    const joined: Promise<Landed<T>>[] = []
    let passed: Flight<T> | undefined
    // If a leader died, the first follower whose timer fires leads; the others join that flight too,
    // and the first result counts.
    for (let turns = 0; turns < MAX_TURNS; turns += 1) {
      const flight = this.#flights.get(key)
      if (flight === undefined || flight === passed) break
      flight.joined += 1
      joined.push(flight.landing.then((value) => ({ value })))
      const landed = await this.#firstOf(joined, options.signal)
      if (landed !== undefined) return landed.value
      passed = flight
    }
    return this.#lead(key, work, options)
  }

  #lead(
    key: string,
    work: (signal: AbortSignal) => Promise<T>,
    options: FlightOptions,
  ): Promise<T> {
    const control = new AbortController()
    const landing = work(control.signal)
    const flight: Flight<T> = { landing, startedMs: this.#now(), joined: 1 }
    this.#forget(key) // so that the map stays in the order of starts
    this.#flights.set(key, flight)
    this.#keyChars += key.length
    while (this.#flights.size > MAX_FLIGHTS || this.#keyChars > MAX_KEY_CHARS) {
      this.#forget(this.#flights.keys().next().value as string)
    }
    const leave = (): void => {
      if (this.#flights.get(key) === flight) this.#forget(key)
    }
    const settled = landing.then(leave, leave)
    keepAlive(options.defer, settled)
    return untilAborted(landing, options.signal, (reason) => {
      if (flight.joined > 1 || this.#outlives) return
      leave()
      control.abort(reason)
    })
  }

  /** Drops flights that no follower would wait for any more. No timer runs in the background. */
  #forgetOld(): void {
    const now = this.#now()
    const oldestMs = now - MAX_TURNS * this.#followerWaitMs
    for (const [key, { startedMs }] of this.#flights) {
      if (startedMs > oldestMs && startedMs <= now) return
      this.#forget(key)
    }
  }

  /** Returns NaN for a broken clock, which must not end a call. */
  #now(): number {
    const now: unknown = this.#runtime.now()
    return typeof now === 'number' ? now : NaN
  }

  #forget(key: string): void {
    if (this.#flights.delete(key)) this.#keyChars -= key.length
  }

  /** Returns what one of the flights brought, or `undefined` when this caller's own timer ran out first. */
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

/** Settles as the promise does, or rejects with the signal's reason as soon as it aborts. */
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
