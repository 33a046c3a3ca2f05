import type { CacheStats } from '../../src/index.ts'
import type { GatewayErrorCode } from './problem.ts'

/** The label of a path; `other` is everything that is no route. */
export type RouteName =
  'encrypt' | 'decrypt' | 'rewrap' | 'inspect' | 'healthz' | 'readyz' | 'metrics' | 'help' | 'other'

/** Counts of one gateway. Both labels come from closed sets, so no caller can add a series. */
export class GatewayMetrics {
  readonly #answers = new Map<string, number>()
  readonly #broken = new Map<string, number>()

  /** An answer was begun. */
  answered(route: RouteName, outcome: 'ok' | GatewayErrorCode): void {
    add(this.#answers, `route="${route}",outcome="${outcome}"`)
  }

  /** An answer was broken off after its first byte. */
  broken(route: RouteName, code: GatewayErrorCode): void {
    add(this.#broken, `route="${route}",code="${code}"`)
  }

  /** The Prometheus text format, version 0.0.4. */
  render(cache: CacheStats | undefined): string {
    const families = [
      family('edge_kms_gateway_requests_total', 'Requests by the answer that was begun.', [
        ...this.#answers,
      ]),
      family(
        'edge_kms_gateway_broken_streams_total',
        'Answers that were broken off after their first byte.',
        [...this.#broken],
      ),
      ...(cache === undefined ? [] : cacheFamilies(cache)),
    ]
    return families.join('')
  }
}

function cacheFamilies(stats: CacheStats): readonly string[] {
  return [
    family('edge_kms_cache_lookups_total', 'Data keys looked for in the cache.', [
      ['operation="encrypt",result="hit"', stats.encryptHits],
      ['operation="encrypt",result="miss"', stats.encryptMisses],
      ['operation="decrypt",result="hit"', stats.decryptHits],
      ['operation="decrypt",result="miss"', stats.decryptMisses],
    ]),
    family('edge_kms_cache_evictions_total', 'Data keys dropped because the cache was full.', [
      ['', stats.evictions],
    ]),
    family(
      'edge_kms_cache_refusals_total',
      'Headers refused without a KMS call, because they failed a moment ago.',
      [['', stats.refusals]],
    ),
    family('edge_kms_cache_entries', 'Data keys in the cache.', [['', stats.entries]], 'gauge'),
  ]
}

type Sample = readonly [labels: string, value: number]

function family(
  name: string,
  help: string,
  samples: readonly Sample[],
  type: 'counter' | 'gauge' = 'counter',
): string {
  const lines = samples.map(([labels, value]) => {
    return `${name}${labels === '' ? '' : `{${labels}}`} ${value}\n`
  })
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

function add(counts: Map<string, number>, labels: string): void {
  counts.set(labels, (counts.get(labels) ?? 0) + 1)
}
