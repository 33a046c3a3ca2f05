import type { StoredValue } from '../rotation/record-source.ts'
import { type ContractCase, demand } from './contract-case.ts'
import type { AddCase } from './record-source-pages.ts'
import {
  HOSTILE_IDS,
  type RecordSourceSubject,
  type RecordSourceWorld,
  walk,
} from './record-source-subject.ts'
import { demandHeld, demandValue, newValue } from './record-source-values.ts'

/** The cases of several fields in one record. */
export function fieldCases(
  add: AddCase<RecordSourceWorld>,
  { fields }: RecordSourceSubject,
  newId: () => string,
): readonly ContractCase[] {
  const names = Object.keys(fields)
  const whole = (): Record<string, StoredValue> =>
    Object.fromEntries(names.map((name) => [name, newValue(fields[name] ?? 'bytes')]))
  const changesOf = (
    id: string,
    from: Readonly<Record<string, StoredValue>>,
    to: Readonly<Record<string, StoredValue>>,
  ) => names.map((field) => ({ id, field, expected: from[field] ?? '', next: to[field] ?? '' }))
  return [
    add('swaps all fields of a record in one call', async (world) => {
      const [id, from, to] = [newId(), whole(), whole()]
      await world.put(id, from)
      const outcomes = await world.source.swap(changesOf(id, from, to), {})
      demand(
        outcomes.every((outcome) => outcome === 'swapped'),
        'not all are swapped',
      )
      for (const name of names) await demandHeld(world, id, name, to[name] as StoredValue)
    }),
    add('loses one field alone where another writer changed it', async (world) => {
      for (const changed of names) {
        const [id, from, to, theirs] = [newId(), whole(), whole(), whole()]
        await world.put(id, { ...from, [changed]: theirs[changed] as StoredValue })
        const outcomes = await world.source.swap(changesOf(id, from, to), {})
        names.forEach((name, at) => {
          demand(outcomes[at] === (name === changed ? 'lost' : 'swapped'), 'another outcome')
        })
        for (const name of names) {
          await demandHeld(world, id, name, (name === changed ? theirs : to)[name] as StoredValue)
        }
      }
    }),
    add('leaves the fields alone that no change names', async (world) => {
      for (const name of names) {
        const [id, from, to] = [newId(), whole(), whole()]
        await world.put(id, from)
        await world.source.swap(
          [{ id, field: name, expected: from[name] ?? '', next: to[name] ?? '' }],
          {},
        )
        for (const each of names) {
          await demandHeld(world, id, each, (each === name ? to : from)[each] as StoredValue)
        }
      }
    }),
  ]
}

/** The case of fields without a value. */
export function nullCase(
  add: AddCase<RecordSourceWorld>,
  { fields }: RecordSourceSubject,
  newId: () => string,
): ContractCase {
  return add('gives null for a field without a value, and loses a swap of it', async (world) => {
    for (const [field, kind] of Object.entries(fields)) {
      const id = newId()
      await world.put(id, Object.fromEntries(Object.keys(fields).map((name) => [name, null])))
      const [record] = await world.source.read([id], {})
      demand(record?.values[field] === null, 'the value is not null')
      const given = (await walk(world.source, 2)).find((one) => one.id === id)
      demand(given?.values[field] === null, 'the value is not null in a page')
      const change = { id, field, expected: newValue(kind), next: newValue(kind) }
      demand((await world.source.swap([change], {})).join() === 'lost', 'null was swapped')
      demand((await world.source.read([id], {}))[0]?.values[field] === null, 'null was replaced')
    }
  })
}

/** The case of ids that are any text. */
export function textIdCase(
  add: AddCase<RecordSourceWorld>,
  { fields }: RecordSourceSubject,
): ContractCase {
  return add('finds records by ids of any text, up to 1,024 bytes', async (world) => {
    const [field = '', kind = 'bytes'] = Object.entries(fields)[0] ?? []
    const others = Object.fromEntries(Object.keys(fields).map((name) => [name, null]))
    const values = new Map(HOSTILE_IDS.map((id) => [id, newValue(kind)]))
    for (const [id, value] of values) await world.put(id, { ...others, [field]: value })
    const seen = await walk(world.source, 3)
    demand(seen.length === HOSTILE_IDS.length, 'not as many records as ids')
    for (const record of seen) demandValue(record, field, values.get(record.id) ?? '')
    const next = new Map(HOSTILE_IDS.map((id) => [id, newValue(kind)]))
    const changes = HOSTILE_IDS.map((id) => {
      return { id, field, expected: values.get(id) ?? '', next: next.get(id) ?? '' }
    })
    const outcomes = await world.source.swap(changes, {})
    demand(
      outcomes.every((outcome) => outcome === 'swapped'),
      'not all are swapped',
    )
    const found = await world.source.read(HOSTILE_IDS, {})
    HOSTILE_IDS.forEach((id, at) => demandValue(found[at], field, next.get(id) ?? ''))
  })
}
