import type { Network, Runtime } from '../../ports/index.ts'
import { SingleFlight } from '../../runtime/index.ts'
import type { AwsCredentials, AwsCredentialSource, CredentialOptions } from './credentials.ts'

/** What a refreshing source stands on. */
export interface RefreshPorts {
  readonly runtime: Runtime
  readonly network: Network
}

/** Credentials are renewed this long before they expire, spread so that not all isolates ask at once. */
const REFRESH_AHEAD_MS = 300_000
const REFRESH_JITTER_MS = 60_000
/** Credentials that are this close to their end are not used. */
const HARD_MARGIN_MS = 10_000
/** How long a caller waits for another caller's refresh before it makes its own. */
const FOLLOWER_WAIT_MS = 3_000

/**
 * Credentials that expire, renewed ahead of time: one refresh for many callers. Near the end of
 * their life a failed refresh is not seen by the caller; past it, it is.
 */
export class RefreshingCredentials implements AwsCredentialSource {
  readonly #load: (options: CredentialOptions) => Promise<AwsCredentials>
  readonly #ports: RefreshPorts
  readonly #flight: SingleFlight<AwsCredentials>
  #held: AwsCredentials | undefined
  #refreshAtMs = 0

  constructor(load: (options: CredentialOptions) => Promise<AwsCredentials>, ports: RefreshPorts) {
    this.#load = load
    this.#ports = ports
    this.#flight = new SingleFlight(ports.network, FOLLOWER_WAIT_MS)
  }

  async get(options: CredentialOptions): Promise<AwsCredentials> {
    const now = this.#ports.runtime.now()
    const held = this.#held
    if (held !== undefined && now < this.#refreshAtMs) return held
    const usable = held !== undefined && now < (held.expiresAtMs ?? Infinity) - HARD_MARGIN_MS
    try {
      return await this.#flight.run('credentials', () => this.#refresh(), options)
    } catch (error) {
      options.signal?.throwIfAborted()
      if (usable && this.#held === held) {
        this.#refreshAtMs = now + HARD_MARGIN_MS
        return held
      }
      throw error
    }
  }

  refused(credentials: AwsCredentials): void {
    if (this.#held === credentials) this.#held = undefined
  }

  async #refresh(): Promise<AwsCredentials> {
    // Without the signal of whoever came first: their abort must not end it for the others.
    const fresh = await this.#load({})
    const ahead = REFRESH_AHEAD_MS + this.#ports.network.jitter() * REFRESH_JITTER_MS
    const now = this.#ports.runtime.now()
    const life = (fresh.expiresAtMs ?? Infinity) - now
    // Credentials that live shorter than that are renewed in the last quarter of their life.
    this.#refreshAtMs = now + Math.max(life - ahead, life * 0.75)
    this.#held = Object.freeze({ ...fresh })
    return this.#held
  }
}
