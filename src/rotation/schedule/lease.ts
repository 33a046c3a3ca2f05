import type { Bytes } from '../../bytes/index.ts'
import { equalBytes } from '../../bytes/index.ts'
import { demandMethods, optionError } from '../../checks/index.ts'
import { KmsError } from '../../errors.ts'
import type { KeyValueStore, Runtime } from '../../ports/index.ts'
import { callOutside, type SourceCallPorts } from '../source-calls.ts'

/** Ports and bounds of a lease. */
export interface LeasePorts extends SourceCallPorts {
  readonly runtime: Pick<Runtime, 'now' | 'randomFill'>
}

/** A lease is renewed so often before it would end. */
const RENEWALS = 3
const OWNER_BYTES = 16
/** The value of a lease that its holder gave back: the next holder need not wait until the time is over. */
const FREE: Bytes = new Uint8Array([0])

/**
 * Refuses a store in which two processes could hold the same lease.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function checkLeaseStore(store: KeyValueStore): KeyValueStore {
  demandMethods('lease', store, ['get', 'compareAndSwap'])
  const { consistency, compareAndSwap } = store.capabilities
  if (consistency === 'strong' && compareAndSwap) return store
  throw optionError('lease', 'must be strong and compare atomically, such as PostgreSQL or Redis')
}

/**
 * The right of one process of many to work. The store may lose a lease, and a process may be paused for longer than its
 * lease lasts: so the work must bear a second worker, which costs calls and no data.
 */
export class Lease {
  readonly #store: KeyValueStore
  readonly #key: string
  readonly #ttlMs: number
  readonly #ports: LeasePorts
  /** The same at each renewal: one whose answer was lost costs nothing. */
  readonly #owner: Bytes
  readonly #ended = new AbortController()
  #untilMs = -Infinity
  #cancel: (() => void) | undefined

  constructor(store: KeyValueStore, key: string, ttlMs: number, ports: LeasePorts) {
    this.#store = store
    this.#key = key
    this.#ttlMs = ttlMs
    this.#ports = ports
    this.#owner = ports.runtime.randomFill(new Uint8Array(OWNER_BYTES))
  }

  /** Aborts when the lease is lost, with `ERR_STORE_CONFLICT` as its reason. */
  get lost(): AbortSignal {
    return this.#ended.signal
  }

  /** Takes the lease and renews it until it is released. Returns whether it was free. */
  async take(signal: AbortSignal | undefined): Promise<boolean> {
    const found = await this.#call('get', signal, (options) => this.#store.get(this.#key, options))
    if (found !== undefined && !equalBytes(found, FREE)) return false
    return this.#extend(found, signal)
  }

  /**
   * Proves that the lease is held, before a step that should not be made twice.
   *
   * @throws KmsError `ERR_STORE_CONFLICT` if it was lost
   */
  async demand(signal: AbortSignal | undefined): Promise<void> {
    if (!this.lost.aborted && !(await this.#extend(this.#owner, signal))) this.#lose()
    this.lost.throwIfAborted()
  }

  /** Gives the lease back, if it is held. If the store does not answer, the lease ends by itself. */
  async release(): Promise<void> {
    this.#cancel?.()
    if (this.lost.aborted) return
    this.#ended.abort(new KmsError('ERR_STORE_CONFLICT', { message: 'the lease was released' }))
    await this.#call('release', undefined, ({ signal }) =>
      this.#store.compareAndSwap(this.#key, this.#owner, FREE, { signal, ttlMs: this.#ttlMs }),
    ).catch(() => undefined)
  }

  async #extend(from: Bytes | undefined, signal: AbortSignal | undefined): Promise<boolean> {
    const askedAtMs = this.#ports.runtime.now() // the store counts from later on
    const isHeld = await this.#call('renew', signal, (options) =>
      this.#store.compareAndSwap(this.#key, from, this.#owner, { ...options, ttlMs: this.#ttlMs }),
    )
    if (!isHeld) return false
    this.#untilMs = askedAtMs + this.#ttlMs
    this.#renewLater()
    return true
  }

  #renewLater(): void {
    this.#cancel?.()
    if (this.lost.aborted) return
    this.#cancel = this.#ports.network.after(this.#ttlMs / RENEWALS, () => void this.#renew())
  }

  async #renew(): Promise<void> {
    try {
      if (!(await this.#extend(this.#owner, undefined))) this.#lose()
    } catch {
      // The store does not answer. The lease lasts as long as was said, and not longer.
      if (this.#ports.runtime.now() >= this.#untilMs) this.#lose()
      else this.#renewLater()
    }
  }

  #lose(): void {
    this.#cancel?.()
    const message = 'the lease was lost: another process may rotate now'
    this.#ended.abort(new KmsError('ERR_STORE_CONFLICT', { message, retryable: true }))
  }

  #call<T>(
    name: string,
    signal: AbortSignal | undefined,
    work: (options: { readonly signal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    const { network, sourceTimeoutMs: most } = this.#ports
    const bounds = { network, sourceTimeoutMs: Math.min(most, this.#ttlMs / RENEWALS) }
    return callOutside(bounds, `lease: ${name}`, signal, work)
  }
}
