/** docs/lessons/workers.md, followed by copying, under `wrangler dev`. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root, toolEnv } from '../../../tools/lib/folders.mjs'
import { packInto, scratchFolder } from '../../../tools/lib/pack.mjs'
import { freePort } from '../../start/gateway-process.mjs'
import { openShell, stepsOf } from '../lesson-steps.mjs'

const LESSON = join(root, 'docs/lessons/workers.md')
const READY_MS = 60_000

/** @param {import('./world.mjs').Report} report */
export async function checkLesson({ check }) {
  await check(
    'the lesson, followed by copying, ends with a decrypted row and a range of a file',
    async () => {
      const folder = scratchFolder('lesson')
      const { tarball } = packInto(folder)
      const shell = openShell(folder, {
        ...toolEnv(),
        ...{ EDGE_KMS: tarball, CI: '1', npm_config_prefer_offline: 'true' },
      })
      const port = String(await freePort())
      /** @type {string[]} */
      const printed = []
      /** @type {import('node:child_process').ChildProcess[]} */
      const background = []
      try {
        for (const { file, command = '', background: goesOn, prints, text } of stepsOf(
          readFileSync(LESSON, 'utf8'),
        )) {
          const local = command.replaceAll('8787', port)
          if (file !== undefined) shell.save(file, text)
          else if (goesOn) background.push(await started(shell.start(local.trim())))
          else {
            const output = shell.run(local)
            if (prints === undefined) continue
            assert.equal(output, prints, command)
            printed.push(output)
          }
        }
      } finally {
        await Promise.all(background.map(stopped))
      }
      assert.ok(printed.includes('DE89 3704 0044 0532 0130 00\n'))
      assert.ok(printed.includes('1500000\n1500001\n'))
      assert.equal(printed.at(-1), '416\n')
    },
  )
}

/**
 * Waits until a process of the lesson says that it is ready.
 *
 * @param {import('node:child_process').ChildProcess} child
 */
async function started(child) {
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (/** @type {Buffer} */ data) => {
      output += data.toString()
    })
  }
  const end = Date.now() + READY_MS
  while (!output.includes('Ready on')) {
    if (Date.now() > end || child.exitCode !== null) {
      await stopped(child)
      throw new Error(`wrangler dev does not start: ${output}`)
    }
    await sleep(100)
  }
  return child
}

/**
 * Stops a process of the lesson with all that it started.
 *
 * @param {import('node:child_process').ChildProcess} child
 */
async function stopped(child) {
  if (child.pid === undefined || child.exitCode !== null) return
  const closed = once(child, 'close')
  process.kill(-child.pid, 'SIGTERM')
  await closed
}
