import { plainOptions } from '../../checks/index.ts'
import type { DataKeyStore } from '../../ports/index.ts'
import { checkBinding, type StoreCalls } from '../../stores/index.ts'
import type {
  RecordChange,
  RecordPage,
  RotationRecord,
  SourceOptions,
  SwapOutcome,
  ValueSource,
} from '../record-source.ts'
import { eachInOrder } from './each-in-order.ts'
import {
  checkChanges,
  checkLimit,
  sourceCalls,
  type SourceCallOptions,
  sourceName,
} from './source-options.ts'

/** The field of every record of {@link dataKeySource}. */
const FIELD = 'record'
const AT_ONCE = 16

/**
 * Returns a store of data-key records as a source: each record is a message by reference's data key, in its field
 * `record`. Rewrapping one rewraps every message under that data key. It is named `data-keys` by default.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 *
 * @example
 * ```ts
 * import { dataKeySource } from 'edge-kms/rotation'
 * import { PostgresDataKeyStore, type PostgresClient } from 'edge-kms/stores'
 *
 * export const keysOf = (client: PostgresClient) => dataKeySource(new PostgresDataKeyStore({ client }))
 * ```
 */
export function dataKeySource(store: DataKeyStore, options: SourceCallOptions = {}): ValueSource {
  const { name, ...common } = plainOptions(options)
  checkBinding('store', store, 'compareAndSwap')
  return new DataKeySource(
    store,
    sourceName(name, 'data-keys'),
    sourceCalls('data-key-store', common),
  )
}

class DataKeySource implements ValueSource {
  readonly kind = 'values'
  readonly name: string
  readonly #store: DataKeyStore
  readonly #calls: StoreCalls

  constructor(store: DataKeyStore, name: string, calls: StoreCalls) {
    this.#store = store
    this.name = name
    this.#calls = calls
  }

  async page(
    cursor: string | undefined,
    limit: number,
    options: SourceOptions,
  ): Promise<RecordPage> {
    checkLimit(limit)
    const page = await this.#calls.run('list', options.signal, (signal) =>
      this.#store.list(cursor, limit, { signal }),
    )
    const found = await this.read(page.keys, options)
    // A record that was deleted since the list was read is none of the page.
    const records = found.filter((record) => record !== undefined)
    return page.cursor === undefined ? { records } : { records, cursor: page.cursor }
  }

  read(
    ids: readonly string[],
    options: SourceOptions,
  ): Promise<readonly (RotationRecord | undefined)[]> {
    return eachInOrder(ids, AT_ONCE, async (id) => {
      const record = await this.#calls.run('get', options.signal, (signal) =>
        this.#store.get(id, { signal }),
      )
      return record === undefined ? undefined : { id, values: { [FIELD]: record } }
    })
  }

  async swap(
    changes: readonly RecordChange[],
    options: SourceOptions,
  ): Promise<readonly SwapOutcome[]> {
    checkChanges(changes, [FIELD])
    return eachInOrder(changes, AT_ONCE, (change) => this.#swap(change, options.signal))
  }

  async #swap(
    { id, expected, next }: RecordChange,
    caller: AbortSignal | undefined,
  ): Promise<SwapOutcome> {
    if (typeof expected === 'string' || typeof next === 'string') {
      throw new TypeError('a data-key record must be bytes')
    }
    const [from, to] = [new Uint8Array(expected), new Uint8Array(next)]
    const isSwapped = await this.#calls.run('compareAndSwap', caller, (signal) =>
      this.#store.compareAndSwap(id, from, to, { signal }),
    )
    return isSwapped ? 'swapped' : 'lost'
  }
}
