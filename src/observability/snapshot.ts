import type { CounterSample, HistogramSample } from './series.ts'

/** A counter at one moment. */
export interface CounterSnapshot {
  readonly type: 'counter' | 'gauge'
  /** As OpenTelemetry names it, e.g. `edge_kms.client.retries`. */
  readonly name: string
  /** UCUM: `{call}`, `{retry}`. */
  readonly unit: string
  readonly description: string
  readonly samples: readonly CounterSample[]
}

/** A histogram at one moment. */
export interface HistogramSnapshot {
  readonly type: 'histogram'
  readonly name: string
  readonly unit: string
  readonly description: string
  readonly bounds: readonly number[]
  readonly samples: readonly HistogramSample[]
}

/** Everything that was counted, at one moment, as plain data. */
export interface KmsMetricsSnapshot {
  readonly metrics: readonly (CounterSnapshot | HistogramSnapshot)[]
}
