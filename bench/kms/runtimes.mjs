/** Starts the clients of a vendor in each runtime; each gives a function that makes a turn and says its cost. */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { build } from 'esbuild'
import { Miniflare } from 'miniflare'
import { binOf, ensureFolder, node24, root, toolEnv } from '../../tools/lib/folders.mjs'

/**
 * @typedef {{ side: string, operation: string, calls: number, atOnce: number }} Turn
 * @typedef {(turn: Turn) => Promise<{ ms: number, cpuMs: number }>} Take
 * @typedef {{ sides: string[], take: Take, close: () => Promise<void> }} Clients
 * @typedef {{ scratch: string, vendor: string, place: object }} Plan
 */

async function bundle(entry, outfile, options) {
  const entryPoints = [join(root, 'bench', 'kms', entry)]
  const common = { bundle: true, format: /** @type {const} */ ('esm'), target: 'es2022' }
  await build({ entryPoints, outfile, ...common, logLevel: 'error', ...options })
  return outfile
}

/** @returns {Promise<Clients>} */
async function inProcess(command, args, { scratch, vendor, place }) {
  const file = await bundle('process.ts', join(scratch, 'process.mjs'), { platform: 'node' })
  const folder = join(ensureFolder(`clients/${vendor}`), 'package.json')
  const running = spawn(command, [...args, file, vendor, JSON.stringify(place), folder], {
    cwd: root,
    env: toolEnv(),
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: running.stdout })[Symbol.asyncIterator]()
  const next = async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`${command} ended`)
    return JSON.parse(value)
  }
  return {
    sides: await next(),
    take(turn) {
      running.stdin.write(`${JSON.stringify(turn)}\n`)
      return next()
    },
    async close() {
      running.stdin.end()
      await new Promise((resolve) => running.once('close', resolve))
    },
  }
}

/** Processor time of the process of this name below us, in milliseconds; Linux counts in 10. */
function cpuMsOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

function childOf(parent, name) {
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8')
      if (status.startsWith(`Name:\t${name}\n`) && status.includes(`\nPPid:\t${parent}\n`))
        return pid
    } catch {
      // It has ended meanwhile.
    }
  }
  throw new Error(`no process ${name}`)
}

/** @returns {Promise<Clients>} */
async function inWorkerd({ scratch, place }) {
  const file = await bundle('worker.ts', join(scratch, 'worker.mjs'), {
    platform: 'browser',
    conditions: ['workerd', 'worker', 'browser'],
    nodePaths: [join(ensureFolder('clients/aws'), 'node_modules')],
  })
  const settings = readFileSync(join(root, 'wrangler.toml'), 'utf8')
  const miniflare = new Miniflare({
    modules: [{ type: 'ESModule', path: 'worker.mjs', contents: readFileSync(file, 'utf8') }],
    compatibilityDate: /^compatibility_date = "([\d-]+)"$/m.exec(settings)?.[1] ?? '',
    bindings: { PLACE: place },
  })
  await miniflare.ready
  const pid = childOf(process.pid, 'workerd')
  const ask = async (query = {}) => {
    const response = await miniflare.dispatchFetch(
      `http://localhost/?${new URLSearchParams(query)}`,
    )
    const text = await response.text()
    if (!response.ok) throw new Error(`the Worker answered ${response.status}: ${text}`)
    return text
  }
  return {
    sides: JSON.parse(await ask()),
    async take({ calls, atOnce, ...turn }) {
      const cpu = cpuMsOf(pid)
      const start = performance.now()
      await ask({ ...turn, calls: String(calls), atOnce: String(atOnce) })
      return { ms: performance.now() - start, cpuMs: cpuMsOf(pid) - cpu }
    },
    close: () => miniflare.dispose(),
  }
}

const denoFlags = ['run', '--allow-all', '--no-remote', '--no-config', '--no-lock']

/** @type {Record<string, (plan: Plan) => Promise<Clients>>} */
export const runtimes = {
  node: (plan) => inProcess(node24, [], plan),
  workerd: inWorkerd,
  deno: (plan) => inProcess(binOf('runtimes/deno', 'deno'), denoFlags, plan),
  bun: (plan) => inProcess(binOf('runtimes/bun', 'bun'), ['run'], plan),
}
