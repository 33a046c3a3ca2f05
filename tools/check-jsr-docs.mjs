/**
 * Checks what JSR scores of the documentation: every entry of deno.json has a module doc, and at least 95 % of the exported
 * symbols have a doc comment. Slow types are for `deno publish --dry-run`.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { binOf, root, toolEnv } from './lib/folders.mjs'
import { scratchFolder } from './lib/pack.mjs'
import { subpaths } from './lib/subpaths.mjs'

const LEAST = 0.95

/** @typedef {{ jsDoc?: { doc?: string, tags?: unknown[] } }} Documented */
/** @typedef {{ module_doc?: { doc?: string }, symbols: { name: string, declarations: Documented[] }[] }} Entry */

/** @param {string} cwd @param {readonly string[]} files @returns {Record<string, Entry>} */
function entriesOf(cwd, files) {
  const done = spawnSync(binOf('runtimes/deno', 'deno'), ['doc', '--json', ...files], {
    cwd,
    env: toolEnv(),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (done.status !== 0) throw new Error(`deno doc: ${done.stderr}`)
  return JSON.parse(done.stdout).nodes
}

/** @param {Documented} declaration */
const isDocumented = ({ jsDoc }) => (jsDoc?.doc ?? '') !== '' || (jsDoc?.tags ?? []).length > 0

/** @param {Record<string, Entry>} entries @param {number} expected */
function judge(entries, expected) {
  const names = Object.keys(entries)
  const symbols = Object.entries(entries).flatMap(([url, { symbols: found }]) =>
    found.map(({ name, declarations }) => ({ url, name, ok: declarations.some(isDocumented) })),
  )
  const without = symbols.filter(({ ok }) => !ok)
  const share = symbols.length === 0 ? 0 : 1 - without.length / symbols.length
  const problems = names
    .filter((url) => (entries[url]?.module_doc?.doc ?? '') === '')
    .map((url) => `${url} has no module doc: a comment with @module on top`)
  if (names.length !== expected)
    problems.push(`deno doc knows ${names.length} of ${expected} entries`)
  if (share < LEAST) {
    problems.push(`${(share * 100).toFixed(1)} % of the symbols are documented, expected 95 %`)
    problems.push(...without.map(({ url, name }) => `${url}: ${name} has no doc comment`))
  }
  return { problems, symbols: symbols.length, documented: symbols.length - without.length }
}

const sources = subpaths.map(({ source }) => source)
const { problems, symbols, documented } = judge(entriesOf(root, sources), sources.length)

// A control: a module without a module doc, with 9 of 10 symbols documented, is refused for both.
const scratch = scratchFolder('jsr-docs')
mkdirSync(scratch, { recursive: true })
const lines = Array.from({ length: 10 }, (_, i) =>
  i === 0 ? 'export const bare = 0' : `/** Documented. */\nexport const made${i} = ${i}`,
)
writeFileSync(join(scratch, 'planted.ts'), `${lines.join('\n')}\n`)
const planted = judge(entriesOf(scratch, ['planted.ts']), 1)
if (planted.problems.length !== 3)
  problems.push(`the control is refused for ${planted.problems.join('; ') || 'nothing'}`)

for (const problem of problems) console.log(problem)
console.log(`${documented} of ${symbols} exported symbols documented, ${sources.length} entries`)
process.exitCode = problems.length === 0 ? 0 : 1
