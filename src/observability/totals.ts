import type { CacheNumbers } from './cache-metrics.ts'
import type { HistogramSample, ScalarSample } from './metric-family.ts'

/** Everything that was counted, in few numbers, since the beginning. */
export interface KmsTotals {
  /** Data keys that were made. */
  readonly generateKeyTotal: number
  /** Calls that unwrapped, a batch as one. */
  readonly decryptKeyTotal: number
  /** Calls that wrapped a data key that exists, or rewrapped it. */
  readonly encryptKeyTotal: number
  /** Data keys found in the cache, to encrypt and to decrypt; 0 without `cache`. */
  readonly cacheHits: number
  readonly cacheMisses: number
  /** Operations that failed in the end. */
  readonly errorsTotal: number
  readonly retriesTotal: number
}

/** Returns the totals of operations, retries and a cache. */
export function totalsOf(
  operations: readonly HistogramSample[],
  retries: readonly ScalarSample[],
  cache: CacheNumbers = {},
): KmsTotals {
  const callsOf = (...names: readonly string[]): number =>
    sum(operations, ({ labels, value }) =>
      names.includes(String(labels['operation'])) ? value.count : 0,
    )
  const lookups = (result: 'Hit' | 'Miss'): number =>
    sum(Object.entries(cache), ([name, value]) =>
      new RegExp(`^(?:encrypt|decrypt)${result}`).test(name) ? value : 0,
    )
  return {
    generateKeyTotal: callsOf('generateDataKey'),
    decryptKeyTotal: callsOf('unwrapDataKey', 'unwrapMany'),
    encryptKeyTotal: callsOf('wrapDataKey', 'rewrapDataKey'),
    cacheHits: lookups('Hit'),
    cacheMisses: lookups('Miss'),
    errorsTotal: sum(operations, ({ labels, value }) => (labels['error_type'] ? value.count : 0)),
    retriesTotal: sum(retries, ({ value }) => value),
  }
}

function sum<T>(list: readonly T[], numberOf: (one: T) => number): number {
  return list.reduce((total, one) => total + numberOf(one), 0)
}
