/** The table of docs/faults.md: what was seen, written there and compared with it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../../tools/lib/folders.mjs'

/**
 * The observations of one fault in front of one server.
 *
 * @typedef {{ first: string, circuit: string, cached: string, after: string }} Seen
 */

const FILE = join(root, 'docs', 'faults.md')
const HEAD = '| Fault | KMS call | Open circuit | Keys in memory | After the fault |'
/** @type {readonly (keyof Seen)[]} */
const COLUMNS = ['first', 'circuit', 'cached', 'after']

const inCode = (text) => text.replaceAll(/\bERR_\w+/g, '`$&`')

/** Returns one cell: if servers differ, it names each. @param {Record<string, Seen>} byServer @param {keyof Seen} column */
function cell(byServer, column) {
  const seen = Object.entries(byServer).map(([server, row]) => ({ server, text: row[column] }))
  const [one] = new Set(seen.map(({ text }) => text))
  if (seen.every(({ text }) => text === one)) return inCode(one)
  return inCode(seen.map(({ server, text }) => `${server}: ${text}`).join('; '))
}

/** @param {string} fault @param {Record<string, Seen>} byServer */
export const rowOf = (fault, byServer) =>
  `| ${[fault, ...COLUMNS.map((column) => cell(byServer, column))].join(' | ')} |`

/** The rows that the document has. @returns {readonly string[]} */
export function documentedRows() {
  const [, after = ''] = readFileSync(FILE, 'utf8').split(HEAD)
  const lines = after.split('\n').slice(2)
  return lines.slice(0, lines.indexOf(''))
}

/** @param {readonly string[]} rows */
export function writeRows(rows) {
  const text = readFileSync(FILE, 'utf8')
  const old = documentedRows().join('\n')
  if (old === '') throw new Error('docs/faults.md has no table to write to')
  writeFileSync(
    FILE,
    text.replace(old, () => rows.join('\n')),
  )
}
