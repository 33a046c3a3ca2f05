/** Metrics as the code makes them: every event is observed once, and the families are read. */
import { DURATION_BOUNDS } from '../../src/observability/kms-metrics.ts'
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

/** @typedef {import('../../src/index.ts').KmsEvent} KmsEvent */
/** @typedef {Extract<KmsEvent, { type: 'circuit' }>} CircuitEvent */

/** Every member of a union: one that is missing, or is none, does not compile. */
const values = (all) => Object.keys(all).map(code).join(', ')
/** @type {Record<Extract<KmsEvent, { type: 'refusal' }>['by'], 1>} */
const by = { circuit: 1, bulkhead: 1, 'retry-budget': 1 }
/** @type {Record<Extract<KmsEvent, { type: 'failover' }>['why'], 1>} */
const failover = { failed: 1, slow: 1 }
/** @type {Record<CircuitEvent['why'], 1>} */
const circuit = { calls: 1, advice: 1 }
/** @type {Record<CircuitEvent['callClass'], 1>} */
const classes = { encrypt: 1, decrypt: 1, manage: 1 }
/** @type {Record<CircuitEvent['to'], 1>} */
const to = { closed: 1, open: 1, 'half-open': 1 }

/** @type {Record<string, string>} */
const labelWords = {
  provider: 'the names of your KMSs, at most 16; further ones are `other`',
  operation: 'an operation of a KMS, as below; of the cache `encrypt`, `decrypt`',
  error_type: 'an [error code](../error-codes.md), `aborted`, `other`; empty: the call succeeded',
  by: values(by),
  why: `of a failover ${values(failover)}; of a circuit ${values(circuit)}, where \`advice\` comes from the shared store`,
  call_class: values(classes),
  to: values(to),
  result: '`hit`, `miss`',
  event: 'the other numbers of `CachedKms.stats()`, by their names',
}

function labelTable() {
  const used = new Set(families().flatMap(({ samples }) => Object.keys(samples[0]?.labels ?? {})))
  const listed = Object.keys(labelWords)
  const wrong = [...used, ...listed].filter((name) => !used.has(name) || !listed.includes(name))
  if (wrong.length > 0) throw new Error(`metrics.mjs and the code differ in ${wrong.join(', ')}`)
  return table(
    ['Label', 'Values'],
    Object.entries(labelWords).map(([name, words]) => [code(name), words]),
  )
}

/** @returns {Record<string, string>} */
export function metricTables() {
  const head = ['Metric', 'Prometheus', 'Type', 'Unit', 'Labels', 'Meaning']
  return {
    metrics: table(head, families().map(rowOf)),
    labels: labelTable(),
    operations: `${[...OPERATIONS].map(code).join(', ')}.`,
    bounds: `${DURATION_BOUNDS.join(', ')}.`,
  }
}
