import type { RecordSource } from '../rotation/record-source.ts'
import { type ContractCase, demand, demandCode } from './contract-case.ts'
import { newIds, walk } from './record-source-subject.ts'

/** A source of either kind, with a writer of records whose content does not matter. */
export interface PagesWorld {
  readonly source: RecordSource
  write(id: string): Promise<void>
  delete(id: string): Promise<void>
  readonly failing?: () => RecordSource
}

/** Makes a case of its name and its work. */
export type AddCase<World> = (name: string, run: (world: World) => Promise<void>) => ContractCase

/** The cases of pages, which are the same for every source. */
export function pageCases(add: AddCase<PagesWorld>, newId: () => string): readonly ContractCase[] {
  return [
    add('has a name for state and failures', async ({ source }) => {
      demand(/^[\w.-]{1,64}$/.test(source.name), 'the name is not one')
      await Promise.resolve()
    }),
    add('has one last page if it is empty', async ({ source }) => {
      demand((await walk(source, 10)).length === 0, 'records out of nowhere')
    }),
    add('gives every record once, a page at a time', async (world) => {
      const ids = await written(world, newId, 7)
      for (const limit of [1, 3, 7, 1_000]) demandAll(await walk(world.source, limit), ids)
    }),
    add('gives records in one order, whatever the limit', async (world) => {
      await written(world, newId, 9)
      const orders: string[] = []
      for (const limit of [1, 4, 9, 1_000])
        orders.push(idsOf(await walk(world.source, limit)).join('\n'))
      demand(new Set(orders).size === 1, 'the order changed')
    }),
    add(
      'gives the same page again for a cursor that was used before',
      async ({ source, ...world }) => {
        await written(world, newId, 6)
        const first = await source.page(undefined, 2, {})
        demand(first.cursor !== undefined, 'no cursor, and there is more')
        const second = await source.page(first.cursor, 2, {})
        await source.page(second.cursor, 2, {})
        const again = await source.page(first.cursor, 2, {})
        demand(idsOf(again.records).join() === idsOf(second.records).join(), 'another page')
      },
    ),
    add('gives each record that stays, once, while others write', async (world) => {
      const ids = await written(world, newId, 20)
      const gone = ids.filter((_, at) => at % 5 === 0)
      const stays = ids.filter((id) => !gone.includes(id))
      const seen = await walk(world.source, 3, async (page) => {
        const [leaves] = gone.splice(0, 1)
        if (leaves !== undefined) await world.delete(leaves)
        if (page < 4) await world.write(newId())
        await world.write(stays[page % stays.length] as string)
      })
      for (const id of stays) {
        demand(idsOf(seen).filter((one) => one === id).length === 1, 'a record is not seen once')
      }
      demand(new Set(idsOf(seen)).size === seen.length, 'a record is seen twice')
    }),
    add(
      'gives each record that stays, where records that were given are deleted',
      async (world) => {
        const ids = await written(world, newId, 10)
        const seen = await walk(world.source, 3, async (_page, [given]) => {
          if (given !== undefined) await world.delete(given.id) // a source that counts now skips one
        })
        demandAll(seen, ids)
      },
    ),
    add('ends where everything behind the cursor was deleted', async ({ source, ...world }) => {
      const ids = await written(world, newId, 5)
      const first = await source.page(undefined, 2, {})
      for (const id of ids) await world.delete(id)
      let { cursor } = first
      for (let pages = 0; cursor !== undefined; pages++) {
        const page = await source.page(cursor, 2, {})
        demand(page.records.length === 0 && pages < 10, 'deleted records are given')
        cursor = page.cursor
      }
    }),
    add('refuses limits below 1, above 1,000 and between two', async ({ source }) => {
      for (const limit of [0, -1, 1.5, NaN, Infinity, 1_001, '5' as never]) {
        const thrown = await thrownBy(() => source.page(undefined, limit, {}))
        demand((thrown as Error | undefined)?.name === 'RangeError', 'a limit is not refused')
      }
    }),
    add('gives no page to a signal that is aborted, and says its reason', async ({ source }) => {
      const reason = new Error('enough')
      const options = { signal: AbortSignal.abort(reason) }
      demand(
        (await thrownBy(() => source.page(undefined, 5, options))) === reason,
        'another reason',
      )
    }),
  ]
}

/** The case of a backend that fails. */
export function failingPage(add: AddCase<PagesWorld>): ContractCase {
  return add('says of a failing backend that it is unavailable: page', async ({ failing }) => {
    demand(failing !== undefined, 'the subject has no failing source, nor a reason')
    await demandCode(failing().page(undefined, 5, {}), 'ERR_STORE_UNAVAILABLE')
  })
}

/** Returns what the work throws, also before it returns a promise. */
export async function thrownBy(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work()
  } catch (error) {
    return error
  }
  return undefined
}

async function written(
  world: Pick<PagesWorld, 'write'>,
  newId: () => string,
  count: number,
): Promise<readonly string[]> {
  const ids = newIds(count, newId)
  for (const id of ids) await world.write(id)
  return ids
}

function idsOf(records: readonly { readonly id: string }[]): readonly string[] {
  return records.map(({ id }) => id)
}

function demandAll(records: readonly { readonly id: string }[], ids: readonly string[]): void {
  demand(
    idsOf(records).toSorted().join('\n') === ids.toSorted().join('\n'),
    'not every record once',
  )
}
