/**
 * The tables of docs/reference that the code decides: between `<!-- made: NAME -->` and `<!-- end -->`.
 * `node tools/reference.mjs` writes them, `--check` compares.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './lib/folders.mjs'
import { columnTables } from './reference/columns.mjs'
import { configurationTables } from './reference/configuration.mjs'
import { limitTables } from './reference/limits.mjs'
import { metricTables } from './reference/metrics.mjs'
import { withTables } from './reference/table.mjs'

/** @type {Record<string, () => Record<string, string> | Promise<Record<string, string>>>} */
const pages = {
  'docs/reference/configuration.md': configurationTables,
  'docs/reference/metrics.md': metricTables,
  'docs/reference/limits.md': limitTables,
  'docs/reference/column-sizes.md': columnTables,
}

for (const [page, tablesOf] of Object.entries(pages)) {
  const path = join(root, page)
  const before = readFileSync(path, 'utf8')
  const after = withTables(page, before, await tablesOf())
  if (!process.argv.includes('--check')) {
    writeFileSync(path, after)
  } else if (after !== before) {
    console.log(`${page} is not that of the code: run node tools/reference.mjs`)
    process.exitCode = 1
  } else {
    console.log(`ok ${page}`)
  }
}
