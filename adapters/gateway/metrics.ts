import type { CacheStats } from '../../src/index.ts'
import {
  cacheFamilies,
  type MetricFamily,
  renderPrometheus,
  type ScalarSample,
} from '../../src/observability/index.ts'
import type { GatewayErrorCode } from './problem.ts'

/** The label of a path; `other` is every path without a route. */
export type RouteName =
  'encrypt' | 'decrypt' | 'rewrap' | 'inspect' | 'healthz' | 'readyz' | 'metrics' | 'help' | 'other'

/** Counts of one gateway. All labels come from closed sets, so no caller can add a series. */
export class GatewayMetrics {
  readonly #answers = new Map<string, ScalarSample>()
  readonly #broken = new Map<string, ScalarSample>()

  /** An answer was begun. */
  answered(route: RouteName, outcome: 'ok' | GatewayErrorCode): void {
    count(this.#answers, { route, outcome })
  }

  /** An answer was broken off after its first byte. */
  broken(route: RouteName, code: GatewayErrorCode): void {
    count(this.#broken, { route, code })
  }

  /** Returns the Prometheus text of these counts, of the cache, and of the stack below. */
  render(cache: CacheStats | undefined, stack: readonly MetricFamily[]): string {
    return renderPrometheus([
      {
        name: 'edge_kms.gateway.requests',
        help: 'Requests, by the status of the answer.',
        type: 'counter',
        unit: '{request}',
        samples: [...this.#answers.values()],
      },
      {
        name: 'edge_kms.gateway.broken_streams',
        help: 'Answers that were broken off after their first byte.',
        type: 'counter',
        unit: '{answer}',
        samples: [...this.#broken.values()],
      },
      ...(cache === undefined ? [] : cacheFamilies({ ...cache })),
      ...stack,
    ])
  }
}

function count(samples: Map<string, ScalarSample>, labels: Record<string, string>): void {
  const key = Object.values(labels).join(' ')
  samples.set(key, { labels, value: (samples.get(key)?.value ?? 0) + 1 })
}
