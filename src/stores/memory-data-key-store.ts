import { type Bytes, copyBytes, equalBytes } from '../bytes/index.ts'
import type { DataKeyPage, DataKeyStore } from '../ports/index.ts'

/**
 * A {@link DataKeyStore} in the memory of this process, for tests and examples.
 *
 * @remarks Security: the records are lost when the process ends, and with them every message that refers to them.
 */
export class MemoryDataKeyStore implements DataKeyStore {
  readonly consistency = 'strong' as const
  readonly #records = new Map<string, Bytes>()

  get(key: string): Promise<Bytes | undefined> {
    const record = this.#records.get(key)
    return Promise.resolve(record === undefined ? undefined : copyBytes(record))
  }

  putIfAbsent(key: string, record: Bytes): Promise<boolean> {
    if (this.#records.has(key)) return Promise.resolve(false)
    this.#records.set(key, copyBytes(record))
    return Promise.resolve(true)
  }

  compareAndSwap(key: string, expected: Bytes, next: Bytes): Promise<boolean> {
    const record = this.#records.get(key)
    if (record === undefined || !equalBytes(record, expected)) return Promise.resolve(false)
    this.#records.set(key, copyBytes(next))
    return Promise.resolve(true)
  }

  delete(key: string): Promise<void> {
    this.#records.delete(key)
    return Promise.resolve()
  }

  list(cursor: string | undefined, limit: number): Promise<DataKeyPage> {
    const all = [...this.#records.keys()].sort()
    const rest = cursor === undefined ? all : all.filter((key) => key > cursor)
    const keys = rest.slice(0, limit)
    const last = keys.at(-1)
    return Promise.resolve(
      rest.length > keys.length && last !== undefined ? { keys, cursor: last } : { keys },
    )
  }
}
