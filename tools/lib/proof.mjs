/** What the lanes saw, row by row, for docs/proof.md: kept only where `npm run proof` asks for it. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * @typedef {{ name: string, state: 'passed' | 'failed' | 'skipped' }} ProofRow
 *
 * @param {string} part e.g. `runtime-node24`, `servers`
 * @param {readonly ProofRow[]} rows
 */
export function keepProof(part, rows) {
  const folder = process.env['EDGE_KMS_PROOF']
  if (folder === undefined) return
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, `${part}.json`),
    JSON.stringify(rows.map(({ name, state }) => ({ name, state }))),
  )
}
