/**
 * Memory stays flat under the whole stack: 1,000,000 operations with 10,000 contexts whose keys are all
 * held cost 0 KMS calls, and 50,000 with a cache that holds a tenth of them cost one for each that encrypts
 * (two of three). Metrics, audit trail and circuits are on. `.ci/long memory` runs it; Node needs `--expose-gc`.
 */
import { CachedKms, composeKms, EnvelopeCipher } from '../../src/index.ts'
import { KmsAuditTrail, KmsMetrics } from '../../src/observability/index.ts'
import { MemoryKeyValueStore } from '../../src/stores/index.ts'
import { CountingKms } from '../unit/envelope/fixture.ts'
import { PlainKms } from '../unit/wire/fixture.ts'

const CONTEXTS = 10_000
const AT_ONCE = 16
const PARTS = 10
/** Of the heap from the first tenth to the last: what the compiler and counters take, not a byte per operation. */
const MOST_GROWTH_MIB = 4
const plaintext = new TextEncoder().encode('4111 1111')

interface Run {
  readonly name: string
  readonly operations: number
  readonly maxEntries: number
  readonly isRight: (kmsCalls: number, encrypts: number) => boolean
}

const runs: readonly Run[] = [
  { name: 'held', operations: 1_000_000, maxEntries: CONTEXTS, isRight: (calls) => calls === 0 },
  {
    name: 'churn',
    operations: 50_000,
    maxEntries: 1_000,
    isRight: (calls, encrypts) => calls === encrypts,
  },
]

const { gc } = globalThis
if (gc === undefined) throw new Error('run it with --expose-gc')

async function heapMiB(): Promise<number> {
  // Twice, and a turn for what finalizers let go.
  for (let i = 0; i < 2; i++) {
    await gc?.({ execution: 'async' })
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return process.memoryUsage().heapUsed / 1_048_576
}

async function flat({ name, operations, maxEntries, isRight }: Run): Promise<boolean> {
  const kms = new CountingKms(new PlainKms())
  const observer = new KmsMetrics()
  const audit = new KmsAuditTrail({
    mode: 'closed',
    timeoutMs: 60_000,
    sink: { write: () => Promise.resolve() },
    observer,
  })
  const circuitStore = new MemoryKeyValueStore()
  // A machine that stops for a while must not look like a slow KMS.
  const patient = { deadlineMs: 600_000, attemptTimeoutMs: 600_000 }
  const bulkhead = { maxConcurrent: AT_ONCE }
  const stack = composeKms(kms, { audit, observer, circuitStore, bulkhead, ...patient })
  const ttl = { ttlMs: 3_600_000, encryptForMs: 86_400_000 }
  const cipher = new EnvelopeCipher({ keys: new CachedKms({ kms: stack, maxEntries, ...ttl }) })
  const use = async (n: number): Promise<void> => {
    const options = { context: { tenant: String(n % CONTEXTS) }, aad: { row: '42' } }
    const envelope = await cipher.encrypt(plaintext, options)
    if (n % 2 === 0) await cipher.decrypt(envelope, options)
  }
  const play = async (from: number, to: number): Promise<void> => {
    let n = from
    const lane = async (): Promise<void> => {
      while (n < to) await use(n++)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, lane))
  }
  await play(0, CONTEXTS)
  const before = kms.calls.length
  const heaps: number[] = []
  // Each turn of `use` is one and a half operations.
  const turns = Math.ceil(operations / 1.5 / PARTS)
  for (let part = 0; part < PARTS; part++) {
    await play(part * turns, (part + 1) * turns)
    // The witness's own list would be what grows.
    heaps.push((await heapMiB()) - (kms.calls.length * 8) / 1_048_576)
  }
  const calls = kms.calls.length - before
  const growth = (heaps.at(-1) ?? Infinity) - (heaps[0] ?? 0)
  const right = isRight(calls, PARTS * turns) && growth <= MOST_GROWTH_MIB
  console.log(
    `${right ? 'ok' : 'FAILED'} ${name}: ${String(operations)} operations, ${String(CONTEXTS)} contexts, ` +
      `${String(calls)} KMS calls, heap ${heaps.map((mib) => mib.toFixed(1)).join(' ')} MiB`,
  )
  return right
}

let failed = 0
for (const run of runs) if (!(await flat(run))) failed += 1
console.log(`memory: ${String(runs.length - failed)} passed, ${String(failed)} failed`)
process.exitCode = failed === 0 ? 0 : 1
