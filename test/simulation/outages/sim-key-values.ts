import type {
  Bytes,
  KeyValueOptions,
  KeyValueStore,
  KeyValueWriteOptions,
} from '../../../src/index.ts'
import type { Isolate } from '../isolate.ts'
import type { Remote } from '../remote.ts'
import type { Scheduler } from '../scheduler.ts'
import { hex } from '../sim-kms.ts'

/** The values of one store, by its own clock, and who looks at each write. */
export class KeyValueTable {
  readonly remote: Remote
  readonly rows = new Map<string, { readonly value: Bytes; readonly untilMs: number }>()
  readonly #scheduler: Scheduler
  readonly #onWrite: (value: Bytes) => void

  constructor(remote: Remote, scheduler: Scheduler, onWrite: (value: Bytes) => void) {
    this.remote = remote
    this.#scheduler = scheduler
    this.#onWrite = onWrite
  }

  read(key: string): Bytes | undefined {
    const held = this.rows.get(key)
    return held !== undefined && this.#scheduler.nowMs < held.untilMs
      ? held.value.slice()
      : undefined
  }

  write(key: string, value: Bytes, ttlMs: number): void {
    this.#onWrite(value)
    this.rows.set(key, { value, untilMs: this.#scheduler.nowMs + ttlMs })
  }
}

/** Hears each request of one isolate to the store. */
export interface StoreWitness {
  readonly read: (key: string) => void
  /** The isolate has heard that another one was first. */
  readonly lostSwap: (key: string) => void
  /** The store has swapped; the isolate has not heard of it yet. */
  readonly wonSwap: (key: string, value: Bytes) => void
}

/** The client of one isolate; what fails is no `KmsError`. */
export class SimKeyValues implements KeyValueStore {
  readonly capabilities = {
    consistency: 'strong',
    compareAndSwap: true,
    minTtlMs: 0,
    maxKeyBytes: 512,
    maxValueBytes: 65_536,
  } as const
  readonly #table: KeyValueTable
  readonly #isolate: Isolate
  readonly #onRead: (key: string) => void
  readonly #onLostSwap: (key: string) => void
  readonly #onWonSwap: StoreWitness['wonSwap']

  constructor(table: KeyValueTable, isolate: Isolate, witness: StoreWitness) {
    this.#table = table
    this.#isolate = isolate
    this.#onRead = witness.read
    this.#onLostSwap = witness.lostSwap
    this.#onWonSwap = witness.wonSwap
  }

  get(key: string, options: KeyValueOptions = {}): Promise<Bytes | undefined> {
    this.#onRead(key)
    return this.#call(options, () => this.#table.read(key))
  }

  put(key: string, value: Bytes, options: KeyValueWriteOptions): Promise<void> {
    const copy = value.slice()
    return this.#call(options, () => {
      this.#table.write(key, copy, options.ttlMs)
    })
  }

  async compareAndSwap(
    key: string,
    expected: Bytes | undefined,
    next: Bytes,
    options: KeyValueWriteOptions,
  ): Promise<boolean> {
    const [old, copy] = [expected && hex(expected), next.slice()]
    const swapped = await this.#call(options, () => {
      const held = this.#table.read(key)
      if ((held && hex(held)) !== old) return false
      this.#table.write(key, copy, options.ttlMs)
      this.#onWonSwap(key, copy)
      return true
    })
    if (!swapped) this.#onLostSwap(key)
    return swapped
  }

  delete(key: string, options: KeyValueOptions = {}): Promise<void> {
    return this.#call(options, () => {
      this.#table.rows.delete(key)
    })
  }

  #call<T>({ signal }: KeyValueOptions, work: () => T): Promise<T> {
    return this.#table.remote.call(this.#isolate, signal, work)
  }
}
