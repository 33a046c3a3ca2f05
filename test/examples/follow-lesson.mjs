/** Follows a lesson by copying, from an empty folder, and compares what it says that its commands print. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root, toolEnv } from '../../tools/lib/folders.mjs'
import { packInto, scratchFolder } from '../../tools/lib/pack.mjs'
import { openShell, stepsOf } from './lesson-steps.mjs'

const READY_MS = 60_000

/**
 * Returns what the commands printed of which the lesson says it.
 *
 * @param {string} name of the file in docs/lessons
 * @param {object} options
 * @param {string} options.ready what a process in the background prints when it is ready
 * @param {(command: string) => string} options.local puts this run's ports into a command
 * @param {NodeJS.ProcessEnv} [options.env]
 */
export async function followLesson(name, { ready, local, env = {} }) {
  const folder = scratchFolder('lesson')
  const { tarball } = packInto(folder)
  const common = { EDGE_KMS: tarball, CI: '1', npm_config_prefer_offline: 'true' }
  const shell = openShell(folder, { ...toolEnv(), ...common, ...env })
  const steps = stepsOf(readFileSync(join(root, 'docs/lessons', name), 'utf8'))
  /** @type {string[]} */
  const printed = []
  /** @type {import('node:child_process').ChildProcess[]} */
  const background = []
  try {
    for (const { file, command = '', background: goesOn, prints, text } of steps) {
      if (file !== undefined) shell.save(file, text)
      else if (goesOn) {
        const child = shell.start(local(command).trim())
        background.push(child)
        await started(child, ready)
      } else {
        const output = shell.run(local(command))
        if (prints === undefined) continue
        assert.equal(output, prints, command)
        printed.push(output)
      }
    }
  } finally {
    await Promise.all(background.map(stopped))
  }
  return printed
}

/**
 * Waits until a process says that it is ready.
 *
 * @param {import('node:child_process').ChildProcess} child
 * @param {string} ready
 */
async function started(child, ready) {
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (/** @type {Buffer} */ data) => {
      output += data.toString()
    })
  }
  const end = Date.now() + READY_MS
  while (!output.includes(ready)) {
    if (Date.now() > end || child.exitCode !== null)
      throw new Error(`a process of the lesson does not start: ${output}`)
    await sleep(100)
  }
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
