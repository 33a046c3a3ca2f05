import { type Bytes, equalBytes } from '../bytes/index.ts'
import type { KeyValueCapabilities, KeyValueStore } from '../ports/index.ts'
import { type ContractCase, demand, demandCode } from './contract-case.ts'
import { keyValueRefusals } from './key-value-refusals.ts'
import { empty, freshKey, randomBytes } from './samples.ts'

/** The subject of the suite. */
export interface KeyValueStoreSubject {
  /** A store, or another client of the one before. */
  create(): KeyValueStore | Promise<KeyValueStore>
  /** Lets this much time pass, by a clock that can be moved or by waiting. */
  elapse(ms: number): Promise<void>
}

const HOUR = { ttlMs: 3_600_000 }
/** Short enough to be waited for, long enough to be read before. */
const SHORT_MS = 250

/**
 * The contract of a {@link KeyValueStore}, as cases for any test runner.
 *
 * @param capabilities - what the store must declare; what it cannot do is skipped and says so
 */
export function keyValueStoreContract(
  capabilities: KeyValueCapabilities,
  subject: KeyValueStoreSubject,
): readonly ContractCase[] {
  const add = (name: string, run: (store: KeyValueStore) => Promise<void>): ContractCase => ({
    name,
    run: async () => run(await subject.create()),
  })
  return [
    add('declares what it can do', (store) => {
      const names = Object.keys(capabilities) as (keyof KeyValueCapabilities)[]
      for (const name of names) {
        demand(store.capabilities[name] === capabilities[name], `${name} is another`)
      }
      return Promise.resolve()
    }),
    ...readsAndWrites(add),
    ...times(add, subject, capabilities),
    ...(capabilities.compareAndSwap ? swaps(add) : [withoutSwap(add)]),
    ...keyValueRefusals(add, capabilities),
  ]
}

/** Makes a case of a store and a name. */
export type AddKeyValueCase = (
  name: string,
  run: (store: KeyValueStore) => Promise<void>,
) => ContractCase

function readsAndWrites(add: AddKeyValueCase): ContractCase[] {
  return [
    add('has nothing under a new key', async (store) => {
      demand((await store.get(freshKey())) === undefined, 'a value out of nowhere')
    }),
    add('reads its own write', async (store) => {
      const [key, value] = [freshKey(), randomBytes(351)]
      await store.put(key, value, HOUR)
      await demandValue(store, key, value)
    }),
    add('keeps every byte as it is, and no byte at all', async (store) => {
      const [key, all] = [freshKey(), Uint8Array.from({ length: 256 }, (_, byte) => byte)]
      await store.put(key, all, HOUR)
      await demandValue(store, key, all)
      const none = freshKey()
      await store.put(none, empty, HOUR)
      await demandValue(store, none, empty)
    }),
    add('deletes, also what is not there', async (store) => {
      const key = freshKey()
      await store.put(key, randomBytes(8), HOUR)
      await store.delete(key)
      demand((await store.get(key)) === undefined, 'it is still there')
      await store.delete(key)
    }),
    add('takes of a view what the view shows', async (store) => {
      const [key, whole] = [freshKey(), randomBytes(64)]
      await store.put(key, whole.subarray(16, 48), HOUR)
      await demandValue(store, key, whole.slice(16, 48))
    }),
    add('does not share its buffers', async (store) => {
      const [key, value] = [freshKey(), randomBytes(32)]
      const copy = value.slice()
      const written = store.put(key, value, HOUR)
      value.fill(0)
      await written
      ;(await store.get(key))?.fill(0)
      await demandValue(store, key, copy)
    }),
    add('keeps keys apart that look alike', async (store) => {
      const key = freshKey()
      const tails = [
        '/a',
        '/A',
        '/a/',
        '/./a',
        '%2Fa',
        '/a?',
        '/a#',
        '/a b',
        '/a+b',
        '/é',
        '/e\u0301',
      ]
      const values = tails.map(() => randomBytes(8))
      for (const [i, tail] of tails.entries()) await store.put(key + tail, values[i] ?? empty, HOUR)
      for (const [i, tail] of tails.entries()) {
        await demandValue(store, key + tail, values[i] ?? empty)
      }
    }),
  ]
}

function times(
  add: AddKeyValueCase,
  subject: KeyValueStoreSubject,
  { minTtlMs, compareAndSwap }: KeyValueCapabilities,
): ContractCase[] {
  const ttlMs = Math.max(SHORT_MS, minTtlMs)
  return [
    add('gives nothing out after twice its time to live', async (store) => {
      const [key, value] = [freshKey(), randomBytes(8)]
      await store.put(key, value, { ttlMs })
      await demandValue(store, key, value)
      await subject.elapse(2 * ttlMs)
      demand((await store.get(key)) === undefined, 'it is given out past its time')
      if (!compareAndSwap) return
      demand(!(await store.compareAndSwap(key, value, value, HOUR)), 'it swaps what has ended')
      demand(
        await store.compareAndSwap(key, undefined, value, HOUR),
        'what has ended is in the way',
      )
      await demandValue(store, key, value)
    }),
    add('counts the time to live of the last write', async (store) => {
      const [key, value] = [freshKey(), randomBytes(8)]
      await store.put(key, randomBytes(8), { ttlMs })
      await store.put(key, value, HOUR)
      await subject.elapse(2 * ttlMs)
      await demandValue(store, key, value)
    }),
  ]
}

function swaps(add: AddKeyValueCase): ContractCase[] {
  return [
    add('swaps only what is expected', async (store) => {
      const [key, first, second] = [freshKey(), randomBytes(32), randomBytes(40)]
      demand(!(await store.compareAndSwap(key, first, second, HOUR)), 'a swap out of nowhere')
      demand(await store.compareAndSwap(key, undefined, first, HOUR), 'a free key is refused')
      demand(!(await store.compareAndSwap(key, undefined, second, HOUR)), 'a taken key is taken')
      demand(!(await store.compareAndSwap(key, second, randomBytes(8), HOUR)), 'the wrong swap')
      await demandValue(store, key, first)
      demand(await store.compareAndSwap(key, first, second, HOUR), 'it refused the right swap')
      await demandValue(store, key, second)
    }),
    add('swaps no value and an empty value, and knows them apart', async (store) => {
      const [key, value] = [freshKey(), randomBytes(8)]
      demand(!(await store.compareAndSwap(key, empty, value, HOUR)), 'nothing counts as empty')
      demand(await store.compareAndSwap(key, undefined, empty, HOUR), 'an empty value is refused')
      demand(!(await store.compareAndSwap(key, undefined, value, HOUR)), 'empty counts as nothing')
      demand(await store.compareAndSwap(key, empty, value, HOUR), 'empty is not swapped')
    }),
    add('lets one of many first writers win', async (store) => {
      const key = freshKey()
      const won = await Promise.all(
        Array.from({ length: 8 }, () =>
          store.compareAndSwap(key, undefined, randomBytes(32), HOUR),
        ),
      )
      demand(won.filter(Boolean).length === 1, 'not exactly one writer won')
    }),
    add('lets one of many swaps win, and keeps what it wrote', async (store) => {
      const [key, first] = [freshKey(), randomBytes(32)]
      const nexts = Array.from({ length: 8 }, () => randomBytes(32))
      await store.put(key, first, HOUR)
      const won = await Promise.all(
        nexts.map((next) => store.compareAndSwap(key, first, next, HOUR)),
      )
      demand(won.filter(Boolean).length === 1, 'not exactly one swap won')
      await demandValue(store, key, nexts[won.indexOf(true)] ?? empty)
    }),
  ]
}

function withoutSwap(add: AddKeyValueCase): ContractCase {
  return add('refuses to compare and swap, and writes nothing', async (store) => {
    const [key, value] = [freshKey(), randomBytes(8)]
    await demandCode(store.compareAndSwap(key, undefined, value, HOUR), 'ERR_KMS_UNSUPPORTED')
    demand((await store.get(key)) === undefined, 'it wrote all the same')
  })
}

async function demandValue(store: KeyValueStore, key: string, value: Bytes): Promise<void> {
  const found = await store.get(key)
  demand(found !== undefined, 'the value is not there')
  demand(equalBytes(found, value), 'another value is read')
}
