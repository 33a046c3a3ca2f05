import { describe, expect, it } from 'vitest'
import { equalBytes } from '../../../../src/bytes/index.ts'
import type {
  RecordChange,
  RecordPage,
  RotationRecord,
  SourceOptions,
  StoredValue,
  SwapOutcome,
  ValueSource,
} from '../../../../src/rotation/sources/index.ts'
import { recordSourceContract } from '../../../../src/testing/index.ts'

// Sources that are wrong in one way each: the suite is worth something only if it sees them.

type Values = Record<string, StoredValue | null>
const copy = <T extends StoredValue | null>(value: T): T =>
  value instanceof Uint8Array ? (new Uint8Array(value) as Uint8Array as T) : value
const copies = (values: Readonly<Record<string, StoredValue | null>>): Values =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, copy(value)]))

class Right implements ValueSource {
  readonly kind = 'values'
  readonly name: string = 'right'
  readonly rows = new Map<string, Values>()

  async page(
    after: string | undefined,
    limit: number,
    options: SourceOptions,
  ): Promise<RecordPage> {
    await Promise.resolve()
    options.signal?.throwIfAborted()
    if (!Number.isInteger(limit) || limit < 1 || limit > 1_000) throw new RangeError('limit')
    const rest = this.ids().filter((id) => after === undefined || id > after)
    const ids = rest.slice(0, limit)
    const records = ids.map((id) => this.record(id)).filter((one) => one !== undefined)
    const last = ids.at(-1)
    return rest.length > limit && last !== undefined ? { records, cursor: last } : { records }
  }
  async read(
    ids: readonly string[],
    options: SourceOptions,
  ): Promise<readonly (RotationRecord | undefined)[]> {
    await Promise.resolve()
    options.signal?.throwIfAborted()
    return ids.map((id) => this.record(id))
  }
  async swap(
    changes: readonly RecordChange[],
    options: SourceOptions,
  ): Promise<readonly SwapOutcome[]> {
    await Promise.resolve()
    options.signal?.throwIfAborted()
    return changes.map((change) => {
      if (!['secret', 'note'].includes(change.field)) throw new RangeError('field')
      if (typeof change.expected !== typeof change.next) throw new TypeError('kind')
      return this.write(change)
    })
  }
  ids(): string[] {
    return [...this.rows.keys()].sort()
  }
  record(id: string): RotationRecord | undefined {
    const values = this.rows.get(id)
    return values === undefined ? undefined : { id, values: copies(values) }
  }
  write({ id, field, expected, next }: RecordChange): SwapOutcome {
    const row = this.rows.get(id)
    if (row === undefined || !this.isSame(row[field] ?? null, expected)) return 'lost'
    row[field] = copy(next)
    return 'swapped'
  }
  isSame(held: StoredValue | null, expected: StoredValue): boolean {
    if (held instanceof Uint8Array && expected instanceof Uint8Array)
      return equalBytes(held, expected)
    return held === expected
  }
}

class SwapsAnything extends Right {
  override isSame(): boolean {
    return true
  }
}
class ComparesLengths extends Right {
  override isSame(held: StoredValue | null, expected: StoredValue): boolean {
    return held?.length === expected.length
  }
}
class TakesARepetition extends Right {
  override write(change: RecordChange): SwapOutcome {
    const held = this.rows.get(change.id)?.[change.field] ?? null
    return this.isSame(held, change.next) ? 'swapped' : super.write(change)
  }
}
class BringsBack extends Right {
  override write(change: RecordChange): SwapOutcome {
    if (!this.rows.has(change.id)) this.rows.set(change.id, { [change.field]: change.next })
    return super.write(change)
  }
}
class SwapsWholeRecords extends Right {
  override async swap(
    changes: readonly RecordChange[],
    options: SourceOptions,
  ): Promise<readonly SwapOutcome[]> {
    const outcomes = await super.swap(changes, options)
    return outcomes.every((one) => one === 'swapped') ? outcomes : outcomes.map(() => 'lost')
  }
}
class SortsOutcomes extends Right {
  override async swap(
    changes: readonly RecordChange[],
    options: SourceOptions,
  ): Promise<readonly SwapOutcome[]> {
    return [...(await super.swap(changes, options))].sort()
  }
}
class StopsAtAHundred extends Right {
  override async swap(
    changes: readonly RecordChange[],
    options: SourceOptions,
  ): Promise<readonly SwapOutcome[]> {
    return super.swap(changes.slice(0, 100), options)
  }
}
class CountsPages extends Right {
  override async page(
    cursor: string | undefined,
    limit: number,
    options: SourceOptions,
  ): Promise<RecordPage> {
    const { records } = await super.page(undefined, 1_000, options)
    const from = Number(cursor ?? 0)
    const some = records.slice(from, from + limit)
    if (limit < 1 || limit > 1_000 || !Number.isInteger(limit)) throw new RangeError('limit')
    return from + limit < records.length
      ? { records: some, cursor: String(from + limit) }
      : { records: some }
  }
}
class LosesTheLast extends Right {
  override ids(): string[] {
    return super.ids().slice(0, -1)
  }
}
class NeverEnds extends Right {
  override async page(
    cursor: string | undefined,
    limit: number,
    options: SourceOptions,
  ): Promise<RecordPage> {
    const page = await super.page(cursor, limit, options)
    return { cursor: page.cursor ?? 'end', records: page.records }
  }
}
class Shuffles extends Right {
  override ids(): string[] {
    return super.ids().reverse()
  }
}
class LendsBuffers extends Right {
  override record(id: string): RotationRecord | undefined {
    const values = this.rows.get(id)
    return values && { id, values }
  }
}
class FoldsText extends Right {
  override isSame(held: StoredValue | null, expected: StoredValue): boolean {
    if (typeof held !== 'string' || typeof expected !== 'string')
      return super.isSame(held, expected)
    return held.trim().toLowerCase() === expected.trim().toLowerCase()
  }
}
class LeavesNullsOut extends Right {
  override record(id: string): RotationRecord | undefined {
    const record = super.record(id)
    const isEmpty = Object.values(record?.values ?? {}).every((value) => value === null)
    return isEmpty ? undefined : record
  }
}
class DropsTheSignal extends Right {
  override swap(changes: readonly RecordChange[]): Promise<readonly SwapOutcome[]> {
    return super.swap(changes, {})
  }
}

const broken = {
  SwapsAnything,
  ComparesLengths,
  TakesARepetition,
  BringsBack,
  SwapsWholeRecords,
  SortsOutcomes,
  StopsAtAHundred,
  CountsPages,
  LosesTheLast,
  NeverEnds,
  Shuffles,
  LendsBuffers,
  FoldsText,
  LeavesNullsOut,
  DropsTheSignal,
}

async function failedCases(create: new () => Right): Promise<readonly string[]> {
  const cases = recordSourceContract({
    fields: { note: 'text', secret: 'bytes' },
    create: () => {
      const source = new create()
      return {
        source,
        put: async (id, values) => {
          await Promise.resolve()
          source.rows.set(id, copies(values))
        },
        delete: async (id) => {
          await Promise.resolve()
          source.rows.delete(id)
        },
      }
    },
    without: { failures: 'it is in memory' },
  })
  const failed: string[] = []
  for (const one of cases) {
    if (one.skip === undefined) await one.run().catch(() => failed.push(one.name))
  }
  return failed
}

describe('the contract of a source', () => {
  it('holds for one that is right', async () => {
    expect(await failedCases(Right)).toEqual([])
  })

  it.each(Object.keys(broken) as (keyof typeof broken)[])('catches %s', async (name) => {
    expect(await failedCases(broken[name])).not.toEqual([])
  })
})
