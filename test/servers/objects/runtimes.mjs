/**
 * How requests to S3 state their length on the runtimes where `fetch` ignores a Content-Length header or drops it: Deno,
 * Bun and workerd.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Miniflare } from 'miniflare'
import { binOf, toolEnv } from '../../../tools/lib/folders.mjs'
import { workerModule } from '../../workerd/worker-module.ts'

const pathOf = (name) => fileURLToPath(new URL(name, import.meta.url))
const DENO = ['run', '--allow-all', '--no-remote', '--node-modules-dir=manual', '--no-lock']

async function inProcess(bin, args, input) {
  const command = [...args, pathOf('put-lengths.child.mjs'), input]
  const { stdout } = await promisify(execFile)(bin, command, { env: toolEnv() })
  return stdout.trim()
}

async function inWorkerd(input) {
  const modules = [await workerModule(pathOf('worker.mjs'))]
  const worker = new Miniflare({ cf: false, modules, compatibilityDate: '2026-07-30' })
  try {
    const answer = await worker.dispatchFetch('http://worker/', { method: 'POST', body: input })
    return await answer.text()
  } finally {
    await worker.dispose()
  }
}

const runtimes = {
  deno: (input) => inProcess(binOf('runtimes/deno', 'deno'), DENO, input),
  bun: (input) => inProcess(binOf('runtimes/bun', 'bun'), ['run'], input),
  workerd: inWorkerd,
}

/**
 * @param {(name: string, work: () => unknown) => Promise<void>} check
 * @param {import('./world.mjs').Place} place of the front
 * @param {string} bucket
 * @param {(folder: string) => void} demandLengths of the requests for the objects of a folder
 */
export async function checkRuntimes(check, place, bucket, demandLengths) {
  for (const [name, run] of Object.entries(runtimes)) {
    await check(`R40 every upload request states its Content-Length on ${name}`, async () => {
      const folder = `length-${name}`
      assert.equal(await run(JSON.stringify({ place, bucket, folder })), 'put')
      demandLengths(folder)
    })
  }
}
