/** A rotation's source on bun:sqlite, in Bun, from the source. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { binOf, root, toolEnv } from '../../../tools/lib/folders.mjs'

/**
 * @param {string} scratch a folder for what it writes
 * @returns {object[]} the table of all cases
 */
export function runBunSqlite(scratch) {
  const contract = fileURLToPath(new URL('contract.mjs', import.meta.url))
  const tablePath = join(scratch, 'bun-sqlite.table.json')
  const args = ['run', contract, tablePath, join(scratch, 'bun-sqlite.sqlite')]
  const done = spawnSync(binOf('runtimes/bun', 'bun'), args, {
    cwd: root,
    env: toolEnv(),
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (done.status !== 0 && done.status !== 1) throw new Error('the contract died')
  return JSON.parse(readFileSync(tablePath, 'utf8'))
}
