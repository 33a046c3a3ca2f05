import { plainOptions, refuseOthers, wrongOption } from '../checks/index.ts'
import { KMS_ERROR_CODES } from '../errors.ts'
import type { KmsEvent, Observer } from '../ports/index.ts'
import { cacheFamilies, type CacheNumbers } from './cache-metrics.ts'
import type { Labels, MetricFamily, ScalarSample } from './metric-family.ts'
import { OPERATIONS } from './operations.ts'
import { renderPrometheus } from './prometheus.ts'
import { Counter, Histogram } from './series.ts'
import { type KmsTotals, totalsOf } from './totals.ts'

/** Bounds of the durations, in seconds: those that OpenTelemetry advises for HTTP and RPC clients. */
export const DURATION_BOUNDS: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
]

/** Everything that was counted, at one moment, as plain data: totals, and all of it as metric families. */
export interface KmsMetricsSnapshot extends KmsTotals {
  readonly metrics: readonly MetricFamily[]
}

/** Options of {@link KmsMetrics}. */
export interface KmsMetricsOptions {
  /**
   * Returns the numbers of a cache, for a `CachedKms` named `keys`: `() => ({ ...keys.stats() })`. It is
   * called at each snapshot, so that a cached use costs nothing.
   */
  readonly cache?: () => CacheNumbers
}

/** Provider names come from the configuration; a service that invents them must not add series. */
const MAX_PROVIDERS = 16

/**
 * Collects counters and histograms of the whole stack. Pass it to every layer as its observer. Labels are names of
 * closed sets: no tenant, key id or context is among them.
 *
 * @example
 * ```ts
 * import { CachedKms, composeKms, type KeyManagementService } from 'edge-kms'
 * import { KmsMetrics } from 'edge-kms/observability'
 *
 * export function measured(kms: KeyManagementService) {
 *   const metrics: KmsMetrics = new KmsMetrics({ cache: () => ({ ...keys.stats() }) })
 *   const keys: CachedKms = new CachedKms({ kms: composeKms(kms, { observer: metrics }) })
 *   return { keys, text: () => metrics.toPrometheus() }
 * }
 * ```
 */
export class KmsMetrics implements Observer {
  readonly #operations = new Histogram(DURATION_BOUNDS)
  readonly #attempts = new Histogram(DURATION_BOUNDS)
  readonly #counters = new Map(COUNTERS.map(({ event }) => [event, new Counter()]))
  readonly #providers = new Set<string>()
  readonly #phases = new Map<string, ScalarSample>()
  readonly #cache: (() => CacheNumbers) | undefined

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: KmsMetricsOptions = {}) {
    const { cache, ...others } = plainOptions(options)
    refuseOthers(others)
    if (cache !== undefined && typeof cache !== 'function')
      throw wrongOption('cache', 'a function', cache)
    this.#cache = cache
  }

  observe(event: KmsEvent): void {
    const provider = this.#providerOf(event.provider)
    if (event.type === 'circuit') {
      const { callClass, to, why } = event
      this.#counters.get('circuit')?.add({ provider, call_class: callClass, to, why })
      const value = ['closed', 'half-open', 'open'].indexOf(to)
      const labels = { provider, call_class: callClass }
      this.#phases.set(`${provider}\n${callClass}`, { labels, value })
      return
    }
    const labels = {
      provider,
      operation: OPERATIONS.has(event.operation) ? event.operation : OTHER,
    }
    if (event.type === 'call') {
      const histogram = event.layer === 'operation' ? this.#operations : this.#attempts
      histogram.add(
        { ...labels, error_type: errorLabel(event.errorType) },
        event.durationMs / 1_000,
      )
    } else this.#counters.get(event.type)?.add({ ...labels, ...extraOf(event) })
  }

  snapshot(): KmsMetricsSnapshot {
    const seconds = { type: 'histogram', unit: 's' } as const
    const cache = this.#cache?.()
    const retries = this.#counters.get('retry')?.samples() ?? []
    return {
      ...totalsOf(this.#operations.samples(), retries, cache),
      metrics: [
        {
          ...seconds,
          name: 'edge_kms.client.operation.duration',
          help: 'Operations, each with all its retries.',
          samples: this.#operations.samples(),
        },
        {
          ...seconds,
          name: 'edge_kms.client.attempt.duration',
          help: 'Single calls of a KMS.',
          samples: this.#attempts.samples(),
        },
        ...COUNTERS.map(({ event, name, unit, help }) => ({
          type: 'counter' as const,
          name,
          unit,
          help,
          samples: this.#counters.get(event)?.samples() ?? [],
        })),
        {
          type: 'gauge',
          name: 'edge_kms.circuit.state',
          unit: '1',
          help: 'Circuits that have ever changed: 0 closed, 1 half-open, 2 open.',
          samples: [...this.#phases.values()],
        },
        ...(cache === undefined ? [] : cacheFamilies(cache)),
      ],
    }
  }

  /** Returns the numbers in the Prometheus text format, version 0.0.4. */
  toPrometheus(): string {
    return renderPrometheus(this.snapshot().metrics)
  }

  #providerOf(name: string): string {
    if (this.#providers.has(name)) return name
    if (this.#providers.size >= MAX_PROVIDERS) return OTHER
    this.#providers.add(name)
    return name
  }
}

const OTHER = 'other'

const COUNTERS = [
  {
    event: 'retry',
    name: 'edge_kms.client.retries',
    unit: '{retry}',
    help: 'Retries, by the error that caused them.',
  },
  {
    event: 'refusal',
    name: 'edge_kms.client.refusals',
    unit: '{call}',
    help: 'Calls that a layer refused before they reached the KMS.',
  },
  {
    event: 'failover',
    name: 'edge_kms.client.failovers',
    unit: '{call}',
    help: 'Calls to another KEK, because one failed or was slow.',
  },
  {
    event: 'missing-wrap',
    name: 'edge_kms.client.missing_wraps',
    unit: '{wrap}',
    help: 'Wraps that new data keys lack.',
  },
  {
    event: 'circuit',
    name: 'edge_kms.circuit.transitions',
    unit: '{transition}',
    help: 'Changes of a circuit, by the new state.',
  },
  {
    event: 'audit-loss',
    name: 'edge_kms.audit.losses',
    unit: '{event}',
    help: 'Audit events that were not written in time.',
  },
  {
    event: 'checkpoint-loss',
    name: 'edge_kms.audit.checkpoint_losses',
    unit: '{checkpoint}',
    help: 'Checkpoints of the audit log that could not be written.',
  },
] as const

function extraOf(event: Exclude<KmsEvent, { type: 'call' | 'circuit' }>): Labels {
  if (event.type === 'retry') return { error_type: errorLabel(event.errorType) }
  if (event.type === 'refusal') return { by: event.by }
  return event.type === 'failover' ? { why: event.why } : {}
}

/** A code of ours, `aborted`, or nothing where it succeeded; a service must not invent labels. */
function errorLabel(errorType: string | undefined): string {
  if (errorType === undefined) return ''
  const known: readonly string[] = KMS_ERROR_CODES
  return errorType === 'aborted' || known.includes(errorType) ? errorType : OTHER
}
