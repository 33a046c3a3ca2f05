/** Follows a lesson by copying, from an empty folder, and compares what it says that its commands print. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, toolEnv } from '../../tools/lib/folders.mjs'
import { packInto, scratchFolder } from '../../tools/lib/pack.mjs'
import { openShell, stepsOf } from './lesson-steps.mjs'
import { started, stopped } from './processes.mjs'

/** With EDGE_KMS_TRANSCRIPT=1 each step is printed as a reader would see it in a terminal. */
const show = (/** @type {string} */ text) => {
  if (process.env['EDGE_KMS_TRANSCRIPT'] === '1') console.log(text.trimEnd())
}

/**
 * Returns what the commands printed of which the lesson says it.
 *
 * @param {string} name path of the document from the root
 * @param {object} options
 * @param {string} options.ready what a process in the background prints when it is ready
 * @param {(command: string) => string} options.local puts this run's ports into a command or a file
 * @param {NodeJS.ProcessEnv | undefined} [options.env]
 * @param {((address: string) => Promise<string>) | undefined} [options.titleOf] opens a page in a browser
 */
export async function followLesson(name, { ready, local, env = {}, titleOf }) {
  const folder = scratchFolder('lesson')
  const { tarball } = packInto(folder)
  const common = { EDGE_KMS: tarball, CI: '1', npm_config_prefer_offline: 'true' }
  const shell = openShell(folder, { ...toolEnv(), ...common, ...env })
  const steps = stepsOf(readFileSync(join(root, name), 'utf8'))
  /** @type {string[]} */
  const printed = []
  /** @type {import('node:child_process').ChildProcess[]} */
  const background = []
  try {
    for (const { file, command = '', background: goesOn, prints, address, text } of steps) {
      if (file !== undefined) {
        show(`[saved ${file}]`)
        shell.save(file, local(text))
      } else if (address !== undefined) {
        assert.ok(titleOf, 'the lesson needs a browser')
        const title = `${await titleOf(local(address))}\n`
        assert.equal(title, text, address)
        show(`[opened ${local(address)}: the title became ${title.trim()}]`)
        printed.push(title)
      } else if (goesOn) {
        show(`$ ${local(command).trim()} &`)
        const child = shell.start(local(command).trim())
        background.push(child)
        await started(child, ready)
      } else {
        const output = shell.run(local(command))
        show(`$ ${local(command).trim()}\n${output}`)
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
