import type { KeyValueStore } from '../../src/ports/index.ts'

const options = { ttlMs: 3_600_000 }
const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** One try to make the next link of a chain that several processes write. */
export interface ChainStep {
  /** The link that was there. */
  readonly seen: string
  /** The link that was tried, unless the chain has come to its end. */
  readonly tried?: string
  readonly won?: boolean
}

/** Reads the link `n:writer`, and swaps it for `n + 1:me`. */
export async function chainStep(
  store: KeyValueStore,
  key: string,
  me: string,
  end: number,
): Promise<ChainStep> {
  const held = await store.get(key)
  const seen = held === undefined ? '' : decoder.decode(held)
  const next = Number.parseInt(seen || '0', 10) + 1
  if (next > end) return { seen }
  const tried = `${String(next)}:${me}`
  return { seen, tried, won: await store.compareAndSwap(key, held, encoder.encode(tried), options) }
}
