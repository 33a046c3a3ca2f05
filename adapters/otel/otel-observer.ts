import { plainOptions } from '../../src/checks/index.ts'
import type {
  Attributes,
  Counter,
  Histogram,
  Meter,
  SpanKind,
  SpanStatusCode,
  Tracer,
} from '@opentelemetry/api'
import { type CallEvent, KmsError, type KmsEvent, type Observer } from '../../src/index.ts'
import { DURATION_BOUNDS } from '../../src/observability/index.ts'

/** Options of {@link otelObserver}; at least one of the first two. */
export interface OtelObserverOptions {
  /** For metrics: `metrics.getMeter('edge-kms')`. */
  readonly meter?: Meter | undefined
  /** For spans: `trace.getTracer('edge-kms')`. */
  readonly tracer?: Tracer | undefined
  /** Milliseconds since the epoch; by default the platform's clock. */
  readonly now?: (() => number) | undefined
}

// Of the API's numbers these three are all it takes: with types alone, nothing is loaded.
/* eslint-disable @typescript-eslint/no-unsafe-enum-assignment -- the enums themselves would load the API */
const SPAN_INTERNAL = 0 as SpanKind
const SPAN_CLIENT = 2 as SpanKind
const STATUS_ERROR = 2 as SpanStatusCode
/* eslint-enable @typescript-eslint/no-unsafe-enum-assignment */

const COUNTERS = {
  retry: ['edge_kms.client.retries', '{retry}'],
  refusal: ['edge_kms.client.refusals', '{call}'],
  failover: ['edge_kms.client.failovers', '{call}'],
  'missing-wrap': ['edge_kms.client.missing_wraps', '{wrap}'],
  circuit: ['edge_kms.circuit.transitions', '{transition}'],
  'audit-loss': ['edge_kms.audit.losses', '{event}'],
  'checkpoint-loss': ['edge_kms.audit.checkpoint_losses', '{checkpoint}'],
} as const

type CounterName = keyof typeof COUNTERS

/**
 * Returns an observer that turns the events of the layers into OpenTelemetry metrics and spans. It makes a span when
 * a call has ended, with the call's own times, under the span that is active then. An operation and its attempts are
 * therefore siblings. Without an OpenTelemetry SDK it has no effect.
 *
 * @throws KmsError `ERR_KMS_CONFIG` for an unknown option, or neither meter nor tracer
 *
 * @example
 * ```ts
 * import { metrics, trace } from '@opentelemetry/api'
 * import { composeKms, type KeyManagementService } from 'edge-kms'
 * import { otelObserver } from 'edge-kms/otel'
 *
 * export function traced(kms: KeyManagementService): KeyManagementService {
 *   const observer = otelObserver({
 *     meter: metrics.getMeter('edge-kms'),
 *     tracer: trace.getTracer('edge-kms'),
 *   })
 *   return composeKms(kms, { observer })
 * }
 * ```
 */
export function otelObserver(options: OtelObserverOptions): Observer {
  const { meter, tracer, now = Date.now, ...others } = plainOptions(options)
  if ((meter ?? tracer) === undefined || Object.keys(others).length > 0) {
    const message = 'an OpenTelemetry observer takes meter, tracer or both, and now'
    throw new KmsError('ERR_KMS_CONFIG', { message })
  }
  const durations = meter === undefined ? undefined : histogramsOf(meter)
  const counters = meter === undefined ? undefined : countersOf(meter)
  return {
    observe(event) {
      const attributes = attributesOf(event)
      if (event.type !== 'call') {
        counters?.[event.type].add(1, attributes)
        return
      }
      durations?.[event.layer].record(event.durationMs / 1_000, attributes)
      if (tracer !== undefined) span(tracer, event, attributes, now())
    },
  }
}

function span(tracer: Tracer, event: CallEvent, attributes: Attributes, endMs: number): void {
  const made = tracer.startSpan(`edge_kms ${event.operation}`, {
    kind: event.layer === 'attempt' ? SPAN_CLIENT : SPAN_INTERNAL,
    startTime: endMs - event.durationMs,
    attributes: { ...attributes, 'edge_kms.layer': event.layer },
  })
  if (event.errorType !== undefined) made.setStatus({ code: STATUS_ERROR })
  made.end(endMs)
}

/** Names, codes and phases only: an event holds nothing else. */
function attributesOf(event: KmsEvent): Attributes {
  const provider = { 'edge_kms.provider': event.provider }
  if (event.type === 'circuit') {
    const { callClass, to, why } = event
    return { ...provider, 'edge_kms.call_class': callClass, 'edge_kms.to': to, 'edge_kms.why': why }
  }
  const facts = { ...provider, 'edge_kms.operation': event.operation }
  switch (event.type) {
    case 'call':
      return event.errorType === undefined ? facts : { ...facts, 'error.type': event.errorType }
    case 'retry':
      return { ...facts, 'error.type': event.errorType }
    case 'refusal':
      return { ...facts, 'edge_kms.by': event.by }
    case 'failover':
      return { ...facts, 'edge_kms.why': event.why }
    default:
      return facts
  }
}

function histogramsOf(meter: Meter): Readonly<Record<CallEvent['layer'], Histogram>> {
  const advice = { explicitBucketBoundaries: [...DURATION_BOUNDS] }
  const histogram = (name: string): Histogram => meter.createHistogram(name, { unit: 's', advice })
  return {
    operation: histogram('edge_kms.client.operation.duration'),
    attempt: histogram('edge_kms.client.attempt.duration'),
  }
}

function countersOf(meter: Meter): Readonly<Record<CounterName, Counter>> {
  const counter = (name: CounterName): Counter => {
    const [metric, unit] = COUNTERS[name]
    return meter.createCounter(metric, { unit })
  }
  return {
    retry: counter('retry'),
    refusal: counter('refusal'),
    failover: counter('failover'),
    'missing-wrap': counter('missing-wrap'),
    circuit: counter('circuit'),
    'audit-loss': counter('audit-loss'),
    'checkpoint-loss': counter('checkpoint-loss'),
  }
}
