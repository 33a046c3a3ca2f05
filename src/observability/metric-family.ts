/** Labels of one series: names and values of closed sets. */
export type Labels = Readonly<Record<string, string>>

/** The value of a counter or a gauge under one set of labels. */
export interface ScalarSample {
  readonly labels: Labels
  readonly value: number
}

/** Observations of a histogram, in the unit of its family. */
export interface HistogramValue {
  /** Upper bounds, rising, without the infinite one. */
  readonly bounds: readonly number[]
  /** How many values fell at or below each bound; cumulative. */
  readonly counts: readonly number[]
  readonly count: number
  readonly sum: number
}

/** The value of a histogram under one set of labels. */
export interface HistogramSample {
  readonly labels: Labels
  readonly value: HistogramValue
}

interface FamilyFacts {
  /** In OpenTelemetry's form (`edge_kms.client.retries`) or Prometheus's (`edge_kms_client_retries_total`). */
  readonly name: string
  readonly help: string
  /** UCUM: `s`, `By`, `1`, `{call}`. */
  readonly unit?: string | undefined
}

/** A counter or a gauge with all its series. */
export interface ScalarFamily extends FamilyFacts {
  readonly type: 'counter' | 'gauge'
  readonly samples: readonly ScalarSample[]
}

/** A histogram with all its series. */
export interface HistogramFamily extends FamilyFacts {
  readonly type: 'histogram'
  readonly samples: readonly HistogramSample[]
}

/** One metric with all its series, as plain data: what {@link renderPrometheus} takes. */
export type MetricFamily = ScalarFamily | HistogramFamily
