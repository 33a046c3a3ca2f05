import type { Bytes } from '../../bytes/index.ts'
import { KmsError } from '../../errors.ts'
import type { KeyValueStore, Network, Runtime } from '../../ports/index.ts'
import { untilAborted } from '../../runtime/index.ts'
import { within } from '../held-key.ts'

/** After a call that failed the store is left alone for as long, milliseconds. */
const PAUSE_MS = 5_000

/** What the store said; `undefined` stands for no answer. */
export type Answer<T> = { readonly value: T } | undefined

/** Clock and timers. */
export interface StorePorts {
  readonly runtime: Runtime
  readonly network: Network
}

/**
 * A store whose calls end, each by a timer of its own, and whose failures are no errors: a cache must
 * do without it. One that failed is not asked again for a while.
 */
export class BoundedStore {
  reads = 0
  writes = 0
  failures = 0
  readonly #store: KeyValueStore
  readonly #timeoutMs: number
  readonly #ports: StorePorts
  #failedAtMs = -Infinity

  constructor(store: KeyValueStore, timeoutMs: number, ports: StorePorts) {
    this.#store = store
    this.#timeoutMs = timeoutMs
    this.#ports = ports
  }

  /** @throws the signal's reason */
  get(name: string, signal: AbortSignal | undefined): Promise<Answer<Bytes | undefined>> {
    return this.#call(
      signal,
      (call) => {
        this.reads += 1
        return this.#store.get(name, { signal: call })
      },
      (value) => value === undefined || value instanceof Uint8Array,
    )
  }

  /**
   * @param when - `now`: although a call failed a moment ago
   * @throws the signal's reason
   */
  put(
    name: string,
    value: Bytes,
    ttlMs: number,
    signal: AbortSignal | undefined,
    when: 'now' | 'if-up' = 'if-up',
  ): Promise<Answer<void>> {
    if (when === 'now') this.#failedAtMs = -Infinity
    return this.#call(
      signal,
      (call) => {
        this.writes += 1
        return this.#store.put(name, value, { ttlMs, signal: call })
      },
      () => true,
    )
  }

  /** @throws the signal's reason */
  swap(
    name: string,
    expected: Bytes | undefined,
    next: Bytes,
    ttlMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Answer<boolean>> {
    return this.#call(
      signal,
      (call) => {
        this.writes += 1
        return this.#store.compareAndSwap(name, expected, next, { ttlMs, signal: call })
      },
      (value) => typeof value === 'boolean',
    )
  }

  async #call<T>(
    signal: AbortSignal | undefined,
    call: (signal: AbortSignal) => Promise<T>,
    check: (value: unknown) => boolean,
  ): Promise<Answer<T>> {
    signal?.throwIfAborted()
    const { runtime, network } = this.#ports
    if (within(this.#failedAtMs, runtime.now(), PAUSE_MS)) return undefined
    const control = new AbortController()
    const stop = (): void => {
      control.abort(signal?.reason)
    }
    signal?.addEventListener('abort', stop, { once: true })
    const cancel = network.after(this.#timeoutMs, () => {
      control.abort(new KmsError('ERR_STORE_UNAVAILABLE', { message: 'the store is too slow' }))
    })
    try {
      const value = await untilAborted(call(control.signal), control.signal)
      if (!check(value)) throw new TypeError('no answer of a store')
      return { value }
    } catch {
      signal?.throwIfAborted() // the caller gave up: that is not the store's fault
      this.failures += 1
      this.#failedAtMs = runtime.now()
      return undefined
    } finally {
      cancel()
      signal?.removeEventListener('abort', stop)
    }
  }
}
