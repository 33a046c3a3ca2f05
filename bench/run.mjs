/**
 * `npm run bench -- [--runtime node,workerd,deno,bun] [--quick] [--peers] [--json] [--gate]`: what
 * edge-kms costs over the platform's own AEAD, on every runtime. See README.md beside this file.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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
    peers: flag,
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

/** Modules that wrap other libraries; they need an install of their own. */
function peerModules() {
  const folder = join(root, 'bench', 'peers')
  if (existsSync(join(folder, 'node_modules', 'jose'))) return [join(folder, 'jose.mjs')]
  console.error('the peers are not installed: npm ci --prefix bench/peers')
  process.exit(2)
}

const plan = {
  streamBytes: (values.quick ? 64 : 256) * 1_048_576,
  peers: values.peers ? peerModules() : [],
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
