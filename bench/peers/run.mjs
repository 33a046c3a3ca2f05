/**
 * `npm run bench:peers -- [--runtime node,deno,bun,workerd] [--only records,streams] [--rounds 11] [--page] [--gate]`:
 * edge-kms beside other libraries, in one run by turns. See README.md one folder up.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../../tools/lib/folders.mjs'
import { keepReport } from '../lib/child.mjs'
import { goals } from './goals.mjs'
import { writePage } from './page.mjs'
import { runtimes } from './runtimes.mjs'

const flag = /** @type {const} */ ({ type: 'boolean', default: false })
const PARTS = ['records', 'streams']
const { values } = parseArgs({
  options: {
    runtime: { type: 'string', default: Object.keys(runtimes).join(',') },
    only: { type: 'string', default: PARTS.join(',') },
    rounds: { type: 'string', default: '11' },
    page: flag,
    gate: flag,
  },
})
const names = values.runtime.split(',')
const parts = values.only.split(',')
const unknown = [
  ...names.filter((name) => !Object.hasOwn(runtimes, name)),
  ...parts.filter((part) => !PARTS.includes(part)),
]
if (unknown.length > 0) {
  console.error(
    `unknown: ${unknown.join(', ')}; runtimes: ${Object.keys(runtimes).join(', ')}; parts: ${PARTS.join(', ')}`,
  )
  process.exit(2)
}

/** Installs the other libraries, each tree by its own lock file. */
function install(folder) {
  if (existsSync(join(folder, 'node_modules', '.package-lock.json'))) return
  console.error(`installing ${folder.slice(root.length)}`)
  const done = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    stdio: 'inherit',
  })
  if (done.status !== 0) throw new Error(`npm ci failed in ${folder}`)
}
install(join(root, 'bench/peers'))
install(join(root, 'bench/peers/esdk'))

const place = join(root, 'bench/results/peers.json')
const before = existsSync(place) ? JSON.parse(readFileSync(place, 'utf8')) : {}
const plan = { rounds: Number(values.rounds), roundMs: 15, streamBytes: 256 * 1_048_576 }
const results = { ...before.runtimes }
for (const name of names) {
  for (const part of parts) {
    const measure = runtimes[name][part]
    if (measure === undefined) {
      console.error(`${name}, ${part}: not measured there`)
      continue
    }
    console.error(`${name}, ${part}:`)
    results[name] = { ...results[name], [part]: await measure(plan) }
    keepReport('peers', { plan, runtimes: results })
  }
}

let missed = 0
for (const { goal, value, pass } of goals(results)) {
  if (!pass) missed += 1
  console.log(`${pass ? 'PASS' : 'MISS'} ${value.padStart(8)}  ${goal}`)
}
if (values.page) writePage()
if (values.gate && missed > 0) process.exitCode = 1
