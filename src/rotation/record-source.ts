/**
 * A place with encrypted values that a rotation walks: a table, a bucket, a store of data keys. It has a name,
 * and gives its records a page at a time in a stable order. {@link ValueSource} holds values that fit in memory;
 * {@link ObjectSource} rewraps its objects itself, so that no body enters a page.
 */
export type RecordSource = ValueSource | ObjectSource

/** A source whose values fit in memory: rows, items, data-key records. */
export interface ValueSource extends SourceFacts {
  readonly kind: 'values'
  /**
   * Returns up to `limit` records after the cursor, in a stable order of their ids. A page may be empty and have a
   * cursor; only a page without a cursor is the last. A record that another writer inserts before the cursor may be
   * missing, but a record that existed all the time must not be.
   */
  page(cursor: string | undefined, limit: number, options: SourceOptions): Promise<RecordPage>
  /** Returns the records of these ids as they are now, in order; `undefined` for an id without a record. */
  read(
    ids: readonly string[],
    options: SourceOptions,
  ): Promise<readonly (RotationRecord | undefined)[]>
  /**
   * Replaces values, each only if it still is exactly the expected one. Resolves when that is durable, with one
   * outcome for each change, in order: `lost` if the value has changed or is gone. A change that an earlier call
   * made, whose answer was lost, is `lost` too; the step reads it again.
   */
  swap(changes: readonly RecordChange[], options: SourceOptions): Promise<readonly SwapOutcome[]>
}

/** A source of objects of any size, which rewraps them itself. */
export interface ObjectSource extends SourceFacts {
  readonly kind: 'objects'
  /** As {@link ValueSource.page}; each record has one value, the first bytes of the object, at most 72 KiB. */
  page(cursor: string | undefined, limit: number, options: SourceOptions): Promise<RecordPage>
  /** Puts one object under the KEKs that are configured now; `lost` if it was replaced or deleted meanwhile. */
  rewrap(id: string, options: RewrapObjectCall): Promise<SwapOutcome>
}

/** Facts of every source. */
export interface SourceFacts {
  /** Names the source in state, counts and failures; 1 to 64 letters, digits, `.`, `_` and `-`. Unique in a job. */
  readonly name: string
}

/** Options of each call to a source. */
export interface SourceOptions {
  readonly signal?: AbortSignal | undefined
}

/** Options of {@link ObjectSource.rewrap}. */
export interface RewrapObjectCall extends SourceOptions {
  readonly verify: 'open' | 'kms'
}

/** One page of records. */
export interface RecordPage {
  readonly records: readonly RotationRecord[]
  /** The beginning of the next page, at most 1,024 characters. Absent: this page is the last. */
  readonly cursor?: string
}

/** One record: a row, an item, an object, a data key. */
export interface RotationRecord {
  /** Names the record in its source, at most 1,024 bytes of UTF-8. It goes into failures: never a secret. */
  readonly id: string
  /** The encrypted values by the name of their field; `null` for a field without a value. */
  readonly values: Readonly<Record<string, StoredValue | null>>
  /** Other parts of the context, as the source's options name them, e.g. the columns `tenant` and `id`. */
  readonly facts?: Readonly<Record<string, unknown>>
}

/** A message in bytes, or in its text form. */
export type StoredValue = Uint8Array | string

/** One value that is replaced. */
export interface RecordChange {
  readonly id: string
  readonly field: string
  readonly expected: StoredValue
  readonly next: StoredValue
}

/** Whether a value was replaced. */
export type SwapOutcome = 'swapped' | 'lost'
