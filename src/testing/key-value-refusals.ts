import type { Bytes } from '../bytes/index.ts'
import type { KeyValueCapabilities, KeyValueStore } from '../ports/index.ts'
import { type ContractCase, demand } from './contract-case.ts'
import { freshKey, randomBytes } from './samples.ts'

const HOUR = { ttlMs: 3_600_000 }
const value: Bytes = /* @__PURE__ */ new Uint8Array(1)

/** The cases of what a store must take to its bounds, and refuse beyond them. */
export function keyValueRefusals(
  add: (name: string, run: (store: KeyValueStore) => Promise<void>) => ContractCase,
  { maxKeyBytes, maxValueBytes }: KeyValueCapabilities,
): ContractCase[] {
  /** In letters of two bytes, so that bytes are counted and not letters. */
  const longest = (bytes: number): string => {
    const key = freshKey()
    const room = bytes - key.length
    return `${key}${'é'.repeat(room >> 1)}${'x'.repeat(room & 1)}`
  }
  return [
    add('takes the longest key and refuses a longer one', async (store) => {
      const key = longest(maxKeyBytes)
      await store.put(key, value, HOUR)
      demand((await store.get(key)) !== undefined, 'the longest key is lost')
      await demandThrown(store.put(longest(maxKeyBytes + 1), value, HOUR), 'RangeError')
    }),
    add('takes the largest value and refuses a larger one', async (store) => {
      const key = freshKey()
      await store.put(key, randomBytes(maxValueBytes), HOUR)
      demand((await store.get(key))?.length === maxValueBytes, 'the largest value is lost')
      await demandThrown(store.put(key, randomBytes(maxValueBytes + 1), HOUR), 'RangeError')
    }),
    add('refuses invalid keys', async (store) => {
      for (const key of ['', 'a\u0000b', 'a\nb', 'a\u007f', 'a\ud800']) {
        await demandThrown(store.get(key), 'RangeError')
        await demandThrown(store.put(key, value, HOUR), 'RangeError')
        await demandThrown(store.delete(key), 'RangeError')
      }
      await demandThrown(store.get(7 as never), 'TypeError')
    }),
    add('refuses a wrong time to live and values that are not bytes', async (store) => {
      for (const ttlMs of [0, -1, NaN, Infinity, 1e12, '60' as never]) {
        await demandThrown(store.put(freshKey(), value, { ttlMs }), 'RangeError')
      }
      await demandThrown(store.put(freshKey(), 'text' as never, HOUR), 'TypeError')
    }),
    add('does nothing for a signal that is aborted, and says its reason', async (store) => {
      const [key, reason] = [freshKey(), new Error('enough')]
      const signal = AbortSignal.abort(reason)
      for (const work of [
        () => store.put(key, value, { ...HOUR, signal }),
        () => store.get(key, { signal }),
        () => store.delete(key, { signal }),
      ]) {
        demand((await thrownBy(work())) === reason, 'another reason')
      }
      demand((await store.get(key)) === undefined, 'it wrote all the same')
    }),
  ]
}

async function thrownBy(work: Promise<unknown>): Promise<unknown> {
  try {
    await work
  } catch (error) {
    return error
  }
  return undefined
}

async function demandThrown(work: Promise<unknown>, name: string): Promise<void> {
  const thrown = await thrownBy(work)
  demand((thrown as Error | undefined)?.name === name, `no ${name}`)
}
