import type { Bytes } from '../bytes/index.ts'

/**
 * The store of data-key records, for messages by reference: a system of record. Durable, without
 * expiry, read-after-write. Losing it loses the data.
 */
export interface DataKeyStore {
  /** `strong`: a read after an acknowledged write sees it, everywhere. Anything else is refused. */
  readonly consistency: 'strong' | 'eventual'
  /** The record under this key (`ek1/` and 43 characters), or `undefined`. */
  get(key: string, options?: DataKeyStoreOptions): Promise<Bytes | undefined>
  /** Writes if the key is free. `false`: a record is there already, and stays. Resolves when durable. */
  putIfAbsent(key: string, record: Bytes, options?: DataKeyStoreOptions): Promise<boolean>
  /** Replaces exactly these bytes. `false`: the record is another one by now, and stays. */
  compareAndSwap(
    key: string,
    expected: Bytes,
    next: Bytes,
    options?: DataKeyStoreOptions,
  ): Promise<boolean>
  /**
   * Deletes the record, durably; succeeds if there is none. Messages that refer to it become unreadable for ever
   * once no cache holds the data key: this is how one data key is shredded. The key is free again, so
   * `putIfAbsent` of a writer that still holds the data key brings the record back: invalidate caches first.
   */
  delete(key: string, options?: DataKeyStoreOptions): Promise<void>
  /** Keys in a stable order, a page at a time, for rotation. */
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
