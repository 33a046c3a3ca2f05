/**
 * Plants each bug of test/simulation/bugs.json and of the bugs.json of each other world in a copy of the source and demands that its
 * seed breaks the rule that it names, and that the same seed is well without it.
 *
 *   npm run sim:bugs -- [name ...] [--find N]     with --find, which of the first N seeds catch it
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { node24, root } from './lib/folders.mjs'

const bugsOf = (world, ...path) =>
  JSON.parse(readFileSync(join(root, 'test', 'simulation', ...path), 'utf8')).map((bug) => ({
    world,
    ...bug,
  }))
const BUGS = [
  ...bugsOf('ciphers', 'bugs.json'),
  ...bugsOf('outages', 'outages', 'bugs.json'),
  ...bugsOf('customers', 'customers', 'bugs.json'),
  ...bugsOf('rotation', 'rotation', 'bugs.json'),
]
const find = Number(/--find[= ](\d+)/.exec(process.argv.join(' '))?.[1] ?? 0)
const names = process.argv.slice(2).filter((one) => !/^(--|\d)/.test(one))
const chosen = BUGS.filter(({ name }) => names.length === 0 || names.includes(name))

const scratch = mkdtempSync(join(tmpdir(), 'edge-kms-bugs-'))
const failures = []
try {
  for (const part of ['src', 'package.json', 'test/simulation']) {
    cpSync(join(root, part), join(scratch, part), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(scratch, 'node_modules'))
  for (const bug of chosen) tryBug(bug)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
for (const failure of failures) console.error(`  ${failure}`)
console.log(`bugs: ${chosen.length - failures.length} passed, ${failures.length} failed`)
process.exitCode = failures.length === 0 && chosen.length > 0 ? 0 : 1

function tryBug(bug) {
  const problem = find > 0 ? search(bug) : catchIt(bug)
  if (problem !== undefined) failures.push(`${bug.name}: ${problem}`)
}

function catchIt({ name, world, edits, seed, rule }) {
  const well = play(world, ['--seed', String(seed)])
  if (well.status !== 0) return `seed ${seed} fails without it`
  const sick = withEdits(edits, () => play(world, ['--seed', String(seed)]))
  if (typeof sick === 'string') return sick
  if (!sick.stdout.includes(`  ${rule}: `)) return `seed ${seed} does not catch it by ${rule}`
  console.log(`caught: ${name}, by seed ${seed}, which says ${rule}`)
  return undefined
}

function search({ name, world, edits }) {
  const sick = withEdits(edits, () => play(world, ['--count', String(find)]))
  if (typeof sick === 'string') return sick
  const caught = [...sick.stdout.matchAll(/ {2}(\w+): (.*)\n(?: {2}.*\n)*FAILED: .* (\d+)\n/g)]
  for (const [, rule, text, seed] of caught.slice(0, 4)) {
    console.log(`${name}: seed ${seed} says ${rule}: ${text}`)
  }
  return caught.length === 0 ? `no seed below ${find + 1} catches it` : undefined
}

/** Returns the answer of `work` while the edits are in place, or the reason why they do not fit. */
function withEdits(edits, work) {
  const kept = new Map()
  try {
    for (const edit of edits) {
      const path = join(scratch, edit.file)
      const text = readFileSync(path, 'utf8')
      if (text.split(edit.find).length !== 2) return `its text is not once in ${edit.file}`
      if (!kept.has(path)) kept.set(path, text)
      writeFileSync(
        path,
        text.replace(edit.find, () => edit.replace),
      )
    }
    return work()
  } finally {
    for (const [path, text] of kept) writeFileSync(path, text)
  }
}

function play(world, args) {
  const main = join(scratch, 'test', 'simulation', 'main.ts')
  return spawnSync(node24, [main, '--world', world, ...args], {
    cwd: scratch,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
}
