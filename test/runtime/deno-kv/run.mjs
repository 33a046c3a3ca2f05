/** The stores on Deno KV, in Deno: their contracts, two processes that race, and some that are killed. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { binOf, root, toolEnv } from '../../../tools/lib/folders.mjs'
import { killWriters, raceTwo } from '../../support/race/processes.ts'
import { printTable, runCases } from '../runners/report.mjs'

const pathOf = (name) => fileURLToPath(new URL(name, import.meta.url))
const flags = ['run', '--unstable-kv', '--allow-all', '--no-remote', '--no-lock', '--quiet']
const links = 100
const delaysMs = [0, 0, 1, 5, 50]

/**
 * @param {string} scratch a folder for what it writes
 * @returns {Promise<object[]>} the table of all cases
 */
export async function runDenoKv(scratch) {
  const deno = binOf('runtimes/deno', 'deno')
  const database = join(scratch, 'deno-kv.sqlite')
  const tablePath = join(scratch, 'deno-kv.table.json')
  const run = (name, args) =>
    spawnSync(deno, [...flags, pathOf(name), ...args], {
      cwd: root,
      env: toolEnv(),
      stdio: ['ignore', 'pipe', 'inherit'],
      encoding: 'utf8',
    })
  const contracts = run('contracts.mjs', [tablePath, database])
  process.stdout.write(contracts.stdout)
  if (contracts.status !== 0 && contracts.status !== 1) throw new Error('the contracts died')

  const program = { command: deno, args: [...flags, pathOf('chain.child.mjs'), database] }
  const link = async () => run('link.mjs', [database, 'crash']).stdout
  const races = await runCases([
    {
      name: 'two processes race: each link has one winner',
      run: async () => {
        const { won, lost, busy } = await raceTwo(program, 'race', links)
        console.log(`deno-kv: ${won.join(' and ')} links won, ${lost} lost, ${busy} busy`)
      },
    },
    {
      name: 'a process is killed in a write: before or after, never a third',
      run: async () => {
        const found = await killWriters(program, 'crash', link, delaysMs)
        console.log(`deno-kv: ${found.before} writes did not arrive, ${found.after} did`)
      },
    },
  ])
  printTable('deno-kv races', races)
  return [...JSON.parse(readFileSync(tablePath, 'utf8')), ...races]
}
