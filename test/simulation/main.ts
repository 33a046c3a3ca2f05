/**
 * Plays worlds and says what must not have been.
 *
 *   npm run sim -- --seed N          one world, with all that happens in it
 *   npm run sim -- [--from N] [--count N] [--lanes N]
 */
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'
import { parseArgs } from 'node:util'
import { runSeed, type SeedReport } from './run-seed.ts'

interface Range {
  readonly from: number
  readonly count: number
  readonly step: number
}

const MOST_SHOWN = 20

if (isMainThread) await main()
else await play(workerData as Range)

/** One lane: every so many seeds of a range. */
async function play({ from, count, step }: Range): Promise<void> {
  for (let seed = from; seed < from + count; seed += step)
    parentPort?.postMessage(await tryRun(seed))
}

async function tryRun(seed: number): Promise<SeedReport> {
  try {
    return await runSeed(seed)
  } catch (error) {
    const violations = [{ rule: 'hang' as const, text: String(error) }]
    return { seed, violations, digest: '', events: 0, kmsCalls: 0, written: 0 }
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      from: { type: 'string', default: '1' },
      count: { type: 'string', default: '1000' },
      lanes: { type: 'string', default: '2' },
    },
  })
  if (values.seed !== undefined) {
    const report = await runSeed(Number(values.seed), true)
    show(report)
    console.log(`seed ${String(report.seed)}: digest ${report.digest}`)
    process.exitCode = report.violations.length === 0 ? 0 : 1
    return
  }
  await sweep(Number(values.from), Number(values.count), Number(values.lanes))
}

async function sweep(from: number, count: number, lanes: number): Promise<void> {
  const started = performance.now()
  const total = { failed: 0, passed: 0, events: 0, kmsCalls: 0, written: 0 }
  const hear = (report: SeedReport): void => {
    total.events += report.events
    total.kmsCalls += report.kmsCalls
    total.written += report.written
    if (report.violations.length === 0) total.passed += 1
    else if (++total.failed <= MOST_SHOWN) show(report)
  }
  const lane = (i: number): Promise<void> => {
    const workerData = { from: from + i, count: count - i, step: lanes }
    const worker = new Worker(new URL(import.meta.url), { workerData })
    worker.on('message', hear)
    return new Promise((resolve, reject) => {
      worker.on('error', reject)
      worker.on('exit', () => {
        resolve()
      })
    })
  }
  await Promise.all(Array.from({ length: lanes }, (_, i) => lane(i)))
  const seconds = ((performance.now() - started) / 1_000).toFixed(1)
  console.log(
    `seeds ${String(from)} to ${String(from + count - 1)}: ${String(total.events)} events, ` +
      `${String(total.kmsCalls)} KMS calls, ${String(total.written)} messages, ${seconds} s`,
  )
  const lost = count - total.passed - total.failed
  console.log(`simulation: ${String(total.passed)} passed, ${String(total.failed + lost)} failed`)
  process.exitCode = total.failed + lost === 0 ? 0 : 1
}

function show({ seed, violations }: SeedReport): void {
  for (const { rule, text } of violations.slice(0, 5)) console.log(`  ${rule}: ${text}`)
  if (violations.length > 0) console.log(`FAILED: npm run sim -- --seed ${String(seed)}`)
}
