// Applies each recorded mutant of test/mutants/*.json to a scratch copy and demands that the test
// which it names fails. First proves that the unchanged tree passes these tests. Usage:
//   node tools/mutants.mjs [id ...] [--lanes=2]
import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync } from 'node:fs'
import { rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const COPIED = ['src', 'test', 'adapters', 'package.json', 'tsconfig.json', 'vitest.config.ts']
// A mutant may loop for ever; that is a kill too, and no test of ours takes nearly as long.
const PATIENCE_MS = 120_000

const only = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const lanes = Number(/--lanes=(\d+)/.exec(process.argv.join(' '))?.[1] ?? 2)
const mutants = readMutants().filter(({ must }) => only.length === 0 || only.includes(must))
if (mutants.length === 0) {
  console.error('no mutant is recorded')
  process.exit(1)
}

const scratch = mkdtempSync(join(tmpdir(), 'edge-kms-mutants-'))
const failures = []
let passed = 0
try {
  const folders = Array.from({ length: Math.min(lanes, mutants.length) }, (_, i) => makeCopy(i))
  await proveUnchanged(folders[0])
  const queue = [...mutants]
  await Promise.all(folders.map((folder) => workLane(folder, queue)))
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
for (const failure of failures) console.error(`  ${failure}`)
console.log(`mutants: ${passed} passed, ${failures.length} failed`)
process.exitCode = failures.length > 0 ? 1 : 0

function readMutants() {
  const folder = join(ROOT, 'test', 'mutants')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')))
}

function makeCopy(lane) {
  const folder = join(scratch, String(lane))
  for (const name of COPIED) {
    const from = join(ROOT, name)
    if (!existsSync(from)) continue
    const filter = (path) => !path.slice(ROOT.length).includes('node_modules')
    cpSync(from, join(folder, name), { recursive: true, filter })
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

/** A test that fails without a mutant, or that no title names, would count as a kill. */
async function proveUnchanged(folder) {
  const files = [...new Set(mutants.map(({ test }) => test))]
  const report = await runTests(folder, files)
  const failed = report.tests.filter(({ status }) => status === 'failed')
  if (report.broken || failed.length > 0) {
    for (const { title } of failed) console.error(`  fails without a mutant: ${title}`)
    throw new Error('the unchanged tree does not pass')
  }
  for (const { must, test } of mutants) {
    const named = report.tests.filter((row) => row.file === test && namesId(row.title, must))
    if (!named.some(({ status }) => status === 'passed')) {
      failures.push(`${must}: no test in ${test} has it in its title and passes unchanged`)
    }
  }
}

async function workLane(folder, queue) {
  for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
    const problem = await tryMutant(folder, mutant)
    if (problem === undefined) passed += 1
    else failures.push(`${mutant.must}: ${problem}`)
  }
}

async function tryMutant(folder, { must, file, find, replace, and, test }) {
  const path = join(folder, file)
  const text = readFileSync(path, 'utf8')
  let changed = text
  // A rule that is enforced twice is removed twice.
  for (const edit of [{ find, replace }, ...(and === undefined ? [] : [and])]) {
    if (text.split(edit.find).length !== 2) return `its text does not occur exactly once in ${file}`
    changed = changed.replace(edit.find, () => edit.replace)
  }
  writeFileSync(path, changed)
  try {
    const report = await runTests(folder, [test], must)
    if (report.timedOut) return undefined
    const named = report.tests.filter((row) => namesId(row.title, must))
    if (named.some(({ status }) => status === 'failed')) return undefined
    return report.broken ? `breaks ${test} before a test runs` : `survives ${test}`
  } finally {
    writeFileSync(path, text)
  }
}

function namesId(title, id) {
  return new RegExp(`\\b${id.replace('.', '\\.')}\\b`).test(title)
}

/** Runs vitest over some files in a folder, and reads its JSON report. */
async function runTests(folder, files, id) {
  const output = join(folder, 'report.json')
  rmSync(output, { force: true })
  const pattern = id === undefined ? [] : ['-t', `\\b${id.replace('.', '\\.')}\\b`]
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs')
  const flags = ['--reporter=json', `--outputFile=${output}`, '--maxWorkers=1']
  const child = spawn(nodeBinary(), [vitest, 'run', ...files, ...pattern, ...flags], {
    cwd: folder,
    stdio: 'ignore',
  })
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    child.kill('SIGKILL')
  }, PATIENCE_MS)
  await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', resolve)
  })
  clearTimeout(timer)
  if (!existsSync(output)) return { tests: [], broken: true, timedOut }
  const report = JSON.parse(readFileSync(output, 'utf8'))
  const tests = report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ fullName, status }) => {
      return { file: name.slice(name.indexOf('/test/') + 1), title: fullName, status }
    }),
  )
  const ran = tests.filter(({ status }) => status === 'passed' || status === 'failed')
  return { tests, broken: ran.length === 0, timedOut }
}

/** The tool may run on an older Node than vitest wants; the one of the package is used then. */
function nodeBinary() {
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath
  return join(ROOT, 'node_modules', '.bin', 'node')
}
