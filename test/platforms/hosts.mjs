/**
 * How each runtime is started and asked. To add one, for example a browser, add an entry here and a way in to
 * `entries/`: `ask(folder, request, hosts)` sends one request of `program.mjs` and gives its answer.
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Miniflare } from 'miniflare'
import { binOf, node24, toolEnv } from '../../tools/lib/folders.mjs'
import { lambdaRic } from '../../tools/servers/lambda-ric.mjs'
import { MissingError } from '../../tools/servers/missing.mjs'
import { withFunction } from '../servers/lambda/function-process.mjs'

/** Longer than any suite takes; what hangs is ended. */
const LATEST_MS = 120_000

/**
 * @typedef {object} Host
 * @property {(folder: string, request: object, net?: string) => Promise<any>} ask `net` is the one
 *   host with its port that the program may reach, where the runtime can be told; any by default
 * @property {() => unknown} install installs the runtime where it is not there yet
 */

/** @param {string} command @param {string[]} args @param {object} request */
function inProcess(command, args, request) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: toolEnv(), timeout: LATEST_MS })
    let [out, log] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (piece) => (out += piece))
    child.stderr.setEncoding('utf8').on('data', (piece) => (log += piece))
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(out))
      else reject(new Error(`the program ended with ${code}: ${log.slice(-2_000)}`))
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(JSON.stringify(request))
  })
}

/** @type {Host['ask']} */
async function askWorkerd(folder, request) {
  const contents = readFileSync(join(folder, 'worker.mjs'), 'utf8')
  const worker = new Miniflare({
    cf: false,
    modules: [{ type: 'ESModule', path: 'worker.mjs', contents }],
    compatibilityDate: '2026-07-30',
  })
  try {
    const init = { method: 'POST', body: JSON.stringify(request) }
    const answer = await worker.dispatchFetch('http://worker/', init)
    if (!answer.ok) throw new Error(`the Worker answered ${answer.status}: ${await answer.text()}`)
    return await answer.json()
  } finally {
    await worker.dispose()
  }
}

/** @type {Host['ask']} */
const askLambda = (folder, request) =>
  withFunction({ ric: lambdaRic(), root: folder, handler: 'lambda.handler' }, (fn) =>
    fn.invoke(request, LATEST_MS),
  )

const programOf = (folder) => join(folder, 'process.mjs')
const DENO = ['run', '--no-prompt', '--no-config', '--no-lock', '--no-remote', '--no-npm']

/** @type {Readonly<Record<string, Host>>} */
export const hosts = {
  node22: {
    install: () => binOf('runtimes/node22', 'node'),
    ask: (folder, request) =>
      inProcess(binOf('runtimes/node22', 'node'), [programOf(folder)], request),
  },
  node24: {
    install: () => node24,
    ask: (folder, request) => inProcess(node24, [programOf(folder)], request),
  },
  workerd: { install: () => Miniflare, ask: askWorkerd },
  deno: {
    install: () => binOf('runtimes/deno', 'deno'),
    ask: (folder, request, net) => {
      const allow = net === undefined ? '--allow-net' : `--allow-net=${net}`
      return inProcess(binOf('runtimes/deno', 'deno'), [...DENO, allow, programOf(folder)], request)
    },
  },
  bun: {
    install: () => binOf('runtimes/bun', 'bun'),
    ask: (folder, request) =>
      inProcess(binOf('runtimes/bun', 'bun'), ['run', programOf(folder)], request),
  },
  lambda: { install: lambdaRic, ask: askLambda },
}

/**
 * Installs these runtimes. An installation blocks this process, so that a server in it would answer no runtime: call
 * this first. A runtime that this machine cannot have says so when it is asked.
 *
 * @param {readonly string[]} names
 */
export function installHosts(names) {
  for (const name of names) {
    try {
      hosts[name]?.install()
    } catch (error) {
      if (!(error instanceof MissingError)) throw error
    }
  }
}
