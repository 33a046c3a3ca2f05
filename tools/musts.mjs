// Traces the MUSTs of docs/wire-format.md: each is cited by the code that enforces it, by a test that
// breaks it, and by one recorded mutant in test/mutants/wire.json. Fails when one is missing.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const DOC = 'docs/wire-format.md'
const MUTANTS = 'test/mutants/wire.json'
const ID = /\bW\d+\.\d+\b/g

const musts = parseMusts(readFileSync(join(ROOT, DOC), 'utf8'))
const code = citations(['src'], (line) => comment(line))
const tests = citations(['test'], (line) => comment(line) + title(line))
const mutants = readMutants()

const problems = []
for (const id of musts.keys()) {
  if (!code.has(id)) problems.push(`${id} is cited by no file in src`)
  if (!tests.has(id)) problems.push(`${id} is cited by no test`)
  const count = mutants.filter((mutant) => mutant.must === id).length
  if (count !== 1) problems.push(`${id} has ${count} recorded mutants, not 1`)
}
for (const [id, files] of [...code, ...tests]) {
  if (!musts.has(id)) problems.push(`${id} is not in ${DOC} but cited in ${[...files].join(', ')}`)
}
for (const { must, file, find, and, test } of mutants) {
  if (!musts.has(must)) problems.push(`the mutant of ${must} is for no MUST`)
  const text = read(file)
  for (const part of and === undefined ? [find] : [find, and.find]) {
    const times = text === undefined ? -1 : text.split(part).length - 1
    if (times !== 1) problems.push(`the mutant of ${must} is found ${times} times in ${file}`)
  }
  if (!tests.get(must)?.has(test))
    problems.push(`${test} does not cite ${must}, which its mutant names`)
}

print()
if (problems.length > 0) {
  console.error(problems.map((problem) => `  ${problem}`).join('\n'))
  console.error(`musts: ${problems.length} problems`)
  process.exit(1)
}

/** Ids in order of the document; a repeated id or a gap in the numbers is an error of the document. */
function parseMusts(markdown) {
  const found = new Map()
  const next = new Map()
  for (const match of markdown.matchAll(/^- \*\*\[(W(\d+)\.(\d+))\]\*\*( \(library\))? /gm)) {
    const [, id, section, number, library] = match
    const expected = (next.get(section) ?? 0) + 1
    if (Number(number) !== expected)
      throw new Error(`${DOC}: ${id} where W${section}.${expected} is due`)
    next.set(section, expected)
    found.set(id, { section, library: library !== undefined })
  }
  if (found.size === 0) throw new Error(`${DOC} has no MUSTs`)
  return found
}

/** id -> files that cite it. */
function citations(folders, textOf) {
  const found = new Map()
  for (const file of folders.flatMap((folder) => sources(folder))) {
    for (const line of readFileSync(join(ROOT, file), 'utf8').split('\n')) {
      for (const [id] of textOf(line).matchAll(ID)) {
        if (!found.has(id)) found.set(id, new Set())
        found.get(id).add(file)
      }
    }
  }
  return found
}

function sources(folder) {
  if (!existsSync(join(ROOT, folder))) return []
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.m?ts$/.test(entry.name))
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(ROOT.length + 1)
        .replaceAll('\\', '/'),
    )
}

/** The comment on a line: after `//`, or a line of a block comment. */
function comment(line) {
  const match = /(?:^|[^:])\/\/(.*)$/.exec(line) ?? /^\s*\/?\*+(.*)$/.exec(line)
  return match === null ? '' : match[1]
}

/** A string that begins with ids: the title of a test. */
function title(line) {
  return [...line.matchAll(/['"`]((?:W\d+\.\d+[ ,:]*)+)/g)].map((match) => ` ${match[1]}`).join(' ')
}

function read(file) {
  return existsSync(join(ROOT, file)) ? readFileSync(join(ROOT, file), 'utf8') : undefined
}

function readMutants() {
  const text = read(MUTANTS)
  return text === undefined ? [] : JSON.parse(text)
}

function print() {
  const sections = new Map()
  for (const [id, { section, library }] of musts) {
    const row = sections.get(section) ?? { musts: 0, library: 0, code: 0, tests: 0, mutants: 0 }
    row.musts += 1
    row.library += library ? 1 : 0
    row.code += code.has(id) ? 1 : 0
    row.tests += tests.has(id) ? 1 : 0
    row.mutants += mutants.some((mutant) => mutant.must === id) ? 1 : 0
    sections.set(section, row)
  }
  const sum = { musts: 0, library: 0, code: 0, tests: 0, mutants: 0 }
  for (const row of sections.values()) for (const key of Object.keys(sum)) sum[key] += row[key]
  console.log('section  MUSTs  in code  in tests  mutants  library')
  for (const [name, row] of [...sections, ['all', sum]]) {
    const cells = [row.musts, row.code, row.tests, row.mutants, row.library]
    const widths = [7, 9, 10, 9, 9]
    console.log(name.padEnd(7) + cells.map((cell, i) => String(cell).padStart(widths[i])).join(''))
  }
}
