/** The measurement inside Node: bundled, and started by run.mjs. */
import { type KeyManagementService, SecretBytes } from '../../src/index.ts'
import {
  type AuditCheckpoint,
  type AuditRecord,
  KmsAuditTrail,
  verifyAuditLog,
} from '../../src/observability/index.ts'
import { newKms } from '../fixtures.ts'
import { quantile } from '../timing.ts'

/** Time in which a log service answers one request. */
const SINK_MS = 5
const COUNTS = (process.argv[2] ?? '1,1000,10000,100000').split(',').map(Number)
const MAX_QUEUE_BYTES = 67_108_864

const context = { tenant: 'acme', 'edge-kms:dk': `${'A'.repeat(43)}.1767225600000` }
const macKey = new Uint8Array(32).fill(1)
const signing = { name: 'ECDSA', namedCurve: 'P-256' }
const { privateKey: key, publicKey } = await crypto.subtle.generateKey(signing, false, [
  'sign',
  'verify',
])

/** A KMS that answers at once: only the trail costs something. */
function instantKms(): KeyManagementService {
  const kms = newKms()
  const wraps = [
    { provider: 'local', kekId: 'bench', kekVersion: '1', wrapped: new Uint8Array(60) },
  ]
  const dek = new Uint8Array(32)
  return Object.assign(Object.create(kms) as KeyManagementService, {
    providerName: kms.providerName,
    capabilities: kms.capabilities,
    canUnwrap: () => true,
    generateDataKey: () => Promise.resolve({ plaintext: SecretBytes.copy(dek), wraps }),
  })
}

async function measure(count: number) {
  const log: AuditRecord[] = []
  const checkpoints: AuditCheckpoint[] = []
  let writes = 0
  const sink = {
    async write(records: readonly AuditRecord[]): Promise<void> {
      await new Promise((resolve) => setTimeout(resolve, SINK_MS))
      writes += 1
      log.push(...records)
    },
  }
  const write = (checkpoint: AuditCheckpoint): Promise<void> => {
    checkpoints.push(checkpoint)
    return Promise.resolve()
  }
  const trail = new KmsAuditTrail({
    mode: 'closed',
    sink,
    maxQueueBytes: MAX_QUEUE_BYTES,
    chain: { macKey, checkpoints: { key, write } },
  })
  const kms = trail.around(instantKms())
  const before = process.memoryUsage().heapUsed
  const start = performance.now()
  const latencies: number[] = []
  const calls = Array.from({ length: count }, async () => {
    await kms.generateDataKey({ context })
    latencies.push(performance.now() - start)
  })
  const outcomes = await Promise.allSettled(calls)
  const ms = performance.now() - start
  const heapMiB = (process.memoryUsage().heapUsed - before) / 1_048_576
  await trail.checkpoint()
  const verdict = await verifyAuditLog(log, { macKey, checkpoints, publicKey })
  return {
    count,
    perSecond: Math.round((count * 1_000) / ms),
    medianMs: quantile(latencies, 0.5),
    lastMs: ms,
    writes,
    heapMiB,
    failed: outcomes.filter(({ status }) => status === 'rejected').length,
    recorded: log.length,
    isVerified: verdict.ok,
  }
}

// Once for the compiler.
await measure(1_000)
const results: unknown[] = []
for (const count of COUNTS) results.push(await measure(count))
console.log(JSON.stringify({ sinkMs: SINK_MS, results }))
