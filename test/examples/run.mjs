// `npm run test:examples [name …]`: the folders of examples/, over the packed package.
import { node24, run } from '../../tools/lib/folders.mjs'
import { createReport } from '../servers/lib/report.mjs'
import { checkDeno } from './deno/check.mjs'
import { checkLessons } from './lessons/check.mjs'
import { checkNode } from './node/check.mjs'
import { checkRotation } from './rotation/check.mjs'
import { checkRotationNode } from './rotation-node/check.mjs'
import { checkRotationWorkers } from './rotation-workers/check.mjs'
import { checkStart } from './start/check.mjs'
import { checkWorkers } from './workers/check.mjs'

/** @type {Record<string, (report: import('./workers/world.mjs').Report) => Promise<void>>} */
const parts = {
  start: checkStart,
  lessons: checkLessons,
  node: checkNode,
  workers: checkWorkers,
  deno: checkDeno,
  rotation: checkRotation,
  'rotation-node': checkRotationNode,
  'rotation-workers': checkRotationWorkers,
}
const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !(name in parts))
if (unknown.length > 0) {
  console.error(
    `no such example: ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`,
  )
  process.exit(2)
}

if (run(node24, ['tools/build.mjs']) !== 0) process.exit(1)
const report = createReport()
try {
  for (const name of asked.length === 0 ? Object.keys(parts) : asked) await parts[name](report)
} catch (error) {
  report.fail('the run itself', error instanceof Error ? error.stack : error)
}
await report.settled()
const { passed, failed, skipped } = report.counts
const rest = skipped === 0 ? '' : `, ${skipped} skipped`
console.log(`examples: ${passed} passed, ${failed} failed${rest}`)
// A check that failed half-way may have left a server open.
process.exit(failed === 0 ? 0 : 1)
