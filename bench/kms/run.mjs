/**
 * `npm run bench:aws -- [--runtime node,workerd,deno,bun] [--rounds 9]`: calls of AWS KMS over
 * loopback, beside AWS's own client. See README.md one folder up.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { node24, root } from '../../tools/lib/folders.mjs'
import { quantile } from '../timing.ts'
import { runtimes } from './runtimes.mjs'

const { values } = parseArgs({
  options: {
    runtime: { type: 'string', default: Object.keys(runtimes).join(',') },
    rounds: { type: 'string', default: '9' },
  },
})
const asked = values.runtime.split(',')
const unknown = asked.filter((name) => !Object.hasOwn(runtimes, name))
if (unknown.length > 0) {
  console.error(`no such runtime: ${unknown.join(', ')}; there are ${Object.keys(runtimes)}`)
  process.exit(2)
}

/** workerd has no `edge-kms/node`. */
const sidesOn = (runtime) =>
  runtime === 'workerd' ? ['sdk', 'ours', 'fetch'] : ['sdk', 'ours', 'signer', 'node', 'fetch']
const CASES = [1, 32].flatMap((atOnce) =>
  ['GenerateDataKey', 'Decrypt'].map((operation) => ({ operation, atOnce })),
)
/** How long AWS's client works in one round. */
const ROUND_MS = 500
const median = (numbers) => quantile(numbers, 0.5)

/** Rounds by turns; what is compared was measured within one round. */
async function compare(take, one, sides) {
  let calls = 100
  for (let i = 0; i < 4; i++) {
    for (const side of sides) await take({ ...one, side, calls })
    const { ms } = await take({ ...one, side: 'sdk', calls })
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
  const ratio = (side, what) => median(rounds.map((round) => round[side][what] / round.sdk[what]))
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
  const name = `${operation} x${atOnce}`.padEnd(20) + side.padEnd(6)
  const figures = `${perSecond.toFixed(0).padStart(7)}/s ${cpuUs.toFixed(0).padStart(5)} us CPU`
  const ratios = `${speed.toFixed(2).padStart(7)}x ${cpu.toFixed(2).padStart(7)}x`
  console.log(`  ${name}${figures}${ratios}`)
}

const scratch = mkdtempSync(join(tmpdir(), 'edge-kms-bench-'))
const server = spawn(node24, [join(root, 'bench', 'aws', 'server.mjs')], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
const results = {}
try {
  const [line] = await once(server.stdout, 'data')
  const place = JSON.parse(String(line))
  for (const name of asked) {
    console.log(`\n${name}: calls per second and CPU of a call, and both over those of sdk`)
    const { take, close } = await runtimes[name]({ scratch, place })
    try {
      results[name] = []
      for (const one of CASES) {
        const rows = await compare(take, one, sidesOn(name))
        rows.forEach(print)
        results[name].push(...rows)
      }
    } finally {
      await close()
    }
  }
} finally {
  server.kill()
  rmSync(scratch, { recursive: true, force: true })
}
const folder = join(root, 'bench', 'results')
mkdirSync(folder, { recursive: true })
const report = { at: new Date().toISOString(), runtimes: results }
writeFileSync(join(folder, 'aws.json'), `${JSON.stringify(report, null, 2)}\n`)
