/**
 * `npm run bench:import -- [--runs 31] [--gate]`: a cold import of `edge-kms` from node_modules on Node 24, beside one
 * of `jose`. R44. See README.md one folder up.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { node24, root, run, toolEnv } from '../../tools/lib/folders.mjs'
import { installInto, scratchFolder } from '../../tools/lib/pack.mjs'

/** The median of the rounds' ratios. */
const MOST_RATIO = 0.6

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '31' },
    gate: { type: 'boolean', default: false },
  },
})
const runs = Number(values.runs)
if (!Number.isInteger(runs) || runs < 15) {
  console.error('--runs must be an integer of at least 15')
  process.exit(2)
}

if (run(node24, ['tools/build.mjs']) !== 0) throw new Error('the build failed')
const folder = scratchFolder('bench-import')
installInto(folder)
cpSync(join(root, 'node_modules', 'jose'), join(folder, 'node_modules', 'jose'), {
  recursive: true,
})
writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')

/** Milliseconds that the import takes in a process that has loaded nothing else. */
function importMs(specifier) {
  writeFileSync(
    join(folder, 'main.js'),
    `const start = performance.now()
await import('${specifier}')
console.log(performance.now() - start)
`,
  )
  const done = spawnSync(node24, ['main.js'], { cwd: folder, env: toolEnv(), encoding: 'utf8' })
  if (done.status !== 0) throw new Error(done.stderr)
  return Number(done.stdout)
}

function quartiles(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b)
  return [0.25, 0.5, 0.75].map((part) => sorted[Math.floor((sorted.length - 1) * part)])
}

// Once each for the disk's cache.
importMs('edge-kms')
importMs('jose')
const ours = []
const theirs = []
for (let i = 0; i < runs; i++) {
  ours.push(importMs('edge-kms'))
  theirs.push(importMs('jose'))
}
const ratio = quartiles(ours.map((ms, i) => ms / theirs[i]))
const report = {
  at: new Date().toISOString(),
  runs,
  ours: quartiles(ours),
  jose: quartiles(theirs),
  ratio,
}
const pass = ratio[1] <= MOST_RATIO
console.log(
  `cold import, median of ${runs}: edge-kms ${report.ours[1].toFixed(1)} ms, jose ${report.jose[1].toFixed(1)} ms`,
)
console.log(
  `ratio ${ratio[1].toFixed(2)} (quartiles ${ratio[0].toFixed(2)} to ${ratio[2].toFixed(2)}), at most ${MOST_RATIO}: ${pass ? 'PASS' : 'MISS'}`,
)
mkdirSync(join(root, 'bench', 'results'), { recursive: true })
writeFileSync(join(root, 'bench', 'results', 'import.json'), `${JSON.stringify(report, null, 2)}\n`)
if (values.gate && !pass) process.exitCode = 1
