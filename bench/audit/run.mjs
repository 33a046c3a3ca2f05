/**
 * `npm run bench:audit -- [--gate]`: how many operations at once the audit trail takes. See README.md one
 * folder up.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { node24, root, toolEnv } from '../../tools/lib/folders.mjs'

const { values } = parseArgs({ options: { gate: { type: 'boolean', default: false } } })

async function measure() {
  const scratch = mkdtempSync(join(tmpdir(), 'edge-kms-bench-'))
  try {
    const outfile = join(scratch, 'process.mjs')
    await build({
      entryPoints: [join(root, 'bench', 'audit', 'process.ts')],
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'neutral',
      target: 'es2022',
      logLevel: 'error',
    })
    const done = spawnSync(node24, [outfile], {
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

const report = await measure()
let missed = 0
for (const one of report.results) {
  const pass = one.failed === 0 && one.recorded === one.count && one.isVerified
  if (!pass) missed += 1
  console.log(
    `${one.count} at once: ${one.perSecond} records/s, ${one.writes} writes, ` +
      `median ${one.medianMs.toFixed(0)} ms, last ${one.lastMs.toFixed(0)} ms, ` +
      `heap +${one.heapMiB.toFixed(0)} MiB`,
  )
  console.log(
    `  ${one.failed} failed, ${one.recorded} recorded, verified ${one.isVerified}: ${pass ? 'PASS' : 'MISS'}`,
  )
}
const folder = join(root, 'bench', 'results')
mkdirSync(folder, { recursive: true })
const text = JSON.stringify({ at: new Date().toISOString(), ...report }, null, 2)
writeFileSync(join(folder, 'audit.json'), `${text}\n`)
if (values.gate && missed > 0) process.exitCode = 1
