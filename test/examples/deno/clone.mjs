/** `import 'edge-kms'` in a fresh clone: without a build, and with nothing installed. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { binOf, toolEnv } from '../../../tools/lib/folders.mjs'
import { subpaths } from '../../../tools/lib/subpaths.mjs'
import { openClone } from './project.mjs'

/** Only workerd has the module that it imports. */
const ON_WORKERS = './workers/entrypoint'

/** @param {import('../workers/world.mjs').Report} report */
export async function checkClone({ check }) {
  await check('every subpath can be imported by its name in a fresh clone', () => {
    const folder = openClone()
    const names = subpaths
      .filter(({ subpath }) => subpath !== ON_WORKERS)
      .map(({ subpath }) => `edge-kms${subpath.slice(1)}`)
    const lines = names.map((name, i) => `import * as part${i} from '${name}'`)
    const parts = names.map((_, i) => `part${i}`)
    const count = `console.log([${parts.join()}].filter((part) => Object.keys(part).length > 0).length)`
    writeFileSync(join(folder, 'all.ts'), `${lines.join('\n')}\n${count}\n`)
    const done = spawnSync(
      binOf('runtimes/deno', 'deno'),
      ['run', '--no-prompt', '--quiet', 'all.ts'],
      { cwd: folder, env: toolEnv(), encoding: 'utf8' },
    )
    assert.equal(done.stdout.trim(), String(names.length), done.stderr)
  })
}
