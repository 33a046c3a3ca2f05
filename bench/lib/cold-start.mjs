/** Imports in processes that have loaded nothing else, by turns, for `bench:import` and `bench:lambda`. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { node24, root, run, toolEnv } from '../../tools/lib/folders.mjs'

/** Returns the options of the command, with a package that is built. Ends the process if they are wrong. */
export function coldStartOptions() {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '31' },
      gate: { type: 'boolean', default: false },
    },
  })
  const runs = Number(values.runs)
  if (!Number.isInteger(runs) || runs < 15) {
    console.error('--runs must be an integer of at least 15')
    process.exit(2)
  }
  if (run(node24, [join(root, 'tools/build.mjs')]) !== 0) throw new Error('the build failed')
  return { runs, gate: values.gate }
}

/** Returns the JSON value that a program prints, run in a process of its own. */
export function runAlone(folder, code) {
  writeFileSync(join(folder, 'main.mjs'), code)
  const done = spawnSync(node24, ['main.mjs'], { cwd: folder, env: toolEnv(), encoding: 'utf8' })
  if (done.status !== 0) throw new Error(done.stderr)
  return JSON.parse(done.stdout)
}

/** Measures two things by turns, after one round for the disk's cache. */
export function byTurns(runs, first, second) {
  first()
  second()
  const rounds = Array.from({ length: runs }, () => [first(), second()])
  return [rounds.map(([one]) => one), rounds.map(([, other]) => other)]
}

export function quartiles(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b)
  return [0.25, 0.5, 0.75].map((part) => sorted[Math.floor((sorted.length - 1) * part)])
}
