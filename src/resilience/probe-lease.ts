import type { KmsSignalOptions } from '../kms/index.ts'
import type { KeyValueStore } from '../ports/index.ts'
import { withTimeout } from '../runtime/index.ts'
import type { Ports } from './service.ts'

/** Longest wait for the lease. A slower store is ignored. */
const LEASE_WAIT_MS = 250

/** The right of one isolate of many to probe a KMS behind an open circuit. */
export class ProbeLease {
  readonly #store: KeyValueStore
  readonly #key: string
  readonly #ttlMs: number
  readonly #ports: Ports
  #leasedAtMs = -Infinity

  /** @param ttlMs - how long a lease holds: as long as an open circuit stays open */
  constructor(store: KeyValueStore, key: string, ttlMs: number, ports: Ports) {
    this.#store = store
    this.#key = key
    this.#ttlMs = ttlMs
    this.#ports = ports
  }

  /**
   * Returns whether this isolate may probe. One isolate probes per period; if the store does not answer,
   * each isolate decides alone. The lease is not given back when the caller of a probe gives up: the KMS may
   * have been asked. This isolate probes again under it, the others wait for the rest of the period.
   *
   * @throws the signal's reason
   */
  async take({ signal }: KmsSignalOptions): Promise<boolean> {
    const { runtime, network } = this.#ports
    const sinceMs = runtime.now() - this.#leasedAtMs
    // A clock that was set back to before the lease says nothing about its end: the store knows.
    if (sinceMs >= 0 && sinceMs < this.#ttlMs) return true
    const error = (): Error => new Error('the store did not answer in time')
    const bound = { timeoutMs: LEASE_WAIT_MS, signal, network, error }
    try {
      return await withTimeout(() => this.#ask(), bound)
    } catch {
      signal?.throwIfAborted()
      return true
    }
  }

  /** The isolate has told what came of its probe. */
  end(): void {
    this.#leasedAtMs = -Infinity
  }

  async #ask(): Promise<boolean> {
    const { runtime } = this.#ports
    const ttlMs = this.#ttlMs
    const atMs = runtime.now()
    const owner = runtime.randomFill(new Uint8Array(16))
    const won = await this.#store.compareAndSwap(this.#key, undefined, owner, { ttlMs })
    if (won) this.#leasedAtMs = atMs
    return won
  }
}
