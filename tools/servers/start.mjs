/** Starts one installed server on a free loopback port, and stops it whatever happens. */
import { fork } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const watchdog = fileURLToPath(new URL('watchdog.mjs', import.meta.url))

/** Servers not yet stopped: the last resort of a process that ends without awaiting anything. */
const running = new Set()
let hooked = false

function hookExits() {
  if (hooked) return
  hooked = true
  process.on('exit', () => {
    for (const server of running) server.kill()
  })
  for (const [signal, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 }))
    process.on(signal, () => process.exit(128 + number))
}

/** @returns {Promise<number>} */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => {
        if (typeof address === 'object' && address !== null) resolve(address.port)
      })
    })
  })
}

/** Nothing of the caller's AWS, proxy or Python settings reaches a server. */
const bareEnv = (home) => ({
  PATH: process.env['PATH'] ?? '',
  HOME: home,
  LANG: 'C.UTF-8',
  PYTHONDONTWRITEBYTECODE: '1',
})

class RunningServer {
  #child
  #pid
  #scratch
  #exit

  constructor({ recipe, port, folder, scratch }) {
    this.name = recipe.name
    this.version = recipe.version
    this.port = port
    this.url = `http://127.0.0.1:${port}`
    this.logPath = join(scratch, 'log')
    this.#scratch = scratch
    const state = join(scratch, 'state')
    mkdirSync(state)
    const { command, args, env } = recipe.start({ folder, port, state })
    const log = openSync(this.logPath, 'a')
    this.#child = fork(watchdog, [scratch, command, ...args], {
      cwd: state,
      detached: true,
      env: { ...bareEnv(state), ...env },
      execArgv: [],
      stdio: ['ignore', log, log, 'ipc'],
    })
    closeSync(log)
    this.#child.on('message', (/** @type {{ pid?: number, exit?: string }} */ message) => {
      this.#pid ??= message.pid
      this.#exit ??= message.exit
    })
    this.ended = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        this.#exit ??= `its watchdog: ${signal ?? code}`
        this.#killGroup()
        resolve(this.#exit)
      })
    })
    running.add(this)
  }

  /** How it ended, or undefined while it runs. */
  get exit() {
    return this.#exit
  }

  get pid() {
    return this.#pid
  }

  log() {
    return readFileSync(this.logPath, 'utf8')
  }

  #killGroup() {
    try {
      if (this.#pid !== undefined) process.kill(-this.#pid, 'SIGKILL')
    } catch {
      // It is gone already.
    }
  }

  /** At once and without waiting; for a process that is ending. */
  kill() {
    this.#killGroup()
    this.#child.kill('SIGKILL')
    rmSync(this.#scratch, { recursive: true, force: true, maxRetries: 3 })
  }

  async stop() {
    if (this.#child.connected) this.#child.disconnect()
    await this.ended
    running.delete(this)
    rmSync(this.#scratch, { recursive: true, force: true, maxRetries: 3 })
  }
}

async function answers(server, recipe) {
  if (recipe.isReady !== undefined) return recipe.isReady(server.port)
  const answer = await fetch(server.url + recipe.readyPath, { signal: AbortSignal.timeout(2000) })
  await answer.arrayBuffer()
  return answer.status === 200
}

async function untilReady(server, recipe, patienceMs) {
  const end = Date.now() + patienceMs
  while (Date.now() < end) {
    if (server.exit !== undefined) return false
    try {
      // A port may have been taken by another process in between: then ours has ended.
      if ((await answers(server, recipe)) && server.exit === undefined) return true
    } catch {
      // Not listening yet.
    }
    await sleep(100)
  }
  return false
}

/**
 * Starts `recipe` from `folder` and resolves when it answers. The error of a start that failed
 * carries the server's log.
 */
export async function startServer(recipe, folder, { patienceMs = 90_000, attempts = 3 } = {}) {
  hookExits()
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const scratch = mkdtempSync(join(tmpdir(), `edge-kms-${recipe.name}-`))
    const server = new RunningServer({ recipe, port, folder, scratch })
    if (await untilReady(server, recipe, patienceMs)) return server
    const log = server.log()
    const how = server.exit === undefined ? 'did not answer' : `ended with ${server.exit}`
    await server.stop()
    // Only a port that somebody took between the probe and the start is worth another try.
    if (attempt < attempts && /address (is )?already in use/i.test(log)) continue
    const tail = log.trimEnd().split('\n').slice(-60).join('\n')
    throw new Error(`${recipe.name} ${recipe.version} ${how}; its log:\n${tail}`)
  }
}
