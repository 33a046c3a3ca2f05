/** docs/lessons/deno.md, followed by copying. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { binOf, root, toolEnv } from '../../../tools/lib/folders.mjs'
import { packInto, scratchFolder } from '../../../tools/lib/pack.mjs'
import { freePort } from '../../start/gateway-process.mjs'
import { openShell, stepsOf } from '../lesson-steps.mjs'
import { started, stopped } from '../processes.mjs'

const LESSON = join(root, 'docs/lessons/deno.md')
const NOTE = 'the launch code is 4711\n'

/** @param {import('../workers/world.mjs').Report} report */
export async function checkLesson({ check }) {
  await check('the lesson, followed by copying, decrypts a note after a restart', async () => {
    const folder = scratchFolder('lesson')
    const { tarball } = packInto(folder)
    const { PATH, ...env } = toolEnv()
    const deno = dirname(binOf('runtimes/deno', 'deno'))
    const shell = openShell(folder, {
      ...env,
      ...{ PATH: `${deno}:${PATH}`, EDGE_KMS: tarball, NO_COLOR: '1' },
      npm_config_prefer_offline: 'true',
    })
    const port = String(await freePort())
    /** @type {string[]} */
    const printed = []
    /** @type {import('node:child_process').ChildProcess[]} */
    const servers = []
    try {
      for (const step of stepsOf(readFileSync(LESSON, 'utf8'))) {
        const { file, command = '', background, prints } = step
        const text = step.text.replaceAll('8000', port)
        if (file !== undefined) shell.save(file, text)
        else if (background) {
          await Promise.all(servers.map(stopped)) // Ctrl-C
          servers.push(await started(shell.start(text.trim()), 'Listening on'))
        } else {
          const output = shell.run(text)
          if (prints === undefined) continue
          assert.equal(output, prints, command)
          printed.push(output)
        }
      }
    } finally {
      await Promise.all(servers.map(stopped))
    }
    assert.equal(servers.length, 2)
    assert.equal(printed.filter((output) => output === NOTE).length, 2)
    assert.equal(printed.at(-1), NOTE)
  })
}
