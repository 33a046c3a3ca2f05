import { isKmsError, KmsError } from '../errors.ts'
import type { Network, Runtime } from '../ports/index.ts'
import { type FlightOptions, SingleFlight } from './single-flight.ts'
import { withTimeout } from './with-timeout.ts'

/** Something that stops working, e.g. credentials or a token. */
export interface Expiring {
  /** Milliseconds since the epoch. Absent: it does not expire. */
  readonly expiresAtMs?: number
}

/** Ports of a refreshing value. */
export interface RefreshPorts {
  readonly runtime: Runtime
  readonly network: Network
}

/** A value is renewed this long before it expires, spread so that not all isolates ask at once. */
const REFRESH_AHEAD_MS = 300_000
const REFRESH_JITTER_MS = 60_000
/** A value that is this close to its end is not used. */
const HARD_MARGIN_MS = 10_000
/** How long a caller waits for another caller's refresh before it makes its own. */
const FOLLOWER_WAIT_MS = 3_000
/** How long one refresh may take with all that it does, no matter which calls wait for it. */
const REFRESH_TIMEOUT_MS = 30_000
const FAILED = { message: 'the refresh of credentials failed' }

/**
 * A value that expires, renewed ahead of time: one refresh for many callers. Near the end of its
 * life a failed refresh is not seen by the caller; past it, it is.
 *
 * A refresh outlives the attempt that began it, for up to 30 seconds: the attempts after it wait for the
 * same one. Each caller waits until its own signal aborts. A refresh rejects with a `KmsError`.
 */
export class Refreshing<T extends Expiring> {
  readonly #load: (options: FlightOptions, held: T | undefined) => Promise<T>
  readonly #ports: RefreshPorts
  readonly #flight: SingleFlight<T>
  #held: T | undefined
  #refreshAtMs = 0

  /** @param load - is shown what is held, where that was not refused: some tokens can be renewed */
  constructor(
    load: (options: FlightOptions, held: T | undefined) => Promise<T>,
    ports: RefreshPorts,
  ) {
    this.#load = load
    this.#ports = ports
    this.#flight = new SingleFlight(ports.network, FOLLOWER_WAIT_MS, ports.runtime, true)
  }

  async get(options: FlightOptions): Promise<T> {
    const now = this.#ports.runtime.now()
    const held = this.#held
    if (held !== undefined && now < this.#refreshAtMs) return held
    const usable = held !== undefined && now < (held.expiresAtMs ?? Infinity) - HARD_MARGIN_MS
    try {
      return await this.#flight.run('', () => this.#refresh(), options)
    } catch (error) {
      options.signal?.throwIfAborted()
      if (usable && this.#held === held) {
        this.#refreshAtMs = now + HARD_MARGIN_MS
        return held
      }
      throw error
    }
  }

  /** The vendor refused this: the next `get` must not give it again. */
  refused(value: T): void {
    if (this.#held === value) this.#held = undefined
  }

  async #refresh(): Promise<T> {
    const fresh = await this.#loadInTime()
    const ahead = REFRESH_AHEAD_MS + this.#ports.network.jitter() * REFRESH_JITTER_MS
    const now = this.#ports.runtime.now()
    const life = (fresh.expiresAtMs ?? Infinity) - now
    // A value with a shorter life is renewed in the last quarter of it.
    this.#refreshAtMs = now + Math.max(life - ahead, life * 0.75)
    this.#held = Object.freeze({ ...fresh })
    return this.#held
  }

  /** Without the signal of the first caller: its abort must not end the refresh for the others. */
  async #loadInTime(): Promise<T> {
    const held = this.#held
    try {
      return await withTimeout((signal) => this.#load({ signal }, held), {
        timeoutMs: REFRESH_TIMEOUT_MS,
        network: this.#ports.network,
        error: () => new KmsError('ERR_KMS_TIMEOUT', FAILED),
      })
    } catch (error) {
      if (isKmsError(error)) throw error
      // The text may be a secret.
      throw new KmsError('ERR_KMS_UNAVAILABLE', FAILED)
    }
  }
}
