import type { RecordChange, StoredValue } from '../rotation/record-source.ts'
import { type ContractCase, demand } from './contract-case.ts'
import type { AddCase } from './record-source-pages.ts'
import type { RecordSourceSubject, RecordSourceWorld } from './record-source-subject.ts'
import { copy, demandHeld, nearValues, newValue, wipe } from './record-source-values.ts'

/** Writes and swaps one field of records whose other fields have values too. */
export interface Records {
  readonly kind: 'bytes' | 'text'
  /** Returns a value that nobody had before. */
  readonly value: () => StoredValue
  /** Returns values for all fields. */
  readonly whole: () => Record<string, StoredValue>
  /** Writes a record and returns its id and its value. */
  readonly one: (world: RecordSourceWorld, first?: StoredValue) => Promise<[string, StoredValue]>
  /** Returns the outcomes, joined. */
  readonly swap: (world: RecordSourceWorld, ...changes: readonly RecordChange[]) => Promise<string>
  readonly change: (id: string, expected: StoredValue, next: StoredValue) => RecordChange
}

/** Returns what the cases of one field share. */
export function recordsOf(
  { fields }: RecordSourceSubject,
  newId: () => string,
  field: string,
): Records {
  const kind = fields[field] ?? 'bytes'
  const value = (): StoredValue => newValue(kind)
  const whole = (): Record<string, StoredValue> =>
    Object.fromEntries(Object.entries(fields).map(([name, its]) => [name, newValue(its)]))
  return {
    kind,
    value,
    whole,
    one: async (world, first = value()) => {
      const id = newId()
      await world.put(id, { ...whole(), [field]: first })
      return [id, first]
    },
    swap: async (world, ...changes) => (await world.source.swap(changes, {})).join(),
    change: (id, expected, next) => ({ id, field, expected, next }),
  }
}

/** The cases that differ between bytes and text, for one field. */
export function kindCases(
  addCase: AddCase<RecordSourceWorld>,
  subject: RecordSourceSubject,
  newId: () => string,
  field: string,
): readonly ContractCase[] {
  const { kind, value, one, swap, change } = recordsOf(subject, newId, field)
  const add: typeof addCase = (name, run) => addCase(`${kind}: ${name}`, run)
  return [
    add('compares values byte for byte', async (world) => {
      for (const [held, almost] of nearValues(kind)) {
        const [id] = await one(world, held)
        demand((await swap(world, change(id, almost, value()))) === 'lost', 'it took another value')
        await demandHeld(world, id, field, held)
      }
    }),
    add('keeps values of 100,000 bytes', async (world) => {
      const [[id, first], second] = [
        await one(world, newValue(kind, 100_000)),
        newValue(kind, 100_000),
      ]
      demand((await swap(world, change(id, first, second))) === 'swapped', 'it is not swapped')
      await demandHeld(world, id, field, second)
    }),
    add('does not share its buffers', async (world) => {
      const [[id, first], second] = [await one(world), value()]
      const given = copy(second)
      await swap(world, change(id, first, given))
      wipe(given)
      wipe((await world.source.read([id], {}))[0]?.values[field])
      wipe((await world.source.page(undefined, 1, {})).records[0]?.values[field])
      await demandHeld(world, id, field, second)
    }),
  ]
}
