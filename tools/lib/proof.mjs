/** Keeps the observations of the lanes, row by row, for docs/proof.md, if `npm run proof` asks for it. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * @typedef {{ name: string, state: 'passed' | 'failed' | 'skipped' }} ProofRow
 * @typedef {{ at: string, rows: readonly ProofRow[] }} ProofPart when it was seen (ISO 8601), and what
 *
 * @param {string} part e.g. `runtime-node24`, `servers`
 * @param {readonly ProofRow[]} rows
 */
export function keepProof(part, rows) {
  const folder = process.env['EDGE_KMS_PROOF']
  if (folder === undefined) return
  mkdirSync(folder, { recursive: true })
  /** @type {ProofPart} */
  const kept = {
    at: new Date().toISOString(),
    rows: rows.map(({ name, state }) => ({ name, state })),
  }
  writeFileSync(join(folder, `${part}.json`), JSON.stringify(kept))
}
