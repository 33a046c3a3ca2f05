import type { DataKeyPage, DataKeyStore } from '../../../src/index.ts'
import type {
  RecordChange,
  RotationRecord,
  SwapOutcome,
  ValueSource,
} from '../../../src/rotation/record-source.ts'
import { dataKeySource, iterableSource } from '../../../src/rotation/sources/index.ts'
import type { Random } from '../random.ts'
import type { Remote } from '../remote.ts'
import type { Scheduler } from '../scheduler.ts'
import { hex } from '../sim-kms.ts'
import type { RotationPlan } from './plan.ts'
import type { Process } from './process.ts'

type Bytes = Uint8Array<ArrayBuffer>

interface Written {
  readonly atMs: number
  /** `undefined`: it was deleted. */
  readonly value: Bytes | undefined
}

/** A table with one encrypted value in each row, its past, and the replicas that show it late. */
export class Table {
  readonly remote: Remote
  readonly #plan: RotationPlan
  readonly #scheduler: Scheduler
  readonly #random: Random
  #tears: boolean
  readonly #rows = new Map<string, Written[]>()
  #ids: string[] | undefined
  /** Swaps of each process. */
  readonly swaps = new Map<Process, number>()
  onSwap: (id: string, next: Bytes) => void = () => undefined

  constructor(plan: RotationPlan, remote: Remote, scheduler: Scheduler, random: Random) {
    this.#plan = plan
    this.#tears = plan.tears
    this.remote = remote
    this.#scheduler = scheduler
    this.#random = random
  }

  /** Nothing fails from now on. */
  heal(): void {
    this.#tears = false
    this.remote.heal()
  }

  /** Ids that have, or had, a row, in order. */
  get ids(): readonly string[] {
    return (this.#ids ??= [...this.#rows.keys()].sort())
  }

  get(id: string, atMs = Infinity): Bytes | undefined {
    return this.#rows.get(id)?.findLast((one) => one.atMs <= atMs)?.value
  }

  /** When the value that is there now was put there. */
  writtenAtMs(id: string): number {
    return this.#rows.get(id)?.at(-1)?.atMs ?? -Infinity
  }

  set(id: string, value: Bytes | undefined, atMs = this.#scheduler.nowMs): void {
    const past = this.#rows.get(id)
    const one = { atMs, value }
    if (past !== undefined) past.push(one)
    else {
      this.#rows.set(id, [one])
      this.#ids = undefined
    }
  }

  /** Returns the time that a replica shows. */
  replicaMs(): number {
    const { lagMs } = this.#plan
    return this.#scheduler.nowMs - (lagMs === 0 ? 0 : this.#random.int(0, lagMs))
  }

  after(cursor: string | undefined, limit: number, atMs: number): readonly string[] {
    const { ids } = this
    const found: string[] = []
    for (let i = from(ids, cursor); i < ids.length && found.length < limit; i++) {
      const id = ids[i] as string
      if (this.get(id, atMs) !== undefined) found.push(id)
    }
    return found
  }

  swap(process: Process, id: string, expected: Uint8Array, next: Bytes): boolean {
    const held = this.get(id)
    if (held === undefined || hex(held) !== hex(expected)) return false
    this.set(id, next)
    this.swaps.set(process, (this.swaps.get(process) ?? 0) + 1)
    this.onSwap(id, next)
    return true
  }

  /** Whether a statement over several values breaks off half-way. */
  tears(): boolean {
    return this.#tears && this.#random.chance(0.1)
  }
}

/** Returns the first place behind the cursor. */
function from(ids: readonly string[], cursor: string | undefined): number {
  if (cursor === undefined) return 0
  let [low, high] = [0, ids.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ids[middle] as string) > cursor) high = middle
    else low = middle + 1
  }
  return low
}

/** Returns the table as a process rotates it. */
export function sourceOf(table: Table, plan: RotationPlan, process: Process): ValueSource {
  const { network } = process.isolate
  if (plan.source === 'data-keys')
    return dataKeySource(new TableStore(table, plan, process), { name: 'table', network })
  const record = (id: string, atMs: number): RotationRecord | undefined => {
    const value = table.get(id, atMs)
    return value && { id, values: { record: value } }
  }
  const call = <T>(signal: AbortSignal | undefined, work: () => T): Promise<T> =>
    process.leave(() => table.remote.call(process.isolate, signal, work))
  return iterableSource({
    name: 'table',
    network,
    async *records(after, { signal }) {
      let cursor = after
      for (;;) {
        const found = await call(signal, () => {
          const atMs = table.replicaMs()
          return table.after(cursor, plan.pageSize + 1, atMs).map((id) => record(id, atMs))
        })
        for (const one of found) if (one) yield one
        cursor = found.at(-1)?.id
        if (found.length <= plan.pageSize) return
      }
    },
    read: (ids, { signal }) =>
      call(signal, () => {
        const atMs = plan.lagsReads ? table.replicaMs() : Infinity
        return ids.map((id) => record(id, atMs))
      }),
    swap: (changes: readonly RecordChange[], { signal }) =>
      call(signal, () => {
        const outcomes: SwapOutcome[] = []
        for (const { id, expected, next } of changes) {
          if (table.tears()) throw new Error('connection reset')
          const to = next as Bytes
          const isSwapped = table.swap(process, id, expected as Bytes, to)
          outcomes.push(isSwapped ? 'swapped' : 'lost')
        }
        return outcomes
      }),
  })
}

/** The same table behind the port of a data-key store. */
class TableStore implements DataKeyStore {
  readonly consistency = 'strong'
  readonly #table: Table
  readonly #plan: RotationPlan
  readonly #process: Process

  constructor(table: Table, plan: RotationPlan, process: Process) {
    this.#table = table
    this.#plan = plan
    this.#process = process
  }

  get(id: string, { signal }: Signal = {}): Promise<Bytes | undefined> {
    const { lagsReads } = this.#plan
    return this.#call(signal, () =>
      this.#table.get(id, lagsReads ? this.#table.replicaMs() : Infinity),
    )
  }

  putIfAbsent(): Promise<boolean> {
    return Promise.reject(new Error('nothing here calls it'))
  }

  delete(): Promise<void> {
    return Promise.reject(new Error('nothing here calls it'))
  }

  compareAndSwap(
    id: string,
    expected: Bytes,
    next: Bytes,
    { signal }: Signal = {},
  ): Promise<boolean> {
    return this.#call(signal, () => this.#table.swap(this.#process, id, expected, next))
  }

  list(cursor: string | undefined, limit: number, { signal }: Signal = {}): Promise<DataKeyPage> {
    return this.#call(signal, () => {
      const keys = this.#table.after(cursor, limit + 1, this.#table.replicaMs())
      const last = keys[limit - 1]
      return keys.length > limit && last !== undefined
        ? { keys: keys.slice(0, limit), cursor: last }
        : { keys }
    })
  }

  #call<T>(signal: AbortSignal | undefined, work: () => T): Promise<T> {
    const { isolate } = this.#process
    return this.#process.leave(() => this.#table.remote.call(isolate, signal, work))
  }
}

interface Signal {
  readonly signal?: AbortSignal | undefined
}
