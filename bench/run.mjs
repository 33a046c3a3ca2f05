/**
 * `npm run bench -- [--runtime node,workerd,deno,bun] [--quick] [--json] [--gate]`: what
 * edge-kms costs over the platform's own AEAD, on every runtime. See README.md beside this file.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../tools/lib/folders.mjs'
import { misses, printRuntime } from './report.mjs'
import { runtimes } from './runtimes.mjs'

const flag = /** @type {const} */ ({ type: 'boolean', default: false })
const { values } = parseArgs({
  options: {
    runtime: { type: 'string', default: Object.keys(runtimes).join(',') },
    quick: flag,
    json: flag,
    gate: flag,
  },
})
const asked = values.runtime.split(',')
const unknown = asked.filter((name) => !Object.hasOwn(runtimes, name))
if (unknown.length > 0) {
  console.error(`no such runtime: ${unknown.join(', ')}; there are ${Object.keys(runtimes)}`)
  process.exit(2)
}

const plan = {
  streamBytes: (values.quick ? 64 : 256) * 1_048_576,
}
const scratch = mkdtempSync(join(tmpdir(), 'edge-kms-bench-'))
const results = {}
let missed = 0
try {
  for (const name of asked) {
    console.error(`${name}:`)
    const result = await runtimes[name]({ ...plan, scratch })
    results[name] = result
    const names = 'missing' in result ? [] : misses(result)
    missed += names.length
    if (!values.json) printRuntime(name, result, names)
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
const folder = join(root, 'bench', 'results')
mkdirSync(folder, { recursive: true })
const report = { at: new Date().toISOString(), streamBytes: plan.streamBytes, runtimes: results }
const json = `${JSON.stringify(report, null, 2)}\n`
writeFileSync(join(folder, 'latest.json'), json)
if (values.json) console.log(json)
if (values.gate && missed > 0) process.exitCode = 1
