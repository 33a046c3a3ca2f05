import { equalBytes } from '../bytes/index.ts'
import type { DataKeyStore } from '../ports/index.ts'
import { type ContractCase, demand } from './contract-case.ts'
import { empty, randomBytes as bytes, randomLetters } from './samples.ts'

/** The contract of a strongly consistent {@link DataKeyStore}, as cases for any test runner. */
export function dataKeyStoreContract(
  create: () => DataKeyStore | Promise<DataKeyStore>,
): readonly ContractCase[] {
  const add = (name: string, run: (store: DataKeyStore) => Promise<void>): ContractCase => ({
    name,
    run: async () => run(await create()),
  })
  return [
    add('says that it is strongly consistent', async (store) => {
      demand((await Promise.resolve(store.consistency)) === 'strong', 'it is not')
    }),
    add('has nothing under a new key', async (store) => {
      demand((await store.get(key())) === undefined, 'a record out of nowhere')
    }),
    add('reads its own write', async (store) => {
      const [name, record] = [key(), bytes(351)]
      demand(await store.putIfAbsent(name, record), 'the first write is refused')
      demand(equalBytes((await store.get(name)) ?? empty, record), 'another record is read')
    }),
    add('keeps the first record', async (store) => {
      const [name, record] = [key(), bytes(32)]
      await store.putIfAbsent(name, record)
      demand(!(await store.putIfAbsent(name, bytes(32))), 'a second write is taken')
      demand(equalBytes((await store.get(name)) ?? empty, record), 'the record was replaced')
    }),
    add('lets one of many first writers win', async (store) => {
      const name = key()
      const won = await Promise.all(
        Array.from({ length: 8 }, () => store.putIfAbsent(name, bytes(32))),
      )
      demand(won.filter(Boolean).length === 1, 'not exactly one writer won')
    }),
    add('swaps only what is expected', async (store) => {
      const [name, first, second] = [key(), bytes(32), bytes(40)]
      await store.putIfAbsent(name, first)
      demand(
        !(await store.compareAndSwap(name, second, bytes(8))),
        'it swapped what it did not hold',
      )
      demand(await store.compareAndSwap(name, first, second), 'it refused the right swap')
      demand(
        !(await store.compareAndSwap(key(), first, second)),
        'it swapped a record out of nowhere',
      )
      demand(equalBytes((await store.get(name)) ?? empty, second), 'the new record is not there')
    }),
    add('lets one of many swaps win', async (store) => {
      const [name, first] = [key(), bytes(32)]
      await store.putIfAbsent(name, first)
      const won = await Promise.all(
        Array.from({ length: 8 }, () => store.compareAndSwap(name, first, bytes(32))),
      )
      demand(won.filter(Boolean).length === 1, 'not exactly one swap won')
    }),
    add('lists every key once, a page at a time', async (store) => {
      const names = Array.from({ length: 7 }, key)
      for (const name of names) await store.putIfAbsent(name, bytes(8))
      const seen = await allKeys(store, 3)
      for (const name of names)
        demand(seen.filter((found) => found === name).length === 1, 'not once')
    }),
    add('deletes a record, and no other', async (store) => {
      const [gone, kept, record] = [key(), key(), bytes(32)]
      await store.putIfAbsent(gone, record)
      await store.putIfAbsent(kept, record)
      await store.delete(gone)
      demand((await store.get(gone)) === undefined, 'the record is still read')
      demand(!(await store.compareAndSwap(gone, record, bytes(8))), 'a swap finds the record')
      demand(equalBytes((await store.get(kept)) ?? empty, record), 'another record is gone')
      const names = await allKeys(store)
      demand(!names.includes(gone), 'the list still has it')
      demand(names.includes(kept), 'the list has lost another')
    }),
    add('deletes what is not there without an error', async (store) => {
      const name = key()
      await store.delete(name)
      await store.putIfAbsent(name, bytes(32))
      await store.delete(name)
      await store.delete(name)
      demand((await store.get(name)) === undefined, 'the record is still read')
    }),
    add('takes a new record under a deleted key', async (store) => {
      const [name, record] = [key(), bytes(40)]
      await store.putIfAbsent(name, bytes(32))
      await store.delete(name)
      demand(await store.putIfAbsent(name, record), 'the key is not free')
      demand(equalBytes((await store.get(name)) ?? empty, record), 'another record is read')
      demand((await allKeys(store)).filter((one) => one === name).length === 1, 'not listed once')
    }),
    add('does not share its buffers', async (store) => {
      const [name, record] = [key(), bytes(32)]
      const copy = new Uint8Array(record)
      await store.putIfAbsent(name, record)
      record.fill(0)
      ;(await store.get(name))?.fill(0)
      demand(equalBytes((await store.get(name)) ?? empty, copy), 'a record changed from outside')
    }),
  ]
}

async function allKeys(store: DataKeyStore, limit = 100): Promise<readonly string[]> {
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const page = await store.list(cursor, limit)
    demand(page.keys.length <= limit, 'a page is longer than asked for')
    seen.push(...page.keys)
    cursor = page.cursor
  } while (cursor !== undefined)
  return seen
}

function key(): string {
  return `ek1/${randomLetters()}`
}
