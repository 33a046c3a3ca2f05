import type { MetricFamily, ScalarSample } from './metric-family.ts'

/** Numbers of a cache of data keys, as `CachedKms.stats()` returns them. */
export type CacheNumbers = Readonly<Record<string, number>>

/**
 * Returns the numbers of a cache as metric families: entries are a gauge, everything else is counted. Unknown counts
 * become events under their own name; values that are not numbers are left out.
 */
export function cacheFamilies(stats: CacheNumbers): readonly MetricFamily[] {
  const lookups: ScalarSample[] = []
  const staleUses: ScalarSample[] = []
  const entries: ScalarSample[] = []
  const events: ScalarSample[] = []
  for (const [name, value] of Object.entries(stats)) {
    if (typeof value !== 'number') continue
    const [, operation, result] = /^(encrypt|decrypt)(Hit|Miss)/.exec(name) ?? []
    const [, stale] = /^stale(Encrypt|Decrypt)s$/.exec(name) ?? []
    if (operation !== undefined && result !== undefined)
      lookups.push({ labels: { operation, result: result.toLowerCase() }, value })
    else if (stale !== undefined)
      staleUses.push({ labels: { operation: stale.toLowerCase() }, value })
    else if (name === 'entries') entries.push({ labels: {}, value })
    else events.push({ labels: { event: name }, value })
  }
  return [
    {
      name: 'edge_kms.cache.lookups',
      help: 'Data keys looked up in the cache.',
      type: 'counter',
      unit: '{lookup}',
      samples: lookups,
    },
    {
      name: 'edge_kms.cache.stale_uses',
      help: 'Cache hits past the TTL, because the KMS could not be reached.',
      type: 'counter',
      unit: '{use}',
      samples: staleUses,
    },
    {
      name: 'edge_kms.cache.entries',
      help: 'Data keys in the cache.',
      type: 'gauge',
      unit: '{entry}',
      samples: entries,
    },
    {
      name: 'edge_kms.cache.events',
      help: 'Other events of the cache, by name.',
      type: 'counter',
      unit: '{event}',
      samples: events,
    },
  ]
}
