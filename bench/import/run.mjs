/**
 * `npm run bench:import -- [--runs 31] [--gate]`: a cold import of `edge-kms` from node_modules on Node 24, beside one
 * of `jose`. R44. See README.md one folder up.
 */
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../tools/lib/folders.mjs'
import { installInto, scratchFolder } from '../../tools/lib/pack.mjs'
import { keepReport } from '../lib/child.mjs'
import { byTurns, coldStartOptions, quartiles, runAlone } from '../lib/cold-start.mjs'

/** The median of the rounds' ratios. */
const MOST_RATIO = 0.6

const { runs, gate } = coldStartOptions()
const folder = scratchFolder('bench-import')
installInto(folder)
cpSync(join(root, 'node_modules', 'jose'), join(folder, 'node_modules', 'jose'), {
  recursive: true,
})
writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')

/** Milliseconds that the import takes in a process that has loaded nothing else. */
const importMs = (specifier) =>
  runAlone(
    folder,
    `const start = performance.now()
await import('${specifier}')
console.log(performance.now() - start)
`,
  )

const [ours, theirs] = byTurns(
  runs,
  () => importMs('edge-kms'),
  () => importMs('jose'),
)
const ratio = quartiles(ours.map((ms, i) => ms / theirs[i]))
const report = {
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
keepReport('import', report)
if (gate && !pass) process.exitCode = 1
