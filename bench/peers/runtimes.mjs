/** Runs the comparison on each runtime, and returns its figures. */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { Miniflare } from 'miniflare'
import { binOf, node24, root } from '../../tools/lib/folders.mjs'
import { eachLine } from '../lib/child.mjs'
import { watchMemory } from '../memory.mjs'
import { quantile } from '../timing.ts'
import { compareByTime } from './by-time.ts'

const here = join(root, 'bench', 'peers')
const side = (name) => join(here, 'sides', `${name}.mjs`)
const PEERS = ['jose', 'cloak', 'tink', 'noble', 'esdk']

/** Bundles an entry. The peers of a Worker are bundled too: their names are literals there. */
async function bundle(entry, isWorker = false) {
  const folder = join(here, 'node_modules', '.edge-kms')
  mkdirSync(folder, { recursive: true })
  const outfile = join(folder, entry.replace('.ts', '.mjs'))
  const literal = {
    name: 'literal-imports',
    setup({ onLoad }) {
      onLoad({ filter: /sides\/\w+\.mjs$/ }, ({ path }) => {
        const text = readFileSync(path, 'utf8')
        const [, name] = /^const library = '([^']+)'$/m.exec(text) ?? []
        return { contents: text.replaceAll('import(library)', `import('${name}')`) }
      })
    },
  }
  await build({
    entryPoints: [join(here, entry)],
    outfile,
    bundle: true,
    format: 'esm',
    platform: isWorker ? 'browser' : 'neutral',
    external: ['node:*'],
    conditions: isWorker ? ['workerd', 'worker', 'browser'] : [],
    target: 'es2022',
    logLevel: 'error',
    plugins: isWorker ? [literal] : [],
  })
  return outfile
}

/** Runs a child in this folder, so that it finds the peers. */
const child = (command, args, onLine) => eachLine(command, args, onLine, here)

async function asked(command, args) {
  /** @type {any} */
  let result
  await child(command, args, (line) => {
    result = JSON.parse(line)
  })
  return result
}

/** Node, Deno or Bun. */
function inProcess(command, flags) {
  return {
    async records({ rounds, roundMs }) {
      const file = await bundle('process.ts')
      const modules = PEERS.map(side)
      return asked(command(), [
        ...flags,
        file,
        'records',
        `${rounds}`,
        `${roundMs}`,
        '0',
        ...modules,
      ])
    },
    async streams({ streamBytes }) {
      const file = await bundle('process.ts')
      const start = [...flags, file]
      const result = await asked(command(), [
        ...start,
        'streams',
        '5',
        '1',
        `${streamBytes}`,
        side('esdk'),
      ])
      const memory = {}
      for (const name of Object.keys(result.figures)) {
        let stop
        const task = ['memory', '1', '1', `${streamBytes}`, side('esdk'), name]
        await child(command(), [...start, ...task], (line, pid) => {
          if (line === 'start') stop = watchMemory(pid)
          if (line === 'end') memory[name] = stop()
        })
      }
      return { ...result, memory }
    },
  }
}

const inWorkerd = {
  async records({ rounds, roundMs }) {
    const contents = readFileSync(await bundle('worker.ts', true), 'utf8')
    const miniflare = new Miniflare({
      modules: [{ type: 'ESModule', path: 'worker.mjs', contents }],
      compatibilityDate: '2026-07-30',
    })
    const ask = async (path) => {
      const response = await miniflare.dispatchFetch(`http://localhost${path}`)
      const text = await response.text()
      if (!response.ok) throw new Error(`the Worker answered ${response.status}: ${text}`)
      return text
    }
    const request = async (path) => {
      const start = performance.now()
      await ask(path)
      return performance.now() - start
    }
    try {
      const cases = JSON.parse(await ask('/cases'))
      const empties = []
      for (let i = 0; i < 200; i++) empties.push(await request('/empty'))
      const empty = quantile(empties.slice(100), 0.5)
      const rows = []
      for (const [at, { sides, ...one }] of cases.entries()) {
        const elapsed = async (name, turns) => {
          const query = `at=${at}&side=${encodeURIComponent(name)}&turns=${turns}`
          return Math.max(0.001, (await request(`/turns?${query}`)) - empty)
        }
        // Long rounds, in which the cost of an empty request is lost.
        const figures = await compareByTime(elapsed, sides, { rounds, roundMs: roundMs * 4 })
        rows.push({ ...one, figures })
        console.error(`  ${one.name}: ${figures['edge-kms'].ratio.toFixed(2)}`)
      }
      return {
        rows,
        missing: {
          cloak: 'needs the module crypto of Node',
          tink: 'its bundle needs a browser',
          esdk: 'does not load in workerd: it needs modules of Node',
        },
      }
    } finally {
      await miniflare.dispose()
    }
  },
}

const tool = (name) => () => binOf(`runtimes/${name}`, name)
export const runtimes = {
  node: inProcess(() => node24, []),
  deno: inProcess(tool('deno'), ['run', '--allow-all', '--node-modules-dir=manual', '--no-lock']),
  bun: inProcess(tool('bun'), ['run']),
  workerd: inWorkerd,
}
