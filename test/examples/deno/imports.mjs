/** `import 'edge-kms'` as README writes it: in a fresh clone without a build, and with the tarball installed. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { blocksOf } from '../../../tools/lib/doc-blocks.mjs'
import { binOf, toolEnv } from '../../../tools/lib/folders.mjs'
import { subpaths } from '../../../tools/lib/subpaths.mjs'
import { openClone } from './project.mjs'

/** Only workerd has the module that it imports. */
const ON_WORKERS = './workers/entrypoint'
const KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString('base64')

/** @param {string} folder @param {string} code @param {string[]} flags */
function run(folder, code, flags = []) {
  writeFileSync(join(folder, 'program.ts'), code)
  const done = spawnSync(
    binOf('runtimes/deno', 'deno'),
    ['run', '--no-prompt', '--quiet', ...flags, 'program.ts'],
    { cwd: folder, env: { ...toolEnv(), EDGE_KMS_KEY_V1: KEY }, encoding: 'utf8' },
  )
  assert.equal(done.status, 0, done.stderr)
  return done.stdout.trim()
}

/** README's first field, which Deno runs as Node does. @param {string} folder */
function runReadme(folder) {
  const [block] = blocksOf('README.md').filter((one) => one.run !== undefined)
  const code = block?.code ?? ''
  const expected = [...code.matchAll(/^console\.log\(.*\) \/\/ (.*)$/gm)].map(([, text]) => text)
  assert.notEqual(expected.length, 0)
  assert.equal(run(folder, code, ['--allow-env']), expected.join('\n'))
}

/**
 * @param {import('../workers/world.mjs').Report} report
 * @param {string} installed a folder with the tarball installed
 */
export async function checkImports({ check }, installed) {
  const clone = openClone()
  await check("README's first field runs on Deno in a fresh clone", () => runReadme(clone))
  await check("README's first field runs on Deno with the tarball", () => runReadme(installed))
  await check('every subpath can be imported by its name in a fresh clone', () => {
    const names = subpaths
      .filter(({ subpath }) => subpath !== ON_WORKERS)
      .map(({ subpath }) => `edge-kms${subpath.slice(1)}`)
    const lines = names.map((name, i) => `import * as part${i} from '${name}'`)
    const parts = names.map((_, i) => `part${i}`)
    const count = `console.log([${parts.join()}].filter((part) => Object.keys(part).length > 0).length)`
    assert.equal(run(clone, `${lines.join('\n')}\n${count}\n`), String(names.length))
  })
}
