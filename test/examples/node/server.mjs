/** examples/node as processes: the server, and its scripts. */
import { execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'
import { binOf, node24, toolEnv } from '../../../tools/lib/folders.mjs'

const execFileAsync = promisify(execFile)
const READY_MS = 60_000
/** A token for each tenant. */
export const TOKENS = { acme: 'a'.repeat(32), globex: 'b'.repeat(32) }

/** The programs that run the example. */
export const RUNTIMES = { node: () => node24, bun: () => binOf('runtimes/bun', 'bun') }

/**
 * @typedef {keyof typeof RUNTIMES} Runtime
 * @typedef {Awaited<ReturnType<typeof startServer>>} Server
 */

/** Variables that the user of the test has set must not decide it. @param {Record<string, string>} env */
function environment(env) {
  const ours = /^(?:EDGE_KMS_|AWS_|DATABASE_URL$|TOKENS$|HOST$|PORT$)/
  const rest = Object.entries(toolEnv()).filter(([name]) => !ours.test(name))
  return { ...Object.fromEntries(rest), ...env }
}

/**
 * Runs a script of the example to its end and returns what it printed.
 *
 * @param {Runtime} runtime
 * @param {string} folder
 * @param {string} script
 * @param {Record<string, string>} env
 */
export async function runScript(runtime, folder, script, env) {
  const options = { cwd: folder, env: environment(env), timeout: READY_MS }
  const { stdout } = await execFileAsync(RUNTIMES[runtime](), [script], options)
  return stdout
}

/**
 * Starts the server, and resolves when it listens.
 *
 * @param {Runtime} runtime
 * @param {string} folder
 * @param {Record<string, string>} env
 */
export async function startServer(runtime, folder, env) {
  const variables = environment({ ...env, PORT: '0', TOKENS: JSON.stringify(TOKENS) })
  const child = spawn(RUNTIMES[runtime](), ['src/main.ts'], { cwd: folder, env: variables })
  let output = ''
  const closed = new Promise((resolve) => child.once('close', resolve))
  /** @type {Promise<string>} */
  const ready = new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => {
        output += text
        const url = /listening on (http:\S+)\n/.exec(output)?.[1]
        if (url !== undefined) resolve(url)
      })
    void closed.then(() => reject(new Error(`main.ts on ${runtime}: ${output}`)))
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), READY_MS)
  const url = await ready.finally(() => clearTimeout(timer))

  return {
    url,
    output: () => output,
    /**
     * Asks as a tenant.
     *
     * @param {keyof typeof TOKENS} tenant
     * @param {string} path
     * @param {unknown} [body] sent by PUT
     */
    ask: (tenant, path, body) => {
      const headers = { authorization: `Bearer ${TOKENS[tenant]}` }
      const init = body === undefined ? {} : { method: 'PUT', body: JSON.stringify(body) }
      return fetch(new URL(path, url), { ...init, headers })
    },
    /** Stops it as a platform does, and returns its exit code. */
    stop: async () => {
      child.kill('SIGTERM')
      return closed
    },
  }
}
