// Starts 10,000 operations at once on an audited KMS, and prints what came of them and what memory they took.
import { composeKms, type KeyManagementService } from '../../../src/index.ts'
import {
  type AuditCheckpoint,
  type AuditRecord,
  KmsAuditTrail,
  verifyAuditLog,
} from '../../../src/observability/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'

const COUNT = 10_000
const [stack, mode] = process.argv.slice(2) as ['bare' | 'highSecurity', 'open' | 'closed']
const macKey = new Uint8Array(32).fill(9)
const call = { context: { tenant: 'acme', 'edge-kms:dk': `${'A'.repeat(43)}.1767225600000` } }

const pair = { name: 'ECDSA', namedCurve: 'P-256' }
const { privateKey: key, publicKey } = await crypto.subtle.generateKey(pair, true, [
  'sign',
  'verify',
])
const checkpoints: AuditCheckpoint[] = []
const keep = (checkpoint: AuditCheckpoint): Promise<void> =>
  Promise.resolve(void checkpoints.push(checkpoint))

const log: AuditRecord[] = []
const sink = {
  async write(records: readonly AuditRecord[]): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 2))
    log.push(...records)
  },
}
let losses = 0
const trail = new KmsAuditTrail({
  mode,
  sink,
  // Real time, as a queue that collapses does so in real time; but a machine that stops for seconds must not
  // look like a slow sink or KMS.
  timeoutMs: 60_000,
  chain: { macKey, checkpoints: { key, write: keep } },
  observer: { observe: () => void (losses += 1) },
})

function audited(): KeyManagementService {
  const kms = createLocalKms({
    versions: [{ version: 1, key: crypto.getRandomValues(new Uint8Array(32)) }],
  })
  if (stack === 'bare') return trail.around(kms)
  return composeKms(kms, {
    preset: 'highSecurity',
    audit: trail,
    deadlineMs: 300_000,
    attemptTimeoutMs: 60_000,
    bulkhead: { maxQueue: COUNT, maxWaitMs: 60_000 },
  })
}

const { gc } = globalThis
if (gc === undefined) throw new Error('run it with --expose-gc')
/** Returns the memory that is in use after a collection, in MiB. */
const used = (): number => {
  gc()
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / 1_048_576
}

const kms = audited()
// Code that any first use loads is not part of what an operation takes.
await kms.generateDataKey(call)
const startMiB = used()
let peakMiB = startMiB
const look = (): void => {
  peakMiB = Math.max(peakMiB, used())
}
let settled = 1
const calls = Array.from({ length: COUNT - 1 }, async () => {
  try {
    return await kms.generateDataKey(call)
  } finally {
    settled += 1
    // Counted, not timed: a collection takes long on a machine that is busy.
    if (settled % 2_000 === 0) look()
  }
})
look()
const outcomes = await Promise.allSettled(calls)

await trail.checkpoint()
const { ok, problems, uncovered, lost } = await verifyAuditLog(log, {
  macKey,
  checkpoints,
  publicKey,
})
const succeeded = outcomes.filter(({ status }) => status === 'fulfilled').length + 1
const seen = { succeeded, records: log.length, losses, ok, problems, uncovered, lost }
console.log(JSON.stringify({ ...seen, peakMiB: peakMiB - startMiB }))
