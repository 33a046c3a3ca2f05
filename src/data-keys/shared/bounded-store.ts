import { type Bytes, copyBytes } from '../../bytes/index.ts'
import { isKmsError, KmsError } from '../../errors.ts'
import type { KeyValueStore, Network, Runtime } from '../../ports/index.ts'
import { withTimeout } from '../../runtime/index.ts'
import { within } from '../cache/held-key.ts'

/** After a call that failed the store is left alone for as long, milliseconds. */
const PAUSE_MS = 5_000

/** The answer of the store; `undefined` if there was none. */
export type Answer<T> = { readonly value: T } | undefined

/** Clock and timers. */
export interface StorePorts {
  readonly runtime: Runtime
  readonly network: Network
}

/**
 * A store whose calls end, each by a timer of its own, and whose failures are not errors: a cache must
 * do without it. One that failed is not asked again for a while; a value that nobody can read fails the
 * calls for its own name alone. Buffers are copied both ways: a store may change or transfer what it has.
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
  async get(name: string, signal: AbortSignal | undefined): Promise<Answer<Bytes | undefined>> {
    return this.#ask(signal, async (call) => {
      this.reads += 1
      const value: unknown = await this.#store.get(name, { signal: call })
      return value === undefined ? undefined : this.#plain(value)
    })
  }

  /** @throws the signal's reason */
  async put(
    name: string,
    value: Bytes,
    ttlMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Answer<void>> {
    return this.#ask(signal, (call) => this.#put(name, value, ttlMs, call))
  }

  /**
   * Writes now, although a call failed a moment ago.
   *
   * @throws KmsError `ERR_STORE_UNAVAILABLE` with what the store threw as its cause; or the signal's reason
   */
  async mustPut(
    name: string,
    value: Bytes,
    ttlMs: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    this.#failedAtMs = -Infinity
    try {
      await this.#call(signal, (call) => this.#put(name, value, ttlMs, call))
    } catch (cause) {
      signal?.throwIfAborted()
      throw new KmsError('ERR_STORE_UNAVAILABLE', {
        message: 'the store did not accept the new epoch: invalidate again',
        cause,
      })
    }
  }

  /** @throws the signal's reason */
  async swap(
    name: string,
    expected: Bytes | undefined,
    next: Bytes,
    ttlMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Answer<boolean>> {
    return this.#ask(signal, async (call) => {
      this.writes += 1
      const options = { ttlMs, signal: call }
      const held = expected && copyBytes(expected)
      const value: unknown = await this.#store.compareAndSwap(name, held, copyBytes(next), options)
      if (typeof value === 'boolean') return value
      throw new TypeError('no answer')
    })
  }

  #put(name: string, value: Bytes, ttlMs: number, signal: AbortSignal): Promise<void> {
    this.writes += 1
    return this.#store.put(name, copyBytes(value), { ttlMs, signal })
  }

  /** A copy of bytes that are bytes: what only looks so, or is gone, throws here and not where it is used. */
  #plain(value: unknown): Bytes {
    if (!ArrayBuffer.isView(value) || !(value instanceof Uint8Array)) {
      throw new TypeError('no answer')
    }
    // The own length of the array, whatever a subclass says, and before it is copied.
    const length = Reflect.get(TYPED_ARRAY, 'length', value) as number
    if (length > this.#store.capabilities.maxValueBytes) {
      throw new KmsError('ERR_STORE_UNAVAILABLE', {
        message: 'the value is too long',
        retryable: false,
      })
    }
    return copyBytes(value)
  }

  /** Returns what a call brings: `undefined` if it fails, or is not made a moment after a failure. */
  async #ask<T>(
    signal: AbortSignal | undefined,
    call: (signal: AbortSignal) => Promise<T>,
  ): Promise<Answer<T>> {
    signal?.throwIfAborted()
    if (within(this.#failedAtMs, this.#ports.runtime.now(), PAUSE_MS)) return undefined
    try {
      return { value: await this.#call(signal, call) }
    } catch {
      signal?.throwIfAborted()
      return undefined
    }
  }

  /** @throws what the store throws, which begins a pause; or the signal's reason */
  async #call<T>(
    signal: AbortSignal | undefined,
    call: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { runtime, network } = this.#ports
    const error = (): KmsError =>
      new KmsError('ERR_STORE_UNAVAILABLE', { message: 'the store did not answer in time' })
    try {
      return await withTimeout(call, { timeoutMs: this.#timeoutMs, signal, network, error })
    } catch (thrown) {
      signal?.throwIfAborted() // the caller gave up: that is not the store's fault
      this.failures += 1
      if (!isOfValue(thrown)) this.#failedAtMs = runtime.now()
      throw thrown
    }
  }
}

const TYPED_ARRAY = /* @__PURE__ */ Object.getPrototypeOf(Uint8Array.prototype) as object

/**
 * Whether the store answers, and what it holds under this name is at fault (`KeyValueStore.get`). With a
 * status it is a refusal of the call: of a token, of a table.
 */
function isOfValue(error: unknown): boolean {
  try {
    if (!isKmsError(error, 'ERR_STORE_UNAVAILABLE')) return false
    return !error.retryable && error.status === undefined
  } catch {
    return false // what looks like an object of ours and throws
  }
}
