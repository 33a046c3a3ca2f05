/** Processes of a lesson or an example that go on in the background. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

const READY_MS = 60_000

/**
 * Waits until a process says that it is ready.
 *
 * @param {import('node:child_process').ChildProcess} child a process group of its own
 * @param {string} ready what it prints then
 */
export async function started(child, ready) {
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (/** @type {Buffer} */ data) => {
      output += data.toString()
    })
  }
  const end = Date.now() + READY_MS
  while (!output.includes(ready)) {
    if (Date.now() > end || child.exitCode !== null) {
      await stopped(child)
      throw new Error(`it does not start: ${output}`)
    }
    await sleep(50)
  }
  return child
}

/**
 * Stops a process with all that it started.
 *
 * @param {import('node:child_process').ChildProcess} child
 */
export async function stopped(child) {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  process.kill(-child.pid, 'SIGTERM')
  await closed
}
