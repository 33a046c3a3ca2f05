import type { DataKeyPage, DataKeyStore, DataKeyStoreOptions } from '../../src/index.ts'
import type { Isolate } from './isolate.ts'
import type { Remote } from './remote.ts'
import { hex } from './sim-kms.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** The records of a strong store, and who looks at each write. */
export class DataKeyTable {
  readonly rows = new Map<string, Bytes>()
  readonly remote: Remote
  readonly onWrite: (value: Uint8Array) => void

  constructor(remote: Remote, onWrite: (value: Uint8Array) => void) {
    this.remote = remote
    this.onWrite = onWrite
  }

  write(key: string, value: Bytes): void {
    this.onWrite(value)
    this.rows.set(key, value)
  }
}

/** The client of one isolate. A failure throws what a store's own client would, not a KmsError. */
export class SimDataKeyStore implements DataKeyStore {
  readonly consistency = 'strong'
  readonly #table: DataKeyTable
  readonly #isolate: Isolate

  constructor(table: DataKeyTable, isolate: Isolate) {
    this.#table = table
    this.#isolate = isolate
  }

  get(key: string, options: DataKeyStoreOptions = {}): Promise<Bytes | undefined> {
    return this.#call(options, (rows) => rows.get(key)?.slice())
  }

  putIfAbsent(key: string, record: Bytes, options: DataKeyStoreOptions = {}): Promise<boolean> {
    const copy = record.slice()
    return this.#call(options, (rows) => {
      if (rows.has(key)) return false
      this.#table.write(key, copy)
      return true
    })
  }

  compareAndSwap(
    key: string,
    expected: Bytes,
    next: Bytes,
    options: DataKeyStoreOptions = {},
  ): Promise<boolean> {
    const [old, copy] = [hex(expected), next.slice()]
    return this.#call(options, (rows) => {
      const held = rows.get(key)
      if (held === undefined || hex(held) !== old) return false
      this.#table.write(key, copy)
      return true
    })
  }

  delete(key: string, options: DataKeyStoreOptions = {}): Promise<void> {
    return this.#call(options, (rows) => {
      rows.delete(key)
    })
  }

  list(
    cursor: string | undefined,
    limit: number,
    options: DataKeyStoreOptions = {},
  ): Promise<DataKeyPage> {
    return this.#call(options, (rows) => {
      const keys = [...rows.keys()].sort().filter((key) => cursor === undefined || key > cursor)
      const page = keys.slice(0, limit)
      const last = page.at(-1)
      return keys.length > limit && last !== undefined
        ? { keys: page, cursor: last }
        : { keys: page }
    })
  }

  #call<T>(options: DataKeyStoreOptions, work: (rows: Map<string, Bytes>) => T): Promise<T> {
    const { remote, rows } = this.#table
    return remote.call(this.#isolate, options.signal, () => work(rows))
  }
}
