import type { Bytes } from '../bytes/index.ts'

/**
 * A store for the shared level of the cache. It may lose everything at any time, and processes that can write it
 * are not trusted. It holds wrapped data keys and pointers to them, never a plaintext DEK.
 *
 * Buffers are copied, in and out. An invalid key, value or time is a `TypeError` or `RangeError`; an aborted signal
 * rejects with its reason. `keyValueStoreContract` of `edge-kms/testing` tests all of this.
 */
export interface KeyValueStore {
  /** Capabilities of the store. A component that requires more refuses the store in its constructor. */
  readonly capabilities: KeyValueCapabilities
  /**
   * Returns the value under this key, or `undefined` if it is absent, expired or lost.
   *
   * @throws KmsError `ERR_STORE_UNAVAILABLE` if the store does not answer: callers then leave the store alone for a
   * while. With `retryable: false` and no `status`, the store answered, but this package cannot have written the
   * value: then only this key fails.
   */
  get(key: string, options?: KeyValueOptions): Promise<Bytes | undefined>
  /**
   * Writes the value, whether or not one exists. The store may drop it after `ttlMs`, and must never return it
   * after twice `ttlMs`.
   */
  put(key: string, value: Bytes, options: KeyValueWriteOptions): Promise<void>
  /**
   * Writes the value if the current one is exactly `expected`, or absent if `expected` is `undefined`. Returns
   * `false` if it has changed; it stays. Rejects if {@link KeyValueCapabilities.compareAndSwap} is false.
   */
  compareAndSwap(
    key: string,
    expected: Bytes | undefined,
    next: Bytes,
    options: KeyValueWriteOptions,
  ): Promise<boolean>
  /** Deletes the value; succeeds if there is none. */
  delete(key: string, options?: KeyValueOptions): Promise<void>
}

/** Declared by a {@link KeyValueStore}. */
export interface KeyValueCapabilities {
  /** `strong`: a read after an acknowledged write sees it, everywhere. */
  readonly consistency: 'strong' | 'eventual'
  /** Whether `compareAndSwap` is atomic over all clients. */
  readonly compareAndSwap: boolean
  /** The shortest time to live that it honours, milliseconds; 0: any. Shorter ones are raised to it. */
  readonly minTtlMs: number
  /** The longest key, bytes of UTF-8. */
  readonly maxKeyBytes: number
  /** The largest value, bytes. */
  readonly maxValueBytes: number
}

/** Options of each call to a {@link KeyValueStore}. */
export interface KeyValueOptions {
  readonly signal?: AbortSignal | undefined
}

/** Options of a write. */
export interface KeyValueWriteOptions extends KeyValueOptions {
  /** Time to live, milliseconds. */
  readonly ttlMs: number
}
