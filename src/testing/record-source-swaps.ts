import type { StoredValue } from '../rotation/record-source.ts'
import { type ContractCase, demand, demandCode } from './contract-case.ts'
import { type AddCase, thrownBy } from './record-source-pages.ts'
import {
  newIds,
  type RecordSourceSubject,
  type RecordSourceWorld,
} from './record-source-subject.ts'
import { recordsOf } from './record-source-kinds.ts'
import { demandHeld, demandValue, newValue } from './record-source-values.ts'
import { randomBytes } from './samples.ts'

/** The cases of a source's `read` and `swap`. */
export function swapCases(
  add: AddCase<RecordSourceWorld>,
  subject: RecordSourceSubject,
  newId: () => string,
): readonly ContractCase[] {
  const names = Object.keys(subject.fields)
  const [field = ''] = names
  const { kind, value, whole, one, swap, change } = recordsOf(subject, newId, field)
  return [
    add('reads records by their ids, in order, and none where there is none', async (world) => {
      const [a] = await one(world)
      const [b] = await one(world)
      const found = await world.source.read([b, newId(), a, b], {})
      demand(
        found.map((record) => record?.id ?? '').join() === [b, '', a, b].join(),
        'not in order',
      )
      demand((await world.source.read([], {})).length === 0, 'records of no ids')
    }),
    add('reads each value as it was written', async (world) => {
      const [id, values] = [newId(), whole()]
      await world.put(id, values)
      const [read] = await world.source.read([id], {})
      const { records } = await world.source.page(undefined, 1, {})
      for (const name of names) {
        for (const record of [read, records[0]])
          demandValue(record, name, values[name] as StoredValue)
      }
    }),
    add('swaps what is expected, and nothing else', async (world) => {
      const [[id, first], [other, kept], second] = [await one(world), await one(world), value()]
      demand((await swap(world, change(id, first, second))) === 'swapped', 'it is not swapped')
      await demandHeld(world, id, field, second)
      await demandHeld(world, other, field, kept)
    }),
    add('loses against a value that is another one by now', async (world) => {
      const [[id, first], second] = [await one(world), value()]
      await world.put(id, { ...whole(), [field]: second })
      demand((await swap(world, change(id, first, value()))) === 'lost', 'it is not lost')
      await demandHeld(world, id, field, second)
    }),
    add('loses against a deletion, and brings nothing back', async (world) => {
      const [id, first] = await one(world)
      await world.delete(id)
      demand((await swap(world, change(id, first, value()))) === 'lost', 'it is not lost')
      demand((await world.source.read([id], {}))[0] === undefined, 'the record is back')
    }),
    add('loses where the change was made before', async (world) => {
      const [[id, first], second] = [await one(world), value()]
      const twice = change(id, first, second)
      demand((await swap(world, twice)) === 'swapped', 'it is not swapped')
      demand((await swap(world, twice)) === 'lost', 'it is made twice')
      await demandHeld(world, id, field, second)
    }),
    add('lets one of many swaps win', async (world) => {
      const [id, first] = await one(world)
      const tried = Array.from({ length: 8 }, value)
      const won = await Promise.all(tried.map((next) => swap(world, change(id, first, next))))
      demand(won.filter((outcome) => outcome === 'swapped').length === 1, 'not exactly one won')
      await demandHeld(world, id, field, tried[won.indexOf('swapped')] as StoredValue)
    }),
    add('gives one outcome for each change, in order', async (world) => {
      const [[a, ofA], [b, ofB], [c]] = [await one(world), await one(world), await one(world)]
      const next = value()
      const changes = [
        change(c, value(), next),
        change(b, ofB, next),
        change(newId(), ofB, next),
        change(a, ofA, next),
      ]
      demand((await swap(world, ...changes)) === 'lost,swapped,lost,swapped', 'another order')
      demand((await swap(world)) === '', 'outcomes of no changes')
    }),
    add('swaps 250 records in one call', async (world) => {
      const ids = newIds(250, newId)
      const [from, to] = [value(), value()]
      for (const id of ids) await world.put(id, { ...whole(), [field]: from })
      const outcomes = await world.source.swap(
        ids.map((id) => change(id, from, to)),
        {},
      )
      demand(outcomes.length === 250, 'not one outcome for each')
      demand(
        outcomes.every((outcome) => outcome === 'swapped'),
        'not all are swapped',
      )
      for (const record of await world.source.read(ids, {})) demandValue(record, field, to)
    }),
    add('refuses a field that it has not, and a text for bytes', async (world) => {
      const [id, first] = await one(world)
      const unknown = { id, field: 'no-such-field', expected: first, next: first }
      const mixed = kind === 'bytes' ? 'text' : randomBytes(8)
      for (const bad of [unknown, change(id, first, mixed)]) {
        const thrown = await thrownBy(() => world.source.swap([bad], {}))
        demand(thrown instanceof Error, 'it is not refused')
      }
      await demandHeld(world, id, field, first)
    }),
    add('does nothing for a signal that is aborted, and says its reason', async (world) => {
      const [[id, first], reason] = [await one(world), new Error('enough')]
      const options = { signal: AbortSignal.abort(reason) }
      const changes = [change(id, first, value())]
      const { source } = world
      for (const work of [() => source.read([id], options), () => source.swap(changes, options)]) {
        demand((await thrownBy(work)) === reason, 'another reason')
      }
      await demandHeld(world, id, field, first)
    }),
  ]
}

/** The case of a backend that fails. */
export function failingSwap(
  add: AddCase<RecordSourceWorld>,
  { fields }: RecordSourceSubject,
  newId: () => string,
): ContractCase {
  const [field = '', kind = 'bytes'] = Object.entries(fields)[0] ?? []
  return add('says of a failing backend that it is unavailable: read and swap', async (world) => {
    demand(world.failing !== undefined, 'the subject has no failing source, nor a reason')
    const source = world.failing()
    const [id, expected] = [newId(), newValue(kind)]
    await demandCode(source.read([id], {}), 'ERR_STORE_UNAVAILABLE')
    await demandCode(
      source.swap([{ id, field, expected, next: expected }], {}),
      'ERR_STORE_UNAVAILABLE',
    )
  })
}
