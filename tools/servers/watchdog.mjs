/**
 * `fork`ed by start.mjs, one per server: runs the server in a process group of its own and ends the
 * whole group as soon as the process that asked for it is gone, even by a kill that no handler sees. Then it
 * removes the server's scratch folder too.
 */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'

const [scratch, command, ...args] = process.argv.slice(2)
// A session of its own keeps the terminal's and `timeout`'s signals for the parent's handlers.
const server = spawn(command, args, { detached: true, stdio: ['ignore', 'inherit', 'inherit'] })

let ended = false
let abandoned = false

function signalGroup(signal) {
  try {
    if (server.pid !== undefined) process.kill(-server.pid, signal)
  } catch {
    // The group is empty.
  }
}

function stop() {
  abandoned = true
  signalGroup('SIGTERM')
  setTimeout(() => signalGroup('SIGKILL'), 3000).unref()
}

function finish(report) {
  ended = true
  // Children of the server may outlive it.
  signalGroup('SIGKILL')
  if (abandoned) rmSync(scratch, { recursive: true, force: true, maxRetries: 3 })
  if (process.connected) process.send?.(report, undefined, undefined, () => process.exit(0))
  else process.exit(0)
}

server.once('spawn', () => process.send?.({ pid: server.pid }))
server.once('error', (error) => finish({ exit: error.message }))
server.once('exit', (code, signal) => finish({ exit: String(signal ?? code) }))
process.on('disconnect', () => {
  if (!ended) stop()
})
process.on('SIGTERM', stop)
process.on('SIGINT', stop)
