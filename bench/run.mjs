/**
 * `npm run bench -- [--runtime node,workerd,deno,bun] [--quick] [--gate]`: what edge-kms costs over
 * the platform's own AEAD, on every runtime. See README.md beside this file.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../tools/lib/folders.mjs'
import { misses, printRuntime } from './report.mjs'
import { runtimes } from './runtimes.mjs'

const { values } = parseArgs({
  options: {
    runtime: { type: 'string', default: Object.keys(runtimes).join(',') },
    quick: { type: 'boolean', default: false },
    gate: { type: 'boolean', default: false },
  },
})
const asked = values.runtime.split(',')
const unknown = asked.filter((name) => !Object.hasOwn(runtimes, name))
if (unknown.length > 0) {
  console.error(`no such runtime: ${unknown.join(', ')}; there are ${Object.keys(runtimes)}`)
  process.exit(2)
}

const streamBytes = (values.quick ? 64 : 256) * 1_048_576
const scratch = mkdtempSync(join(tmpdir(), 'edge-kms-bench-'))
const results = {}
let missed = 0
try {
  for (const name of asked) {
    console.error(`${name}:`)
    const result = await runtimes[name]({ scratch, streamBytes })
    results[name] = result
    printRuntime(name, result)
    const names = misses(result)
    missed += names.length
    console.log(names.length === 0 ? '  all gates pass' : `  MISS: ${names.join(', ')}`)
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
const folder = join(root, 'bench', 'results')
mkdirSync(folder, { recursive: true })
const report = { at: new Date().toISOString(), streamBytes, runtimes: results }
writeFileSync(join(folder, 'latest.json'), `${JSON.stringify(report, null, 2)}\n`)
if (values.gate && missed > 0) process.exitCode = 1
