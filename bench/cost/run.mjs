/**
 * `npm run bench:cost -- [--operations 1000000] [--workloads 1-5] [--page]`: KMS calls of a million operations, by running the cipher. See
 * README.md one folder up.
 */
import { parseArgs } from 'node:util'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { node24, root } from '../../tools/lib/folders.mjs'
import { bundle, eachLine, keepReport } from '../lib/child.mjs'
import { writeCostPage } from './page.mjs'

const { values } = parseArgs({
  options: {
    operations: { type: 'string', default: '1000000' },
    workloads: { type: 'string', default: '' },
    page: { type: 'boolean', default: false },
  },
})
const operations = Number(values.operations)
if (!Number.isInteger(operations) || operations < 20 || operations % 20 !== 0) {
  console.error('--operations must be a multiple of 20')
  process.exit(2)
}

const scratch = mkdtempSync(join(tmpdir(), 'edge-kms-bench-'))
const place = join(root, 'bench/results/cost.json')
const before =
  values.workloads !== '' && existsSync(place) ? JSON.parse(readFileSync(place, 'utf8')).rows : []
const rows = []
try {
  const file = await bundle('cost/process.ts', join(scratch, 'process.mjs'))
  await eachLine(node24, [file, String(operations), values.workloads], (line) => {
    const row = JSON.parse(line)
    rows.push(row)
    const calls = `${row.generateDataKey} generateDataKey, ${row.unwrapDataKey} unwrapDataKey`
    console.log(`${row.workload}, ${row.preset}: ${calls}`)
  })
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
const isNew = (one) =>
  !rows.some(({ workload, preset }) => workload === one.workload && preset === one.preset)
keepReport('cost', { operations, rows: [...before.filter(isNew), ...rows] })
if (values.page) writeCostPage()
