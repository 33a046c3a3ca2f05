/** Checks the lists of this folder against the source: an entry for what is gone would hide nothing and help nobody. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../lib/folders.mjs'
import { EXCLUDED, FOLDERS } from './folders.mjs'
import { EQUIVALENT, reasonOf } from './sample.mjs'
import { SPEAKERS } from './speakers.mjs'

/** @returns a line for each entry whose file, text, folder or function does not exist */
export function whatIsGone() {
  return [...goneEntries(), ...goneTests(), ...goneSpeakers()]
}

/** @returns a line for each equivalent mutant of a folder that Stryker did not make */
export function unusedEntries(name, statuses) {
  const made = new Set(statuses)
  return EQUIVALENT.filter(
    (entry) => entry.file.startsWith(`src/${name}/`) && !made.has(reasonOf(entry)),
  ).map(({ file, line }) => `equivalent.json: no such mutant in ${file}: ${line}`)
}

function goneEntries() {
  return EQUIVALENT.flatMap(({ file, line }) => {
    const path = join(root, file)
    if (!existsSync(path)) return [`equivalent.json: no file ${file}`]
    const lines = readFileSync(path, 'utf8').split('\n')
    return lines.some((one) => one.trim() === line)
      ? []
      : [`equivalent.json: not in ${file}: ${line}`]
  })
}

/** A folder of the source that is not built yet needs no tests. */
function goneTests() {
  const named = Object.entries(FOLDERS)
    .filter(([name]) => existsSync(join(root, 'src', name)))
    .flatMap(([, tests]) => tests)
  return [...named, ...EXCLUDED]
    .filter((path) => !existsSync(join(root, 'test', path)))
    .map((path) => `folders.mjs: no test/${path}`)
}

function goneSpeakers() {
  const source = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => readFileSync(join(root, 'src', path), 'utf8'))
    .join('\n')
  return SPEAKERS.filter((name) => !new RegExp(`(function|class) ${name}\\b`).test(source)).map(
    (name) => `speakers.mjs: no function or class ${name} in src`,
  )
}
