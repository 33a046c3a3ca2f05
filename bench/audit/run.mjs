/**
 * `npm run bench:audit -- [--gate]`: how many operations at once the audit trail takes. See README.md one
 * folder up.
 */
import { parseArgs } from 'node:util'
import { keepReport, measure } from '../lib/child.mjs'

const { values } = parseArgs({ options: { gate: { type: 'boolean', default: false } } })

const report = await measure('audit/process.ts')
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
keepReport('audit', report)
if (values.gate && missed > 0) process.exitCode = 1
