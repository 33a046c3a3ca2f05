import type {
  KeyValueCapabilities,
  KeyValueOptions,
  KeyValueStore,
  KeyValueWriteOptions,
} from '../../src/index.ts'
import type { Isolate } from './isolate.ts'
import { Random } from './random.ts'
import type { Remote } from './remote.ts'
import type { Scheduler } from './scheduler.ts'
import { hex } from './sim-kms.ts'

type Bytes = Uint8Array<ArrayBuffer>

interface Version {
  /** `undefined`: deleted, lost. */
  readonly value: Bytes | undefined
  readonly atMs: number
  readonly untilMs: number
  readonly order: number
}

/**
 * The values of a shared level. With a propagation time each slot sees a write at a time of its own, so that
 * two of them disagree, and one may see an older value after a newer one.
 */
export class KeyValueTable {
  readonly remote: Remote
  readonly propagationMs: number
  readonly #seed: number
  readonly #scheduler: Scheduler
  readonly #onWrite: (value: Uint8Array) => void
  readonly #versions = new Map<string, Version[]>()
  #order = 0

  constructor(
    remote: Remote,
    { seed, propagationMs }: { readonly seed: number; readonly propagationMs: number },
    scheduler: Scheduler,
    onWrite: (value: Uint8Array) => void,
  ) {
    this.remote = remote
    this.propagationMs = propagationMs
    this.#seed = seed
    this.#scheduler = scheduler
    this.#onWrite = onWrite
  }

  get names(): string[] {
    return [...this.#versions.keys()]
  }

  /** Every value that ever stood there, the newest last. */
  history(name: string): Bytes[] {
    return (this.#versions.get(name) ?? []).flatMap(({ value }) => value ?? [])
  }

  /** Returns the value that a slot sees. */
  read(name: string, slot: number): Bytes | undefined {
    const nowMs = this.#scheduler.nowMs
    const seen = this.#versions.get(name)?.findLast(({ atMs, order }) => {
      return atMs + this.#delayOf(slot, order) <= nowMs
    })
    return seen === undefined || seen.untilMs <= nowMs ? undefined : seen.value
  }

  write(name: string, value: Bytes | undefined, ttlMs: number): void {
    if (value !== undefined) this.#onWrite(value)
    const atMs = this.#scheduler.nowMs
    const version = { value, atMs, untilMs: atMs + ttlMs, order: ++this.#order }
    this.#versions.set(name, [...(this.#versions.get(name) ?? []), version])
  }

  /** Everything is gone, for all. */
  lose(): void {
    for (const name of this.#versions.keys()) this.write(name, undefined, 0)
  }

  #delayOf(slot: number, order: number): number {
    if (this.propagationMs === 0) return 0
    return new Random(this.#seed, `${String(slot)} sees ${String(order)}`).int(
      0,
      this.propagationMs,
    )
  }
}

/** The client of one isolate. A failure throws what a store's own client would, not a KmsError. */
export class SimKeyValues implements KeyValueStore {
  readonly capabilities: KeyValueCapabilities
  readonly #table: KeyValueTable
  readonly #isolate: Isolate

  constructor(table: KeyValueTable, isolate: Isolate) {
    const strong = table.propagationMs === 0
    this.capabilities = {
      consistency: strong ? 'strong' : 'eventual',
      compareAndSwap: strong,
      minTtlMs: 0,
      maxKeyBytes: 512,
      maxValueBytes: 131_072,
    }
    this.#table = table
    this.#isolate = isolate
  }

  get(key: string, options: KeyValueOptions = {}): Promise<Bytes | undefined> {
    return this.#call(options, (table) => table.read(key, this.#isolate.slot)?.slice())
  }

  put(key: string, value: Bytes, options: KeyValueWriteOptions): Promise<void> {
    const copy = value.slice()
    return this.#call(options, (table) => {
      table.write(key, copy, options.ttlMs)
    })
  }

  compareAndSwap(
    key: string,
    expected: Bytes | undefined,
    next: Bytes,
    options: KeyValueWriteOptions,
  ): Promise<boolean> {
    if (!this.capabilities.compareAndSwap) return Promise.reject(new Error('it cannot'))
    const [old, copy] = [expected && hex(expected), next.slice()]
    return this.#call(options, (table) => {
      const held = table.read(key, this.#isolate.slot)
      if ((held && hex(held)) !== old) return false
      table.write(key, copy, options.ttlMs)
      return true
    })
  }

  delete(key: string, options: KeyValueOptions = {}): Promise<void> {
    return this.#call(options, (table) => {
      table.write(key, undefined, 0)
    })
  }

  #call<T>(options: KeyValueOptions, work: (table: KeyValueTable) => T): Promise<T> {
    const { remote } = this.#table
    return remote.call(this.#isolate, options.signal, () => work(this.#table))
  }
}
