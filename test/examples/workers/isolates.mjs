/**
 * A thousand cold stacks of the example, over the Durable Object of its vault. Each isolate of a Worker has one stack.
 * Here 20 isolates have 50 stacks each, which share only the store: a thousand isolates take minutes to start.
 * `test/scale/isolates.mjs` starts them.
 */
import assert from 'node:assert/strict'
import { build } from 'esbuild'
import { Miniflare } from 'miniflare'

const ISOLATES = 20
const STACKS = 50
/** How many stacks of an isolate begin at the same time. */
const AT_ONCE = 5

const WORKER = `import { stackOf } from './vault/src/stack.ts'
export default {
  async fetch(request, env) {
    const sealed = []
    const seal = async () => {
      const { cipher } = stackOf(env)
      return cipher.encryptText('4111', { context: { tenant: 'eu-acme' } })
    }
    while (sealed.length < ${STACKS})
      sealed.push(...(await Promise.all(Array.from({ length: ${AT_ONCE} }, seal))))
    return Response.json(sealed)
  },
}`

/**
 * @param {import('./world.mjs').Report} report
 * @param {import('./project.mjs').Project} project
 * @param {import('./world.mjs').World} world
 */
export async function checkIsolates({ check }, { folder }, { aws, vault }) {
  await check('R18 a thousand cold stacks cost one GenerateDataKey', async () => {
    const bundled = await build({
      stdin: { contents: WORKER, resolveDir: folder, loader: 'ts' },
      ...{ absWorkingDir: folder, bundle: true, write: false, format: 'esm', platform: 'browser' },
      conditions: ['workerd', 'worker', 'browser'],
      logLevel: 'error',
    })
    const contents = bundled.outputFiles[0]?.text ?? ''
    const workers = Array.from({ length: ISOLATES }, (_, i) => ({
      ...vault,
      name: `isolate-${i}`,
      modules: [{ type: 'ESModule', path: 'index.js', contents }],
      durableObjects: shared(vault.durableObjects),
    }))
    aws.forgetCalls()
    const started = Date.now()
    const miniflare = new Miniflare({
      cf: false,
      workers: /** @type {any} */ ([vault, ...workers]),
    })
    try {
      const answers = await Promise.all(workers.map(({ name }) => sealedBy(miniflare, name)))
      const [made, unwrapped] = [aws.count('GenerateDataKey'), aws.count('Decrypt')]
      const seconds = ((Date.now() - started) / 1_000).toFixed(1)
      const stacks = answers.flat().length
      console.log(
        `workers: ${stacks} cold stacks in ${ISOLATES} isolates: ${made} GenerateDataKey, ${unwrapped} Decrypt, ${seconds} s`,
      )
      assert.deepEqual([stacks, made, unwrapped], [ISOLATES * STACKS, 1, ISOLATES * STACKS - 1])
    } finally {
      await miniflare.dispose()
    }
  })
}

/** The Durable Object of the vault, as another Worker binds it. @param {Record<string, object>} objects */
function shared(objects) {
  const entries = Object.entries(objects)
  return Object.fromEntries(
    entries.map(([name, object]) => [name, { ...object, scriptName: 'vault' }]),
  )
}

/** @param {Miniflare} miniflare  @param {string} name  @returns {Promise<string[]>} */
async function sealedBy(miniflare, name) {
  const worker = /** @type {any} */ (await miniflare.getWorker(name))
  const answer = await worker.fetch('http://isolate/')
  if (!answer.ok) throw new Error(await answer.text())
  return answer.json()
}
