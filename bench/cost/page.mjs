/** Writes the counted calls into docs/operate/capacity-and-cost.md. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../tools/lib/folders.mjs'
import { table, writeParts } from '../lib/marked-page.mjs'

/** US dollars for a call: the price of AWS and Google. */
const PRICE = 0.03 / 10_000
const MILLION = 1_000_000
const money = (dollars) => (dollars < 0.001 ? 'under $0.001' : `$${dollars.toFixed(3)}`)

export function writeCostPage() {
  const { rows } = JSON.parse(readFileSync(join(root, 'bench/results/cost.json'), 'utf8'))
  const presets = [...new Set(rows.map(({ preset }) => preset))].filter((one) => one !== 'no cache')
  const workloads = [...new Set(rows.map(({ workload }) => workload))]
  const cell = (workload, preset) => {
    const row = rows.find((one) => one.workload === workload && one.preset === preset)
    const counted = row.generateDataKey + row.unwrapDataKey
    const calls = Math.round((counted * MILLION) / row.operations)
    const mark = row.operations === MILLION ? '' : '*'
    return `${calls.toLocaleString('en')}${mark} (${money(calls * PRICE)})`
  }
  const made = table(
    ['KMS calls of 1,000,000 operations', ...presets],
    workloads.map((workload) => [workload, ...presets.map((preset) => cell(workload, preset))]),
  )
  const fewer = rows.find(({ preset, operations }) => preset !== 'no cache' && operations < MILLION)
  const note =
    fewer === undefined
      ? ''
      : `\n\n\\* Counted over ${fewer.operations.toLocaleString('en')} operations, and scaled.`
  writeParts('docs/operate/capacity-and-cost.md', { cost: made + note })
}
