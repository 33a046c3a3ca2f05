import { type Bytes, encodeBase64 } from '../../src/bytes/index.ts'
import type { DataKeyPage, DataKeyStore, DataKeyStoreOptions } from '../../src/ports/index.ts'
import {
  checkDataKeyName,
  checkPage,
  checkValue,
  MAX_VALUE_BYTES,
  pageOf,
} from '../../src/stores/index.ts'
import { DurableObjectClient, type DurableObjectStoreOptions } from './durable-object-client.ts'

/**
 * A {@link DataKeyStore} in one Durable Object, 10 GB at most.
 *
 * @remarks Security: its records live as long as the object's storage. Deleting the class by a
 * migration, or going back to a bookmark of point-in-time recovery, loses records, and with them
 * every message that refers to them.
 */
export class DurableObjectDataKeyStore implements DataKeyStore {
  readonly consistency = 'strong' as const
  readonly #object: DurableObjectClient

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: DurableObjectStoreOptions) {
    this.#object = new DurableObjectClient(options)
  }

  async get(key: string, options: DataKeyStoreOptions = {}): Promise<Bytes | undefined> {
    return this.#object.read({ op: 'record-get', key: checkDataKeyName(key) }, options.signal)
  }

  async putIfAbsent(
    key: string,
    record: Bytes,
    options: DataKeyStoreOptions = {},
  ): Promise<boolean> {
    const request = { op: 'record-put', key: checkDataKeyName(key), value: textOf(record) } as const
    return this.#object.write('putIfAbsent', request, options.signal)
  }

  async compareAndSwap(
    key: string,
    expected: Bytes,
    next: Bytes,
    options: DataKeyStoreOptions = {},
  ): Promise<boolean> {
    const request = {
      op: 'record-swap',
      key: checkDataKeyName(key),
      expected: encodeBase64(expected),
      value: textOf(next),
    } as const
    return this.#object.write('compareAndSwap', request, options.signal)
  }

  async delete(key: string, options: DataKeyStoreOptions = {}): Promise<void> {
    const request = { op: 'record-delete', key: checkDataKeyName(key) } as const
    await this.#object.write('delete', request, options.signal)
  }

  async list(
    cursor: string | undefined,
    limit: number,
    options: DataKeyStoreOptions = {},
  ): Promise<DataKeyPage> {
    checkPage(cursor, limit)
    // One more than asked for tells whether there is a next page.
    const request = { op: 'record-list', cursor: cursor ?? '', limit: limit + 1 } as const
    const { keys } = await this.#object.ask('list', request, options.signal)
    const unreadable = (): Error => this.#object.unreadable('list')
    if (!Array.isArray(keys)) throw unreadable()
    return pageOf(keys, limit, unreadable)
  }
}

function textOf(record: Bytes): string {
  return encodeBase64(checkValue(record, MAX_VALUE_BYTES))
}
