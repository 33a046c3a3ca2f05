import { equalBytes } from '../bytes/index.ts'
import type { StoredValue } from '../rotation/record-source.ts'
import { type ContractCase, demand, demandCode } from './contract-case.ts'
import { skipped } from './record-source-contract.ts'
import {
  type AddCase,
  failingPage,
  pageCases,
  type PagesWorld,
  thrownBy,
} from './record-source-pages.ts'
import {
  HOSTILE_IDS,
  type ObjectSourceSubject,
  type ObjectSourceWorld,
  walk,
} from './record-source-subject.ts'
import { randomBytes, randomLetters } from './samples.ts'

const OPEN = { verify: 'open' } as const
const MAX_START = 73_728

/** The contract of a source of objects for rotations, as cases for any test runner. */
export function objectSourceContract(subject: ObjectSourceSubject): readonly ContractCase[] {
  const { without = {} } = subject
  const add: AddCase<ObjectSourceWorld> = (name, run) => ({
    name,
    run: async () => run(await subject.create()),
  })
  const addPages: AddCase<PagesWorld> = (name, run) => add(name, (world) => run(pagesOf(world)))
  return [
    ...pageCases(addPages, randomLetters),
    ...rewrapCases(add),
    skipped(textIdCase(add), without.textIds),
    skipped(failingPage(addPages), without.failures),
    skipped(failingRewrap(add), without.failures),
  ]
}

function rewrapCases(add: AddCase<ObjectSourceWorld>): readonly ContractCase[] {
  return [
    add('gives the first bytes of an object, at most 72 KiB', async (world) => {
      const [short, long, none] = [randomBytes(5), randomBytes(200_000), new Uint8Array(0)]
      for (const bytes of [short, long, none]) {
        const id = randomLetters()
        await world.putRaw(id, bytes)
        const start = await startOf(world, id)
        demand(start.length <= MAX_START, 'more than 72 KiB')
        demand(start.length > 0 || bytes.length === 0, 'nothing of an object that is there')
        demand(equalBytes(start, bytes.subarray(0, start.length)), 'other bytes than the first')
      }
    }),
    add('rewraps an object, whose content stays', async (world) => {
      const id = randomLetters()
      await world.put(id, 'content')
      const before = await startOf(world, id)
      demand((await world.source.rewrap(id, OPEN)) === 'swapped', 'it is not swapped')
      demand(!equalBytes(await startOf(world, id), before), 'the head is as it was')
      demand((await world.open(id)) === 'content', 'another content')
    }),
    add('loses against a deletion, and brings nothing back', async (world) => {
      const id = randomLetters()
      await world.put(id, 'content')
      await world.delete(id)
      demand((await world.source.rewrap(id, OPEN)) === 'lost', 'it is not lost')
      demand((await walk(world.source, 10)).length === 0, 'the object is back')
    }),
    add('never puts an old object over a new one', async (world) => {
      const ids = Array.from({ length: 8 }, randomLetters)
      for (const id of ids) await world.put(id, 'old')
      await Promise.all(ids.flatMap((id) => [world.source.rewrap(id, OPEN), world.put(id, 'new')]))
      for (const id of ids) demand((await world.open(id)) === 'new', 'a write is lost')
    }),
    add('does nothing for a signal that is aborted, and says its reason', async (world) => {
      const [id, reason] = [randomLetters(), new Error('enough')]
      await world.put(id, 'content')
      const before = await startOf(world, id)
      const options = { ...OPEN, signal: AbortSignal.abort(reason) }
      demand((await thrownBy(() => world.source.rewrap(id, options))) === reason, 'another reason')
      demand(equalBytes(await startOf(world, id), before), 'it wrote all the same')
    }),
  ]
}

function textIdCase(add: AddCase<ObjectSourceWorld>): ContractCase {
  return add('finds objects by ids of any text, up to 1,024 bytes', async (world) => {
    for (const id of HOSTILE_IDS) await world.put(id, id)
    const seen = (await walk(world.source, 3)).map(({ id }) => id)
    demand(seen.toSorted().join('\n') === HOSTILE_IDS.toSorted().join('\n'), 'not every id once')
    for (const id of HOSTILE_IDS) {
      demand((await world.source.rewrap(id, OPEN)) === 'swapped', 'it is not swapped')
      demand((await world.open(id)) === id, 'another content')
    }
  })
}

function failingRewrap(add: AddCase<ObjectSourceWorld>): ContractCase {
  return add('says of a failing backend that it is unavailable: rewrap', async ({ failing }) => {
    demand(failing !== undefined, 'the subject has no failing source, nor a reason')
    await demandCode(failing().rewrap(randomLetters(), OPEN), 'ERR_STORE_UNAVAILABLE')
  })
}

async function startOf({ source }: ObjectSourceWorld, id: string): Promise<Uint8Array> {
  const found = (await walk(source, 100)).find((record) => record.id === id)
  const values: readonly (StoredValue | null)[] = Object.values(found?.values ?? {})
  demand(values.length === 1, 'an object has one value')
  const [start] = values
  demand(start instanceof Uint8Array, 'the value is not bytes')
  return new Uint8Array(start)
}

function pagesOf(world: ObjectSourceWorld): PagesWorld {
  const { failing } = world
  return {
    source: world.source,
    write: (id) => world.put(id, 'any'),
    delete: (id) => world.delete(id),
    ...(failing !== undefined && { failing: () => failing() }),
  }
}
