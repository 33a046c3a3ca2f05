/** Runs the suite on each runtime and brings its figures home. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Miniflare } from 'miniflare'
import { binOf, node24, root } from '../tools/lib/folders.mjs'
import { bundle, eachLine } from './lib/child.mjs'
import { watchMemory } from './memory.mjs'
import { compare, quantile } from './timing.ts'

const MODES = ['encrypt', 'round trip']

async function inProcess(command, args, { scratch, streamBytes, peers = [] }) {
  const file = await bundle('process.ts', join(scratch, 'process.mjs'))
  let result
  const task = ['timings', String(streamBytes), '-', ...peers]
  await eachLine(command, [...args, file, ...task], (line) => {
    result = JSON.parse(line)
  })
  const memory = {}
  for (const mode of MODES) {
    let stop
    await eachLine(command, [...args, file, 'memory', String(streamBytes), mode], (line, pid) => {
      if (line === 'start') stop = watchMemory(pid)
      if (line === 'end') memory[mode] = stop()
    })
  }
  return { ...result, memory }
}

function workerOf(contents) {
  const settings = readFileSync(join(root, 'wrangler.toml'), 'utf8')
  const compatibilityDate = /^compatibility_date = "([\d-]+)"$/m.exec(settings)?.[1]
  if (compatibilityDate === undefined) throw new Error('wrangler.toml has no compatibility_date')
  return new Miniflare({
    modules: [{ type: 'ESModule', path: 'worker.mjs', contents }],
    compatibilityDate,
  })
}

async function ask(miniflare, path) {
  const response = await miniflare.dispatchFetch(`http://localhost${path}`)
  const text = await response.text()
  if (!response.ok) throw new Error(`the Worker answered ${response.status}: ${text}`)
  return text
}

async function inWorkerd({ scratch, streamBytes }) {
  const file = await bundle('worker.ts', join(scratch, 'worker.mjs'))
  const contents = readFileSync(file, 'utf8')
  const timed = await timeWorker(contents, streamBytes)
  const memory = {}
  for (const mode of MODES) {
    // Each in a process of its own, as elsewhere.
    const miniflare = workerOf(contents)
    try {
      const query = `mode=${encodeURIComponent(mode)}`
      await ask(miniflare, `/memory?${query}&bytes=65536`)
      const stop = watchMemory(process.pid, 'workerd')
      await ask(miniflare, `/memory?${query}&bytes=${streamBytes}`)
      memory[mode] = stop()
    } finally {
      await miniflare.dispose()
    }
  }
  return { ...timed, memory }
}

async function timeWorker(contents, streamBytes) {
  const miniflare = workerOf(contents)
  const request = async (path) => {
    const start = performance.now()
    await ask(miniflare, path)
    return performance.now() - start
  }
  try {
    const infos = JSON.parse(await ask(miniflare, `/infos?bytes=${streamBytes}`))
    const empties = []
    for (let i = 0; i < 200; i++) empties.push(await request('/empty'))
    const empty = quantile(empties.slice(100), 0.5)
    const cases = []
    for (const [at, info] of infos.entries()) {
      const elapsed = async (side, turns) =>
        Math.max(
          0.001,
          (await request(`/turns?at=${at}&side=${encodeURIComponent(side)}&turns=${turns}`)) -
            empty,
        )
      // Long rounds, in which what an empty request costs is lost.
      const plan = { rounds: info.rounds, roundMs: 80, warmUpMs: 300 }
      const timings = await compare(elapsed, info.sides, plan)
      cases.push({ ...info, timings })
      console.error(`  ${info.name}: ${timings.ours.ratio.toFixed(2)}`)
    }
    return { cases, counts: JSON.parse(await ask(miniflare, '/counts')) }
  } finally {
    await miniflare.dispose()
  }
}

const denoFlags = ['run', '--allow-all', '--no-remote', '--no-config', '--no-lock']
/** A tool that cannot be installed is reported as missing; the others are measured all the same. */
function inTool(name, args) {
  return (plan) => {
    let command
    try {
      command = binOf(`runtimes/${name}`, name)
    } catch (error) {
      return { missing: error.message }
    }
    return inProcess(command, args, { ...plan, peers: [] })
  }
}

export const runtimes = {
  node: (plan) => inProcess(node24, [], plan),
  workerd: inWorkerd,
  deno: inTool('deno', denoFlags),
  bun: inTool('bun', ['run']),
}
