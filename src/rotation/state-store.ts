import { decodeUtf8, encodeUtf8 } from '../bytes/index.ts'
import { optionError } from '../checks/index.ts'
import { KmsError } from '../errors.ts'
import type { KeyValueStore } from '../ports/index.ts'
import { MAX_STATE_BYTES } from './state.ts'

/** Options of each call to a {@link RotationStateStore}. */
export interface StateStoreOptions {
  readonly signal?: AbortSignal | undefined
}

/**
 * The store of a manager's job states: one text of at most 64 KiB under each key. Reads must see the last
 * acknowledged write. If a state is lost, no data is lost: the job starts again and skips what is already done.
 */
export interface RotationStateStore {
  /** Returns the text under a key of at most 80 letters, digits, `.`, `_` and `-`, or `undefined`. */
  load(key: string, options: StateStoreOptions): Promise<string | undefined>
  /**
   * Replaces exactly `expected`; `undefined` stands for "nothing is there". Returns whether it did. `false`: the text
   * has changed, and stays.
   */
  save(
    key: string,
    expected: string | undefined,
    next: string,
    options: StateStoreOptions,
  ): Promise<boolean>
}

/** Returns a store in the memory of this process: for scripts that run a job from start to end. */
export function memoryStateStore(): RotationStateStore {
  const texts = new Map<string, string>()
  return {
    load: (key) => Promise.resolve(texts.get(key)),
    save: (key, expected, next) => {
      if (texts.get(key) !== expected) return Promise.resolve(false)
      texts.set(key, next)
      return Promise.resolve(true)
    },
  }
}

const PREFIX = 'edge-kms/rotation/'
/** The longest that stores take: a schedule may run once a year. */
const TTL_MS = 366 * 86_400_000

/**
 * Returns a store over a `KeyValueStore` that is strong and compares atomically: PostgreSQL, Redis, DynamoDB, a
 * Durable Object, D1. If the store evicts a state, the job starts again, or the retirement waits again. No data is
 * lost.
 *
 * @throws KmsError `ERR_KMS_CONFIG` for a store that cannot hold states safely
 *
 * @example
 * ```ts
 * import { keyValueStateStore } from 'edge-kms/rotation'
 * import { PostgresKeyValueStore, type PostgresClient } from 'edge-kms/stores'
 *
 * export const statesIn = (client: PostgresClient) => keyValueStateStore(new PostgresKeyValueStore({ client }))
 * ```
 */
export function keyValueStateStore(store: KeyValueStore): RotationStateStore {
  const { consistency, compareAndSwap, maxValueBytes } = store.capabilities
  if (consistency !== 'strong' || !compareAndSwap)
    throw optionError('store', 'must be strong and compare atomically, such as PostgreSQL or Redis')
  if (maxValueBytes < MAX_STATE_BYTES)
    throw optionError('store', `must hold values of ${String(MAX_STATE_BYTES)} bytes`)
  return {
    async load(key, options) {
      const bytes = await store.get(PREFIX + key, options)
      if (bytes === undefined) return undefined
      const text = decodeUtf8(bytes)
      if (text !== undefined) return text
      const message = 'the state in the store is not text'
      throw new KmsError('ERR_STORE_UNAVAILABLE', { message, retryable: false })
    },
    save(key, expected, next, { signal }) {
      const old = expected === undefined ? undefined : encodeUtf8(expected)
      const options = { signal, ttlMs: TTL_MS }
      return store.compareAndSwap(PREFIX + key, old, encodeUtf8(next), options)
    },
  }
}
