/** Metrics as the code makes them: every event is observed once, and the families are read. */
import { KmsMetrics, renderPrometheus } from '../../src/observability/index.ts'
import { OPERATIONS } from '../../src/observability/operations.ts'
import { code, table } from './table.mjs'

const call = { provider: 'aws-kms', operation: /** @type {const} */ ('unwrapDataKey') }

/**
 * One event of each type. A type that is missing here does not compile.
 *
 * @type {{ [T in import('../../src/index.ts').KmsEvent['type']]: Extract<import('../../src/index.ts').KmsEvent, { type: T }> }}
 */
const events = {
  call: { ...call, type: 'call', layer: 'operation', durationMs: 1, errorType: 'aborted' },
  retry: { ...call, type: 'retry', attempt: 1, delayMs: 1, errorType: 'ERR_KMS_UNAVAILABLE' },
  circuit: {
    type: 'circuit',
    provider: 'aws-kms',
    callClass: 'decrypt',
    from: 'closed',
    to: 'open',
    why: 'calls',
  },
  refusal: { ...call, type: 'refusal', by: 'circuit' },
  failover: { ...call, type: 'failover', why: 'slow' },
  'missing-wrap': { ...call, type: 'missing-wrap' },
  'audit-loss': { ...call, type: 'audit-loss' },
  'checkpoint-loss': { ...call, type: 'checkpoint-loss' },
}

/** One number of each kind that a cache has. */
const cache = () => ({ encryptHits: 1, staleDecrypts: 1, entries: 1, renewals: 1 })

/** Returns every family of a `KmsMetrics` that has seen everything. */
export function families() {
  const metrics = new KmsMetrics({ cache })
  for (const event of Object.values(events)) metrics.observe(event)
  metrics.observe({ ...events.call, layer: 'attempt' })
  return metrics.snapshot().metrics
}

function rowOf(family) {
  const { name, type, unit = '1', help, samples } = family
  const labels = Object.keys(samples[0]?.labels ?? {})
  if (samples.length === 0) throw new Error(`no event was counted by ${name}`)
  const prometheus = /^# TYPE (\S+)/m.exec(renderPrometheus([family]))?.[1] ?? ''
  return [code(name), code(prometheus), type, unit, labels.map(code).join(', '), help]
}

/** @returns {Record<string, string>} */
export function metricTables() {
  const head = ['Metric', 'Prometheus', 'Type', 'Unit', 'Labels', 'Meaning']
  return {
    metrics: table(head, families().map(rowOf)),
    operations: [...OPERATIONS].map(code).join(', '),
  }
}
