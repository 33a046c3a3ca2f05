import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { expect, it } from 'vitest'
import { otelObserver } from '../../../adapters/otel/index.ts'
import { composeKms } from '../../../src/index.ts'
import { KmsMetrics } from '../../../src/observability/index.ts'
import { FakeWorld } from '../../support/fake-world.ts'
import { fail, ScriptedKms } from '../../support/scripted-kms.ts'

// With OpenTelemetry's own SDK behind it.

const call = { context: { tenant: 'canary-tenant', 'edge-kms:dk': 'salt.1' } }

function setup() {
  const world = new FakeWorld()
  const spans = new InMemorySpanExporter()
  const tracing = new TracerProvider({
    spanProcessors: [new SimpleSpanProcessor({ exporter: spans })],
  })
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const metering = new MeterProvider({ readers: [reader] })
  const observer = otelObserver({
    meter: metering.getMeter('edge-kms'),
    tracer: tracing.getTracer('edge-kms'),
    now: () => world.now(),
  })
  const inner = new ScriptedKms()
  const kms = composeKms(inner, { ...world.ports, observer })
  const collect = async () => {
    await metering.forceFlush()
    return exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((one) => one.metrics))
  }
  return { world, inner, kms, spans, collect, end: () => metering.shutdown() }
}

it('R31 an operation and its attempts are spans with the times that they had', async () => {
  const { world, inner, kms, spans, end } = setup()
  inner.script = [
    () => {
      world.nowMs += 40
      throw new Error('down')
    },
  ]
  await world.settled(kms.generateDataKey(call))
  const made = spans.getFinishedSpans()
  expect(made.map(({ name, attributes }) => [name, attributes['edge_kms.layer']])).toEqual([
    ['edge_kms generateDataKey', 'attempt'],
    ['edge_kms generateDataKey', 'attempt'],
    ['edge_kms generateDataKey', 'operation'],
  ])
  expect(made[0]?.attributes['error.type']).toBe('ERR_KMS_UNAVAILABLE')
  expect(made[0]?.status.code).toBe(SpanStatusCode.ERROR)
  expect(made[0]?.duration).toEqual([0, 40_000_000])
  expect(made.map(({ kind }) => kind)).toEqual([
    SpanKind.CLIENT,
    SpanKind.CLIENT,
    SpanKind.INTERNAL,
  ])
  expect(made[2]?.status.code).toBe(SpanStatusCode.UNSET)
  const said = made.map(({ name, attributes, events }) => ({ name, attributes, events }))
  expect(JSON.stringify(said)).not.toContain('canary')
  await end()
})

it('R31 the metrics have the names, units and bounds of KmsMetrics', async () => {
  const { world, inner, kms, collect, end } = setup()
  inner.script = [fail('ERR_KMS_THROTTLED')]
  await world.settled(kms.generateDataKey(call))
  inner.always = fail('ERR_KMS_UNAVAILABLE')
  for (let i = 0; i < 4; i++) await world.settled(kms.generateDataKey(call))
  const metrics = await collect()
  const units = new Map(new KmsMetrics().snapshot().metrics.map(({ name, unit }) => [name, unit]))
  expect(metrics.map(({ descriptor }) => descriptor.name).sort()).toEqual([
    'edge_kms.circuit.transitions',
    'edge_kms.client.attempt.duration',
    'edge_kms.client.operation.duration',
    'edge_kms.client.refusals',
    'edge_kms.client.retries',
  ])
  for (const { descriptor } of metrics) expect(descriptor.unit).toBe(units.get(descriptor.name))
  const operations = metrics.find(({ descriptor }) => descriptor.name.includes('operation'))
  expect(operations?.dataPoints.map(({ attributes }) => attributes['error.type'])).toEqual([
    undefined,
    'ERR_KMS_UNAVAILABLE',
  ])
  expect(operations?.dataPoints[0]?.value).toMatchObject({
    buckets: {
      boundaries: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
    },
  })
  await end()
})

it.each([{}, { meters: 1 }, { meter: undefined, now: () => 0 }])('refuses %j', (options) => {
  expect(() => otelObserver(options as never)).toThrow(
    expect.objectContaining({ code: 'ERR_KMS_CONFIG' }),
  )
})
