import { describe, expect, it } from 'vitest'
import { CachedKms, composeKms, EnvelopeCipher, type KmsEvent } from '../../../src/index.ts'
import { KmsMetrics } from '../../../src/observability/index.ts'
import { FakeWorld } from '../../support/fake-world.ts'
import { fail, ScriptedKms } from '../../support/scripted-kms.ts'

const call = { context: { 'edge-kms:dk': 'salt.1' } }

function setup() {
  const world = new FakeWorld()
  const metrics = new KmsMetrics()
  const inner = new ScriptedKms()
  const kms = composeKms(inner, { ...world.ports, observer: metrics })
  return { world, metrics, inner, kms }
}

const seriesOf = (metrics: KmsMetrics): number =>
  metrics.snapshot().metrics.reduce((sum, { samples }) => sum + samples.length, 0)

function valueOf(metrics: KmsMetrics, name: string, labels: Record<string, string>): unknown {
  const metric = metrics.snapshot().metrics.find((one) => one.name === name)
  const sample = metric?.samples.find((one) =>
    Object.entries(labels).every(([label, value]) => one.labels[label] === value),
  )
  const value = sample?.value
  return typeof value === 'object' ? value.count : value
}

describe('R31 KmsMetrics over the whole stack', () => {
  it('counts operations and attempts, retries, refusals and the circuit in one object', async () => {
    const { world, metrics, inner, kms } = setup()
    inner.script = [fail('ERR_KMS_THROTTLED')]
    await world.settled(kms.generateDataKey(call))
    inner.always = fail('ERR_KMS_UNAVAILABLE')
    for (let i = 0; i < 4; i++) await world.settled(kms.generateDataKey(call))
    const operation = 'edge_kms.client.operation.duration'
    expect(valueOf(metrics, operation, { error_type: '' })).toBe(1)
    expect(valueOf(metrics, operation, { error_type: 'ERR_KMS_UNAVAILABLE' })).toBe(4)
    expect(
      valueOf(metrics, 'edge_kms.client.attempt.duration', { error_type: 'ERR_KMS_UNAVAILABLE' }),
    ).toBe(5)
    expect(valueOf(metrics, 'edge_kms.client.retries', { error_type: 'ERR_KMS_THROTTLED' })).toBe(1)
    expect(valueOf(metrics, 'edge_kms.client.refusals', { by: 'circuit' })).toBe(3)
    expect(valueOf(metrics, 'edge_kms.circuit.transitions', { to: 'open', why: 'calls' })).toBe(1)
    expect(valueOf(metrics, 'edge_kms.circuit.state', { call_class: 'encrypt' })).toBe(2)
  })

  it('10,000 tenants leave the series as they are', async () => {
    const { metrics, kms } = setup()
    const cipher = new EnvelopeCipher({ kms })
    const encrypt = (tenant: string): Promise<unknown> =>
      cipher.encrypt(new Uint8Array(1), { context: { tenant } })
    await encrypt('first')
    const before = seriesOf(metrics)
    for (let i = 0; i < 10_000; i++) await encrypt(`tenant-${i}`)
    expect(seriesOf(metrics)).toBe(before)
    expect(JSON.stringify(metrics.snapshot())).not.toContain('tenant')
  })

  it('a service that invents names and codes adds no series without end', () => {
    const metrics = new KmsMetrics()
    for (let i = 0; i < 10_000; i++) {
      const facts = { provider: `p${i}`, operation: `o${i}` as 'rotateKey' }
      metrics.observe({
        type: 'call',
        layer: 'attempt',
        ...facts,
        durationMs: 1,
        errorType: `e${i}`,
      })
      metrics.observe({ type: 'refusal', ...facts, by: `b${i}` as 'circuit' })
    }
    expect(seriesOf(metrics)).toBeLessThan(1_100)
    expect(valueOf(metrics, 'edge_kms.client.attempt.duration', { provider: 'other' })).toBe(9_984)
  })

  it('names and units are those of OpenTelemetry: no plural total, seconds and annotations', () => {
    for (const { name, unit } of setup().metrics.snapshot().metrics) {
      expect(name).toMatch(/^edge_kms\.[a-z_.]+$/)
      expect(name).not.toMatch(/total|seconds/)
      expect(unit).toMatch(/^(s|1|\{[a-z]+\})$/)
    }
  })

  it('reads the cache when asked: a cached use costs no event', async () => {
    const inner = new ScriptedKms()
    const keys = new CachedKms({ kms: inner })
    const metrics = new KmsMetrics({ cache: () => ({ ...keys.stats() }) })
    const cipher = new EnvelopeCipher({ keys })
    for (let i = 0; i < 5; i++) await cipher.encrypt(new Uint8Array(1))
    const lookups = 'edge_kms.cache.lookups'
    expect(valueOf(metrics, lookups, { operation: 'encrypt', result: 'hit' })).toBe(4)
    expect(valueOf(metrics, lookups, { operation: 'encrypt', result: 'miss' })).toBe(1)
    expect(valueOf(metrics, 'edge_kms.cache.entries', {})).toBe(1)
  })
})

describe('Prometheus text', () => {
  it('has buckets that only grow, and their sum and count', async () => {
    const metrics = new KmsMetrics()
    for (const durationMs of [3, 30, 300, 30_000]) {
      const event: KmsEvent = {
        type: 'call',
        layer: 'operation',
        provider: 'aws-kms',
        operation: 'unwrapDataKey',
        durationMs,
      }
      metrics.observe(event)
    }
    const text = metrics.toPrometheus()
    const labels = 'provider="aws-kms",operation="unwrapDataKey",error_type=""'
    const name = 'edge_kms_client_operation_duration_seconds'
    const counts = [...text.matchAll(/operation_duration_seconds_bucket\{.*le="(.+)"\} (\d+)/g)]
    expect(counts.map(([, le, count]) => [le, Number(count)])).toEqual([
      ['0.005', 1],
      ['0.01', 1],
      ['0.025', 1],
      ['0.05', 2],
      ['0.075', 2],
      ['0.1', 2],
      ['0.25', 2],
      ['0.5', 3],
      ['0.75', 3],
      ['1', 3],
      ['2.5', 3],
      ['5', 3],
      ['7.5', 3],
      ['10', 3],
      ['+Inf', 4],
    ])
    expect(text).toContain(`${name}_sum{${labels}} 30.333\n`)
    expect(text).toContain(`${name}_count{${labels}} 4\n`)
    expect(text).toContain('# TYPE edge_kms_client_retries_total counter\n')
    await Promise.resolve()
  })

  it('escapes what a configuration calls its provider', () => {
    const metrics = new KmsMetrics()
    metrics.observe({ type: 'missing-wrap', provider: 'a"\n\\b', operation: 'wrapDataKey' })
    expect(metrics.toPrometheus()).toContain('provider="a\\"\\n\\\\b"')
    expect(
      metrics
        .toPrometheus()
        .split('\n')
        .every((line) => /^(#|edge_kms_|$)/.test(line)),
    ).toBe(true)
  })
})

it.each<[string, object]>([
  ['a misspelt option', { caches: () => ({}) }],
  ['a cache that is not a function', { cache: {} }],
])('refuses %s', (_, options) => {
  expect(() => new KmsMetrics(options as never)).toThrow(
    expect.objectContaining({ code: 'ERR_KMS_CONFIG' }),
  )
})

it('leaves out what is not a number among those of the cache', () => {
  const text = new KmsMetrics({ cache: () => ({ hits: 1, evil: '1\nforged 2' }) as never })
  expect(text.toPrometheus()).toContain('edge_kms_cache_events_total{event="hits"} 1\n')
  expect(text.toPrometheus()).not.toContain('forged')
})
