import { expect, it } from 'vitest'
import { type MetricFamily, renderPrometheus } from '../../../src/observability/index.ts'

const requests: MetricFamily = {
  name: 'edge_kms_gateway_requests_total',
  help: 'Requests, by the status of the answer.',
  type: 'counter',
  samples: [{ labels: { route: 'encrypt', outcome: 'ok' }, value: 2 }],
}

it('writes names of OpenTelemetry and of Prometheus alike, with each ending once', () => {
  const names = ['a.retries', 'a_retries_total'].map((name) => ({ ...requests, name }))
  expect(renderPrometheus(names.slice(1))).toBe(
    '# HELP a_retries_total Requests, by the status of the answer.\n# TYPE a_retries_total counter\n' +
      'a_retries_total{route="encrypt",outcome="ok"} 2\n',
  )
  expect(renderPrometheus(names)).toBe(renderPrometheus(names.slice(1)))
  const gauge = { name: 'a.age', help: '', type: 'gauge', samples: [] } as const
  const types = [
    { ...gauge, unit: 's' },
    { ...gauge, name: 'a.size', unit: 'By' },
    { ...gauge, name: 'a.share', unit: '1' },
    { ...gauge, name: 'a.sent', unit: 'By', type: 'counter' as const },
  ]
  expect(renderPrometheus(types).match(/(?<=TYPE )\S+/g)).toEqual([
    'a_age_seconds',
    'a_size_bytes',
    'a_share',
    'a_sent_bytes_total',
  ])
})

it('writes each series once: a scrape refuses duplicates', () => {
  const twice = { ...requests, samples: [{ labels: { route: 'decrypt' }, value: 1 }] }
  const text = renderPrometheus([requests, twice, requests])
  expect(text.match(/# TYPE/g)).toHaveLength(1)
  expect(text.match(/^edge_kms/gm)).toHaveLength(2)
})

it('writes what is not a finite number as Prometheus does', () => {
  const samples = [Infinity, -Infinity, NaN].map((value, i) => ({ labels: { i: `${i}` }, value }))
  const lines = renderPrometheus([{ ...requests, samples }])
    .trim()
    .split('\n')
    .slice(2)
  expect(lines.map((line) => line.split(' ')[1])).toEqual(['+Inf', '-Inf', 'NaN'])
})

it('lets no name, label or help text add a line', () => {
  const text = renderPrometheus([
    {
      name: 'a\nb 1',
      help: 'one\\two\nforged 1',
      type: 'gauge',
      samples: [{ labels: { 'x"\n': 'y"} 5\nforged{\\' }, value: 1 }],
    },
  ])
  expect(text).toBe(
    '# HELP a_b_1 one\\\\two\\nforged 1\n# TYPE a_b_1 gauge\na_b_1{x__="y\\"} 5\\nforged{\\\\"} 1\n',
  )
})
