import {
  BulkheadKms,
  CircuitBreakerKms,
  isKmsError,
  KmsError,
  type KeyManagementService,
  type KmsCallOptions,
} from '../../src/index.ts'
import { type AuditRecord, KmsAuditTrail, verifyAuditLog } from '../../src/observability/index.ts'
import { ScriptedKms } from '../support/scripted-kms.ts'

/** A KMS behind `fetch`: its answers belong to the request that asked. */
async function ask(): Promise<void> {
  const response = await fetch('https://kms.test/call')
  await response.text()
  if (!response.ok) throw new KmsError('ERR_KMS_UNAVAILABLE')
}

function fetched(): ScriptedKms {
  const kms = new ScriptedKms('fetched')
  kms.always = ask
  return kms
}

// At module scope, where workerd forbids I/O, timers and random numbers.
const log: AuditRecord[] = []
const sink = {
  async write(records: readonly AuditRecord[]): Promise<void> {
    await fetch('https://kms.test/sink').then((response) => response.text())
    log.push(...records)
  },
}
const macKey = new Uint8Array(32).fill(9)
const trail = new KmsAuditTrail({ mode: 'closed', sink, timeoutMs: 500, chain: { macKey } })
const stacks: Readonly<Record<string, KeyManagementService>> = {
  bulkhead: new BulkheadKms({ kms: fetched(), maxConcurrent: 1, maxWaitMs: 400, maxHoldMs: 300 }),
  strict: new BulkheadKms({ kms: fetched(), maxConcurrent: 1, maxWaitMs: 200, maxHoldMs: 60_000 }),
  patient: new BulkheadKms({
    kms: fetched(),
    maxConcurrent: 1,
    maxWaitMs: 30_000,
    maxHoldMs: 60_000,
  }),
  // As many at the same time, and as many that wait, as there are by default.
  default: new BulkheadKms({ kms: fetched(), maxWaitMs: 30_000, maxHoldMs: 60_000 }),
  breaker: new CircuitBreakerKms({ kms: fetched(), failureThreshold: 1, resetTimeoutMs: 300 }),
  audit: trail.around(fetched()),
}
const options: KmsCallOptions = { context: { 'edge-kms:dk': `${'A'.repeat(43)}.1` } }

/** Time for a call to leave the isolate: what was not sent is dropped when the request answers. */
const reachKms = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 100))

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/verify') {
      const { problems } = await verifyAuditLog(log, { slack: 100, macKey })
      return Response.json({ problems, places: new Set(log.map(({ seq }) => seq)).size })
    }
    const kms = stacks[pathname.slice(1)] as KeyManagementService
    const work = kms.generateDataKey(options).then(
      () => new Response('ok'),
      (error: unknown) => new Response(isKmsError(error) ? error.code : String(error)),
    )
    if (!searchParams.has('leave')) return work
    // Answers while its call is under way, with nothing that keeps it alive.
    await reachKms()
    return new Response('left')
  },
}
