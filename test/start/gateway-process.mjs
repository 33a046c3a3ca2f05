import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')

/** A port that was free a moment ago. @returns {Promise<number>} */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
      server.close(() => resolve(port))
    })
  })
}

/** A folder for one key file, outside the repository. */
export function stateFolder() {
  const path = mkdtempSync(join(tmpdir(), 'edge-kms-start-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** Drops variables that the user of the test has set: they must not decide it. */
function cleanEnv() {
  const ours = /^(?:EDGE_KMS_|AWS_|AZURE_|HOST$|PORT$)/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)))
}

/**
 * `npm start`, as a user runs it, with these variables.
 * @param {Record<string, string>} env
 */
export function startGateway(env) {
  const child = spawn('npm', ['start'], {
    cwd: root,
    env: { ...cleanEnv(), ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const exited = new Promise((resolve) => child.once('exit', resolve))
  const closed = new Promise((resolve) => child.once('close', resolve))
  const ready = new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text
        const url = /listens on (http:\S+)/.exec(output)?.[1]
        if (url !== undefined && output.includes('Ctrl+C')) resolve(url)
      })
    }
    void exited.then(() => reject(new Error(`npm start ended:\n${output}`)))
  })
  ready.catch(() => undefined)
  return {
    /** @type {Promise<string>} */
    ready,
    output: () => output,
    exited,
    /** It has ended, and so has everything that could still print. */
    closed,
    exitCode: () => child.exitCode,
    /** Ctrl+C in a terminal reaches the whole group. @param {NodeJS.Signals} [signal] */
    async stop(signal = 'SIGINT') {
      try {
        process.kill(0 - Number(child.pid), signal)
      } catch {
        // It has ended.
      }
      await exited
    },
    /** The process of workerd below this one. */
    workerdPid: () => descendants(Number(child.pid)).find((pid) => commandOf(pid) === 'workerd'),
  }
}

/** Peak resident memory of a process so far, in MiB (proc(5), VmHWM). @param {number} pid */
export function peakMiB(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) / 1_024
}

/** @param {number} parent @returns {number[]} */
function descendants(parent) {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => parentOf(pid) === parent)
  return children.flatMap((pid) => [pid, ...descendants(pid)])
}

/** @param {number} pid */
function parentOf(pid) {
  try {
    return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1])
  } catch {
    return undefined
  }
}

/** @param {number} pid */
function commandOf(pid) {
  return /\((.*)\)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]
}
