/**
 * `npm run bench:stack -- [--rounds 301] [--gate]`: what the whole stack adds to an operation whose data
 * key is held. See README.md one folder up.
 */
import { parseArgs } from 'node:util'
import { keepReport, measure } from '../lib/child.mjs'

/** Microseconds, median over the rounds, 64 operations in flight. */
const MOST_US = 5

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '301' },
    gate: { type: 'boolean', default: false },
  },
})

const us = (/** @type {number} */ value) => `${value.toFixed(2)} us`
const spread = ([low, median, high]) => `${us(median)} (quartiles ${us(low)} to ${us(high)})`

const { results, calls } = await measure('stack/process.ts', [values.rounds])
let missed = calls === 0 ? 0 : 1
for (const { verb, withoutUs, withUs, addedUs, addedCpuUs } of results) {
  const pass = addedUs[1] <= MOST_US
  if (!pass) missed += 1
  console.log(`${verb} 256 B x64: ${us(withoutUs)} without the stack, ${us(withUs)} with it`)
  console.log(`  adds ${spread(addedUs)}, at most ${us(MOST_US)}: ${pass ? 'PASS' : 'MISS'}`)
  console.log(`  of CPU, threads included: ${spread(addedCpuUs)}`)
}
console.log(`KMS calls of all these operations: ${calls}: ${calls === 0 ? 'PASS' : 'MISS'}`)
keepReport('stack', { results, calls })
if (values.gate && missed > 0) process.exitCode = 1
