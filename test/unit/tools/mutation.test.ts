import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { tmpdir } from 'node:os'
import { expect, onTestFinished, test } from 'vitest'

interface Entry {
  readonly file: string
  readonly line: string
}

const LIST = 'tools/mutation/equivalent.json'

/** Runs the mutation tester in a copy of the repository with changed files, and returns its words. */
function saidAfter(change: (clone: string) => void): { status: number | null; stderr: string } {
  const clone = mkdtempSync(join(tmpdir(), 'edge-kms-mutation-lists-'))
  onTestFinished(() => {
    rmSync(clone, { recursive: true, force: true })
  })
  for (const path of ['tools/mutation.mjs', 'tools/lib/folders.mjs', 'src'])
    cpSync(path, join(clone, path), { recursive: true })
  for (const name of ['folders', 'lists', 'sample', 'score', 'speakers'])
    cpSync(`tools/mutation/${name}.mjs`, join(clone, `tools/mutation/${name}.mjs`))
  cpSync(LIST, join(clone, LIST))
  for (const folder of ['unit', 'kit', 'vectors', 'property'])
    cpSync(`test/${folder}`, join(clone, 'test', folder), { recursive: true })
  change(clone)
  // A folder that the source does not have, and no lock file: nothing is installed and nothing runs.
  const args = ['tools/mutation.mjs', '--only', 'rotation']
  return spawnSync(process.execPath, args, { cwd: clone, encoding: 'utf8' })
}

function edit(path: string, change: (text: string) => string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, change(readFileSync(path, 'utf8')))
}

test.each<[string, (clone: string) => void, string]>([
  [
    'a file that is gone',
    (clone) => {
      edit(join(clone, LIST), (text) => text.replace('src/ciphers/chunked.ts', 'src/ciphers/x.ts'))
    },
    'equivalent.json: no file src/ciphers/x.ts',
  ],
  [
    'a line that is gone',
    (clone) => {
      const [{ file, line }] = JSON.parse(readFileSync(LIST, 'utf8')) as [Entry]
      edit(join(clone, file), (text) => text.replace(line, `${line} //`))
    },
    'equivalent.json: not in src/ciphers/chunked.ts: for (let at = 0',
  ],
  [
    'tests that are gone',
    (clone) => {
      rmSync(join(clone, 'test', 'kit'), { recursive: true })
    },
    'folders.mjs: no test/kit',
  ],
  [
    'a function that is gone',
    (clone) => {
      edit(join(clone, 'src/wire/byte-reader.ts'), (text) => text.replaceAll('malformed', 'broken'))
    },
    'speakers.mjs: no function or class malformed in src',
  ],
])('a mutation list that names %s ends the run', (_, change, said) => {
  const { status, stderr } = saidAfter(change)
  expect(status).toBe(1)
  expect(stderr).toContain(said)
})

test('the lists of the mutation tester name what exists', () => {
  expect(saidAfter(() => undefined).stderr).not.toMatch(/\.json: |\.mjs: no /)
})
