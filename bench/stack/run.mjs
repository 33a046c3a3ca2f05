/**
 * `npm run bench:stack -- [--rounds 301] [--gate]`: what the whole stack adds to an operation whose data
 * key is held. See README.md one folder up.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { node24, root, toolEnv } from '../../tools/lib/folders.mjs'

/** Microseconds, median over the rounds, 64 operations in flight. */
const MOST_US = 5

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '301' },
    gate: { type: 'boolean', default: false },
  },
})

async function measure() {
  const scratch = mkdtempSync(join(tmpdir(), 'edge-kms-bench-'))
  try {
    const outfile = join(scratch, 'process.mjs')
    await build({
      entryPoints: [join(root, 'bench', 'stack', 'process.ts')],
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'neutral',
      target: 'es2022',
      logLevel: 'error',
    })
    const done = spawnSync(node24, [outfile, values.rounds], {
      encoding: 'utf8',
      env: toolEnv(),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    if (done.status !== 0) throw new Error(`the measurement ended with ${done.status}`)
    return JSON.parse(done.stdout)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

const us = (/** @type {number} */ value) => `${value.toFixed(2)} us`
const spread = ([low, median, high]) => `${us(median)} (quartiles ${us(low)} to ${us(high)})`

const { results, calls } = await measure()
let missed = calls === 0 ? 0 : 1
for (const { verb, withoutUs, withUs, addedUs, addedCpuUs } of results) {
  const pass = addedUs[1] <= MOST_US
  if (!pass) missed += 1
  console.log(`${verb} 256 B x64: ${us(withoutUs)} without the stack, ${us(withUs)} with it`)
  console.log(`  adds ${spread(addedUs)}, at most ${us(MOST_US)}: ${pass ? 'PASS' : 'MISS'}`)
  console.log(`  of CPU, threads included: ${spread(addedCpuUs)}`)
}
console.log(`KMS calls of all these operations: ${calls}: ${calls === 0 ? 'PASS' : 'MISS'}`)
const folder = join(root, 'bench', 'results')
mkdirSync(folder, { recursive: true })
const report = { at: new Date().toISOString(), results, calls }
writeFileSync(join(folder, 'stack.json'), `${JSON.stringify(report, null, 2)}\n`)
if (values.gate && missed > 0) process.exitCode = 1
