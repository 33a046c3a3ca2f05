/** Writes the counted calls into docs/operate/capacity-and-cost.md. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../tools/lib/folders.mjs'
import { table, writeParts } from '../lib/marked-page.mjs'

/** US dollars for a call: the price of AWS and Google. */
const PRICE = 0.03 / 10_000

export function writeCostPage() {
  const { rows } = JSON.parse(readFileSync(join(root, 'bench/results/cost.json'), 'utf8'))
  const presets = [...new Set(rows.map(({ preset }) => preset))].filter((one) => one !== 'no cache')
  const workloads = [...new Set(rows.map(({ workload }) => workload))]
  const cell = (workload, preset) => {
    const row = rows.find((one) => one.workload === workload && one.preset === preset)
    const calls = row.generateDataKey + row.unwrapDataKey
    return `${calls.toLocaleString('en')} ($${(calls * PRICE).toFixed(3)})`
  }
  const counted = table(
    ['KMS calls of 1,000,000 operations', ...presets],
    workloads.map((workload) => [workload, ...presets.map((preset) => cell(workload, preset))]),
  )
  writeParts('docs/operate/capacity-and-cost.md', { cost: counted })
}
