import type { Bytes } from '../bytes/index.ts'

/**
 * The cache's shared level: may lose everything at any time, and whoever can write it is not trusted.
 * It holds wrapped data keys and pointers to them, never a plaintext DEK.
 *
 * Buffers are copied, in and out. A key, value or time that it does not take is a `TypeError` or `RangeError`;
 * an aborted signal rejects with its reason. `keyValueStoreContract` of `edge-kms/testing` asks for all of it.
 */
export interface KeyValueStore {
  /** Its abilities. A user that needs more refuses the store at construction. */
  readonly capabilities: KeyValueCapabilities
  /**
   * The value under this key, or `undefined`: absent, expired or lost.
   *
   * @throws KmsError `ERR_STORE_UNAVAILABLE`: no answer; with `retryable: false` and no `status`, the store
   * answers, and what it holds under this key no client of ours can have written. Of the first the store is
   * left alone for a while, of the second this key fails alone.
   */
  get(key: string, options?: KeyValueOptions): Promise<Bytes | undefined>
  /** Writes, whatever was there. The value may go `ttlMs` later; it must never be given out after twice that. */
  put(key: string, value: Bytes, options: KeyValueWriteOptions): Promise<void>
  /**
   * Replaces exactly `expected`; `undefined` stands for "no value". `false`: it is another one by
   * now, and stays. Rejects where {@link KeyValueCapabilities.compareAndSwap} is false.
   */
  compareAndSwap(
    key: string,
    expected: Bytes | undefined,
    next: Bytes,
    options: KeyValueWriteOptions,
  ): Promise<boolean>
  /** Deletes; no error when there is nothing. */
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
