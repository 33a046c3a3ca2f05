/**
 * Plays worlds and says what must not have been.
 *
 *   npm run sim -- [--world NAME] --seed N          one world, with all that happens in it
 *   npm run sim -- [--world NAME] [--from N] [--count N] [--lanes N]
 */
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'
import { parseArgs } from 'node:util'
import { runCustomers } from './customers/run-customers.ts'
import { runOutages } from './outages/run-outages.ts'
import { runRotationSeed } from './rotation/run-rotation.ts'
import { runSeed } from './run-seed.ts'

/** The result of one seed, in any world. */
interface Report {
  readonly seed: number
  readonly violations: readonly { readonly rule: string; readonly text: string }[]
  readonly digest: string
  readonly events: number
  readonly kmsCalls: number
  readonly written: number
}

/** The first is the one that is meant where none is named. */
const WORLDS: Readonly<Record<string, (seed: number, print?: boolean) => Promise<Report>>> = {
  ciphers: runSeed,
  outages: runOutages,
  customers: runCustomers,
  rotation: runRotationSeed,
}

interface Range {
  readonly world: string
  readonly from: number
  readonly count: number
  readonly step: number
}

const MOST_SHOWN = 20

if (isMainThread) await main()
else await play(workerData as Range)

/** One lane: every so many seeds of a range. */
async function play({ world, from, count, step }: Range): Promise<void> {
  for (let seed = from; seed < from + count; seed += step)
    parentPort?.postMessage(await tryRun(world, seed))
}

function run(world: string, seed: number, print = false): Promise<Report> {
  const play = WORLDS[world]
  if (play === undefined) throw new TypeError(`there are only ${Object.keys(WORLDS).join(', ')}`)
  return play(seed, print)
}

async function tryRun(world: string, seed: number): Promise<Report> {
  try {
    return await run(world, seed)
  } catch (error) {
    const violations = [{ rule: 'hang', text: String(error) }]
    return { seed, violations, digest: '', events: 0, kmsCalls: 0, written: 0 }
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      world: { type: 'string' },
      seed: { type: 'string' },
      from: { type: 'string', default: '1' },
      count: { type: 'string', default: '1000' },
      lanes: { type: 'string', default: '2' },
    },
  })
  if (values.seed !== undefined) {
    const { world = 'ciphers' } = values
    const report = await run(world, Number(values.seed), true)
    show(world, report)
    console.log(`seed ${String(report.seed)}: digest ${report.digest}`)
    process.exitCode = report.violations.length === 0 ? 0 : 1
    return
  }
  const [from, count, lanes] = [values.from, values.count, values.lanes].map(Number)
  for (const world of values.world === undefined ? Object.keys(WORLDS) : [values.world])
    await sweep(world, Number(from), Number(count), Number(lanes))
}

async function sweep(world: string, from: number, count: number, lanes: number): Promise<void> {
  const started = performance.now()
  const total = { failed: 0, passed: 0, events: 0, kmsCalls: 0, written: 0 }
  const hear = (report: Report): void => {
    total.events += report.events
    total.kmsCalls += report.kmsCalls
    total.written += report.written
    if (report.violations.length === 0) total.passed += 1
    else if (++total.failed <= MOST_SHOWN) show(world, report)
  }
  const lane = (i: number): Promise<void> => {
    const workerData = { world, from: from + i, count: count - i, step: lanes }
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
    `${world}, seeds ${String(from)} to ${String(from + count - 1)}: ${String(total.events)} events, ` +
      `${String(total.kmsCalls)} KMS calls, ${String(total.written)} messages, ${seconds} s`,
  )
  const lost = count - total.passed - total.failed
  console.log(`${world}: ${String(total.passed)} passed, ${String(total.failed + lost)} failed`)
  if (total.failed + lost > 0) process.exitCode = 1
}

function show(world: string, { seed, violations }: Report): void {
  for (const { rule, text } of violations.slice(0, 5)) console.log(`  ${rule}: ${text}`)
  if (violations.length > 0)
    console.log(`FAILED: npm run sim -- --world ${world} --seed ${String(seed)}`)
}
