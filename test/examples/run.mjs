// `npm run test:examples`: the folders of examples/, over the packed package. `npm run test:examples -- node` runs one of them.
import { node24, run } from '../../tools/lib/folders.mjs'
import { createReport } from '../servers/lib/report.mjs'
import { checkNode } from './node/check.mjs'
import { checkWorkers } from './workers/check.mjs'

if (run(node24, ['tools/build.mjs']) !== 0) process.exit(1)
const report = createReport()
const checks = { node: checkNode, workers: checkWorkers }
const asked = process.argv.slice(2)
try {
  for (const [name, check] of Object.entries(checks))
    if (asked.length === 0 || asked.includes(name)) await check(report)
} catch (error) {
  report.fail('the run itself', error instanceof Error ? error.stack : error)
}
await report.settled()
const { passed, failed, skipped } = report.counts
const rest = skipped === 0 ? '' : `, ${skipped} skipped`
console.log(`examples: ${passed} passed, ${failed} failed${rest}`)
// A check that failed half-way may have left a server open.
process.exit(failed === 0 ? 0 : 1)
