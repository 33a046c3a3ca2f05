import { describe } from '../checks/index.ts'

/** AEAD calls in flight: a platform gains nothing past this (measured). */
const ITEMS_IN_FLIGHT = 64

/** @throws TypeError if the items are not an array */
export function demandItems(items: readonly unknown[]): void {
  if (!Array.isArray(items)) {
    throw new TypeError(`items must be an array, got ${describe(items)}`)
  }
}

/**
 * Works in groups: a bounded number in flight, none of it starved. The platform copies what is started in
 * this turn; `copy` copies the rest, before the first wait.
 */
export async function inWindows<T, R>(
  items: readonly T[],
  signal: AbortSignal | undefined,
  start: (item: T, i: number) => R,
  copy: (item: T) => T = (item) => item,
): Promise<Awaited<R>[]> {
  const results: Awaited<R>[] = []
  let own = Array.from(items) // a hole of a sparse array is an item, too
  do {
    signal?.throwIfAborted()
    const at = results.length
    const group = own.slice(at, at + ITEMS_IN_FLIGHT).map((item, i) => start(item, at + i))
    if (at === 0) own = own.map((item, i) => (i < group.length ? item : copy(item)))
    results.push(...(await Promise.all(group)))
  } while (results.length < own.length)
  return results
}
