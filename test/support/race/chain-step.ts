import type { KeyValueStore } from '../../../src/ports/index.ts'

const options = { ttlMs: 3_600_000 }
const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** One try to make the next link of a chain that several processes write. */
export interface ChainStep {
  /** The link that was there, or nothing. */
  readonly seen: string
  /** The link that was tried, unless the chain has ended. */
  readonly tried?: string
  readonly won?: boolean
}

/** A write that is ready and not begun. */
export interface ChainWrite {
  readonly seen: string
  readonly tried: string
  readonly write: () => Promise<boolean>
}

/** The operations of one process of a race on a store. */
export interface ChainActor {
  readonly step: (end: number) => Promise<ChainStep>
  readonly prepare: () => Promise<ChainWrite>
}

/** Links are `n:writer`; each is swapped for `n + 1:me`. */
export function chainActor(store: KeyValueStore, key: string, me: string): ChainActor {
  const prepare = async (): Promise<ChainWrite> => {
    const held = await store.get(key)
    const seen = held === undefined ? '' : decoder.decode(held)
    const tried = `${String(Number.parseInt(seen || '0', 10) + 1)}:${me}`
    const next = encoder.encode(tried)
    return { seen, tried, write: () => store.compareAndSwap(key, held, next, options) }
  }
  const step = async (end: number): Promise<ChainStep> => {
    const { seen, tried, write } = await prepare()
    if (Number.parseInt(tried, 10) > end) return { seen }
    return { seen, tried, won: await write() }
  }
  return { step, prepare }
}

/** The link that a store holds, or nothing. */
export async function linkOf(store: KeyValueStore, key: string): Promise<string> {
  const held = await store.get(key)
  return held === undefined ? '' : decoder.decode(held)
}

/** Swaps a link that another process has seen. */
export function swapLink(
  store: KeyValueStore,
  key: string,
  seen: string,
  tried: string,
): Promise<boolean> {
  const expected = seen === '' ? undefined : encoder.encode(seen)
  return store.compareAndSwap(key, expected, encoder.encode(tried), options)
}

/** Writes a link over whatever is there, for a store that cannot compare and swap. */
export function putLink(store: KeyValueStore, key: string, tried: string): Promise<void> {
  return store.put(key, encoder.encode(tried), options)
}
