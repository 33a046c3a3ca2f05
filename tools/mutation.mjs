/**
 * Changes the source in small ways, one at a time, and asks the tests whether they notice (R36).
 *
 *   npm run mutation -- [--only wire,ciphers] [--percent 100] [--seed 1] [--least 85]
 *
 * Stryker makes the mutants and runs them. Left out are: words of errors, what runs once at import
 * (Stryker cannot switch it on later), and tools/mutation/equivalent.json.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureFolder, node24, root, run, toolEnv } from './lib/folders.mjs'
import { FOLDERS } from './mutation/folders.mjs'
import { unusedEntries, whatIsGone } from './mutation/lists.mjs'
import { scoreOf } from './mutation/score.mjs'

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    percent: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    least: { type: 'string', default: '85' },
    lanes: { type: 'string', default: '2' },
  },
})
const wanted = values.only?.split(',') ?? Object.keys(FOLDERS)
for (const name of wanted) if (!(name in FOLDERS)) throw new TypeError(`no folder ${name}`)
const gone = whatIsGone()
if (gone.length > 0) {
  for (const line of gone) console.error(`  ${line}`)
  console.error('mutation: the lists name what is gone: mend or delete them')
  process.exit(1)
}
const here = ensureFolder('mutation')
const scratch = mkdtempSync(join(tmpdir(), 'edge-kms-mutation-'))
let failed = 0
let passed = 0
try {
  for (const name of wanted.filter((one) => existsSync(join(root, 'src', one)))) {
    if (judge(name, mutate(name))) passed += 1
    else failed += 1
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
console.log(`mutation: ${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

/** Runs Stryker over one folder and returns its report. */
function mutate(name) {
  const report = join(scratch, `${name}.json`)
  const choice = {
    root,
    seed: values.seed,
    percent: Number(values.percent),
    tests: FOLDERS[name],
  }
  const env = {
    ...toolEnv(),
    EDGE_KMS_MUTATION: JSON.stringify(choice),
    EDGE_KMS_MUTATION_RUN: JSON.stringify({ name, report, scratch, lanes: Number(values.lanes) }),
  }
  const stryker = join(here, 'node_modules', '@stryker-mutator', 'core', 'bin', 'stryker.js')
  const code = run(node24, [stryker, 'run', join(here, 'stryker.config.mjs')], { env })
  if (code !== 0 || !existsSync(report)) throw new Error(`Stryker ended with ${code}`)
  return JSON.parse(readFileSync(report, 'utf8'))
}

function judge(name, report) {
  const { score, low, high, killed, tried, all, equivalent, survivors, statuses } = scoreOf(report)
  const unused = unusedEntries(name, statuses)
  for (const line of unused) console.log(`  ${line}`)
  for (const { file, line, what } of survivors) console.log(`  survives: ${file}:${line} ${what}`)
  console.log(
    `${name}: ${score.toFixed(1)} % (95 %: ${low.toFixed(1)} to ${high.toFixed(1)}), ` +
      `${killed} of ${tried} killed, ${all} mutants in all, ${equivalent} equivalent`,
  )
  return score >= Number(values.least) && unused.length === 0
}
