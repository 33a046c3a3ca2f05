/**
 * `npm run bench:kms -- [--vendor aws,gcp,azure,vault] [--runtime node,workerd,deno,bun] [--rounds 9] [--page]`: calls
 * of a KMS over loopback, beside the vendor's own client. See README.md one folder up.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { node24, root } from '../../tools/lib/folders.mjs'
import { keepReport } from '../lib/child.mjs'
import { writePage } from '../peers/page.mjs'
import { quantile } from '../timing.ts'
import { runtimes } from './runtimes.mjs'

const vendors = ['aws', 'gcp', 'azure', 'vault']
const { values } = parseArgs({
  options: {
    vendor: { type: 'string', default: vendors.join(',') },
    runtime: { type: 'string', default: Object.keys(runtimes).join(',') },
    rounds: { type: 'string', default: '9' },
    page: { type: 'boolean', default: false },
  },
})
const asked = { vendors: values.vendor.split(','), runtimes: values.runtime.split(',') }
const unknown = [
  ...asked.vendors.filter((name) => !vendors.includes(name)),
  ...asked.runtimes.filter((name) => !Object.hasOwn(runtimes, name)),
]
if (unknown.length > 0) {
  const known = `vendors: ${vendors.join(', ')}; runtimes: ${Object.keys(runtimes).join(', ')}`
  console.error(`unknown: ${unknown.join(', ')}; ${known}`)
  process.exit(2)
}

/** The clients of the other vendors need Node's modules. */
const canRun = (vendor, runtime) => vendor === 'aws' || runtime !== 'workerd'
const CASES = [1, 32].flatMap((atOnce) =>
  ['generateDataKey', 'unwrapDataKey'].map((operation) => ({ operation, atOnce })),
)
/** How long the vendor's client works in one round. */
const ROUND_MS = 500
const median = (numbers) => quantile(numbers, 0.5)

/** Rounds by turns; what is compared was measured within one round. */
async function compare({ take, sides }, one) {
  let calls = 50
  for (let i = 0; i < 4; i++) {
    for (const side of sides) await take({ ...one, side, calls })
    const { ms } = await take({ ...one, side: 'client', calls })
    calls = Math.ceil((calls * ROUND_MS) / ms)
  }
  const rounds = []
  for (let i = 0; i < Number(values.rounds); i++) {
    const round = {}
    for (const side of i % 2 === 0 ? sides : sides.toReversed()) {
      const { ms, cpuMs } = await take({ ...one, side, calls })
      round[side] = { perSecond: (calls / ms) * 1_000, cpuUs: (cpuMs / calls) * 1_000 }
    }
    rounds.push(round)
  }
  const of = (side, what) => median(rounds.map((round) => round[side][what]))
  const ratio = (side, what) =>
    median(rounds.map((round) => round[side][what] / round.client[what]))
  return sides.map((side) => ({
    ...one,
    side,
    perSecond: of(side, 'perSecond'),
    cpuUs: of(side, 'cpuUs'),
    speed: ratio(side, 'perSecond'),
    cpu: ratio(side, 'cpuUs'),
  }))
}

function print({ operation, atOnce, side, perSecond, cpuUs, speed, cpu }) {
  const name = `${operation} x${atOnce}`.padEnd(21) + side.padEnd(15)
  const figures = `${perSecond.toFixed(0).padStart(7)}/s ${cpuUs.toFixed(0).padStart(5)} us CPU`
  const ratios = `${speed.toFixed(2).padStart(7)}x ${cpu.toFixed(2).padStart(7)}x`
  console.log(`  ${name}${figures}${ratios}`)
}

async function measure(vendor, runtime) {
  console.log(
    `\n${vendor}, ${runtime}: calls per second and CPU of a call, and both over the client's`,
  )
  const scratch = mkdtempSync(join(tmpdir(), 'edge-kms-bench-'))
  const server = spawn(node24, [join(root, 'bench/kms/server.mjs'), vendor], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const [line] = await once(server.stdout, 'data')
    const place = JSON.parse(String(line))
    const clients = await runtimes[runtime]({ scratch, vendor, place })
    try {
      const rows = []
      for (const one of CASES) {
        const found = await compare(clients, one)
        found.forEach(print)
        rows.push(...found)
      }
      return rows
    } finally {
      await clients.close()
    }
  } finally {
    server.kill()
    rmSync(scratch, { recursive: true, force: true })
  }
}

const file = join(root, 'bench/results/kms.json')
const results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).vendors : {}
for (const vendor of asked.vendors)
  for (const runtime of asked.runtimes) {
    if (!canRun(vendor, runtime)) continue
    results[vendor] = { ...results[vendor], [runtime]: await measure(vendor, runtime) }
    keepReport('kms', { rounds: Number(values.rounds), vendors: results })
  }
if (values.page) writePage()
