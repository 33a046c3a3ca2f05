import type { Bytes } from '../bytes/index.ts'

/**
 * A store of data-key records, for messages by reference. It is a system of record: durable, without expiry, and
 * consistent for reads after writes. If you lose the store, you lose the data.
 */
export interface DataKeyStore {
  /** `strong`: a read after an acknowledged write sees it, everywhere. Anything else is refused. */
  readonly consistency: 'strong' | 'eventual'
  /** Returns the record under this key (`ek1/` and 43 characters), or `undefined`. */
  get(key: string, options?: DataKeyStoreOptions): Promise<Bytes | undefined>
  /**
   * Writes a record if the key is free, and resolves when it is durable. Returns `false` if a record exists; it
   * stays.
   */
  putIfAbsent(key: string, record: Bytes, options?: DataKeyStoreOptions): Promise<boolean>
  /** Replaces the record if it is exactly `expected`. Returns `false` if it has changed; it stays. */
  compareAndSwap(
    key: string,
    expected: Bytes,
    next: Bytes,
    options?: DataKeyStoreOptions,
  ): Promise<boolean>
  /**
   * Deletes the record durably; succeeds if there is none. Use it to shred one data key: once no cache holds the
   * data key, messages that refer to it are unreadable for ever. Invalidate caches first, because a writer that
   * still holds the data key can write the record again by `putIfAbsent`.
   */
  delete(key: string, options?: DataKeyStoreOptions): Promise<void>
  /** Returns keys in a stable order, one page at a time, for rotation. */
  list(
    cursor: string | undefined,
    limit: number,
    options?: DataKeyStoreOptions,
  ): Promise<DataKeyPage>
}

/** Options of each call to a {@link DataKeyStore}. */
export interface DataKeyStoreOptions {
  readonly signal?: AbortSignal | undefined
}

/** One page of keys; no `cursor` means that it is the last. */
export interface DataKeyPage {
  readonly keys: readonly string[]
  readonly cursor?: string
}
