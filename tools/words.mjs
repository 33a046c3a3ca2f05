/**
 * `npm run check words`: holds documents, comments and error messages to the rules of tools/vale. vale is built from
 * Go source once per machine. Without Go the step prints why it did not run; in CI that is a failure.
 */
import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { filesIn, markdownFiles } from './lib/doc-blocks.mjs'
import { errorTexts } from './lib/error-texts.mjs'
import { root } from './lib/folders.mjs'
import { scratchFolder } from './lib/pack.mjs'
import { MissingError } from './servers/missing.mjs'
import { ensureVale } from './vale/install.mjs'

/** It plants what the rules refuse. */
const PLANTED = 'tools/check-words.test.mjs'
const CODE = ['src', 'adapters', 'tools', 'test', 'bench', 'examples']
/** Files of one call of vale: an argument list has a limit. */
const BATCH = 400

/** Returns the findings of vale in some files, a line each: `file:line:column:rule:message`. */
export function findings(vale, files, cwd = root) {
  const config = join(root, 'tools/vale/vale.ini')
  const found = []
  for (let from = 0; from < files.length; from += BATCH) {
    const args = ['--config', config, '--output', 'line', ...files.slice(from, from + BATCH)]
    const done = spawnSync(vale, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 28 })
    if (done.status === null || done.status > 1) throw new Error(`vale: ${done.stderr}`)
    found.push(...done.stdout.split('\n').filter((line) => line !== ''))
  }
  return found
}

/** vale reads no strings: the error messages go to a file, a paragraph each. */
function findingsInErrors(vale, paths) {
  const texts = paths.flatMap((path) => errorTexts(path))
  const file = join(scratchFolder('words'), 'errors.md')
  writeFileSync(file, texts.map(({ text }) => `${text}\n\n`).join(''))
  const found = findings(vale, [file], dirname(file)).map((line) => {
    const [, at = '1', , rule, ...message] = line.split(':')
    const { path, line: place } = texts[(Number(at) - 1) >> 1] ?? { path: file, line: at }
    return `${path}:${place}:${rule}:${message.join(':')}`
  })
  rmSync(dirname(file), { recursive: true })
  return { found, count: texts.length }
}

async function check() {
  const vale = await ensureVale()
  const code = CODE.flatMap((folder) =>
    ['.ts', '.mjs'].flatMap((ending) => filesIn(folder, ending)),
  ).filter((path) => path !== PLANTED)
  const documents = [
    ...markdownFiles(),
    ...['test', 'tools', 'bench'].flatMap((folder) => filesIn(folder, '.md')),
  ]
  const errors = findingsInErrors(
    vale,
    code.filter((path) => /^(?:src|adapters)\//.test(path)),
  )
  const found = [...findings(vale, [...documents, ...code]), ...errors.found]
  for (const line of found) console.log(line)
  console.log(
    `words: ${documents.length} documents, ${code.length} files of code, ${errors.count} error messages, ` +
      `${found.length} findings`,
  )
  return found.length === 0 ? 0 : 1
}

async function main() {
  try {
    process.exitCode = await check()
  } catch (error) {
    if (!(error instanceof MissingError)) throw error
    console.log(`words: skipped: ${error.message}`)
    process.exitCode = process.env['CI'] === undefined ? 0 : 1
  }
}

if (process.argv[1] === import.meta.filename) await main()
