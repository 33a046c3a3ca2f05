import type { HistogramSample, Labels, ScalarSample } from './metric-family.ts'

/** Maximum series of one metric: further ones are counted under `other`. */
const MAX_SERIES = 1_000

/** Counts by labels, at most 1,000 sets of them. */
export class Counter {
  readonly #values = new Map<string, { labels: Labels; value: number }>()

  add(labels: Labels): void {
    entryOf(this.#values, labels, (own) => ({ labels: own, value: 0 })).value += 1
  }

  samples(): readonly ScalarSample[] {
    return [...this.#values.values()].map(({ labels, value }) => ({ labels, value }))
  }
}

/** Distributions by labels, at most 1,000 sets of them. */
export class Histogram {
  readonly #bounds: readonly number[]
  readonly #values = new Map<
    string,
    { labels: Labels; buckets: number[]; count: number; sum: number }
  >()

  /** @param bounds - upper bounds, rising */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
  }

  add(labels: Labels, value: number): void {
    const entry = entryOf(this.#values, labels, (own) => ({
      labels: own,
      buckets: this.#bounds.map(() => 0),
      count: 0,
      sum: 0,
    }))
    entry.count += 1
    entry.sum += value
    const at = this.#bounds.findIndex((bound) => value <= bound)
    if (at >= 0) entry.buckets[at] = (entry.buckets[at] ?? 0) + 1
  }

  samples(): readonly HistogramSample[] {
    return [...this.#values.values()].map(({ labels, buckets, count, sum }) => {
      let below = 0
      const counts = buckets.map((inBucket) => (below += inBucket))
      return { labels, value: { bounds: this.#bounds, counts, count, sum } }
    })
  }
}

function entryOf<T>(entries: Map<string, T>, labels: Labels, create: (labels: Labels) => T): T {
  const held = entries.get(keyOf(labels))
  if (held !== undefined) return held
  const isFull = entries.size >= MAX_SERIES
  const own = isFull
    ? Object.fromEntries(Object.keys(labels).map((name) => [name, 'other']))
    : labels
  const entry = entries.get(keyOf(own)) ?? create(own)
  entries.set(keyOf(own), entry)
  return entry
}

function keyOf(labels: Labels): string {
  return Object.values(labels).join('\n')
}
