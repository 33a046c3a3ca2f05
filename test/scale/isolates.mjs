/**
 * A thousand cold isolates of the example's vault, in waves of fifty that end before the next begins: its Durable
 * Object alone stays. All of them together cost one GenerateDataKey.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { Miniflare } from 'miniflare'
import { node24, run } from '../../tools/lib/folders.mjs'
import { scratchFolder } from '../../tools/lib/pack.mjs'
import { createReport } from '../servers/lib/report.mjs'
import { checkDeploy } from '../examples/workers/deploy.mjs'
import { openProject } from '../examples/workers/project.mjs'
import { openWorld } from '../examples/workers/world.mjs'

const WAVES = 20
const ISOLATES = 50

/** Asks every isolate that it binds, all at once. */
const DRIVER = `export default {
  async fetch(request, env) {
    const context = { tenant: 'eu-acme' }
    const answers = Object.values(env).map((vault) => vault.encryptText('4111', { context }))
    return Response.json(await Promise.all(answers))
  },
}`

if (run(node24, ['tools/build.mjs']) !== 0) process.exit(1)
const report = createReport()
const project = openProject()
await checkDeploy(report, project)
const { aws, vault } = await openWorld(project)
const durableObjectsPersist = join(scratchFolder('isolates'), 'objects')
const policy = {
  operations: ['encrypt'],
  keys: ['default'],
  context: { tenant: { exact: 'eu-acme' } },
}

/** @param {number} at */
async function wave(at) {
  const [name] = Object.keys(vault.durableObjects)
  const object = { ...vault.durableObjects[name ?? ''], scriptName: 'vault' }
  const isolates = Array.from({ length: ISOLATES }, (_, i) => ({
    ...vault,
    name: `isolate-${at}-${i}`,
    durableObjects: { [name ?? '']: object },
  }))
  const bound = isolates.map((isolate) => [
    isolate.name,
    { name: isolate.name, entrypoint: 'Vault', props: { policy } },
  ])
  const driver = {
    ...{ name: 'driver', modules: true, compatibilityDate: '2026-07-30', script: DRIVER },
    serviceBindings: Object.fromEntries(bound),
  }
  const workers = /** @type {any} */ ([driver, vault, ...isolates])
  const miniflare = new Miniflare({ cf: false, durableObjectsPersist, workers })
  try {
    const answer = await miniflare.dispatchFetch('http://driver/')
    return /** @type {{ ok: boolean }[]} */ (await answer.json())
  } finally {
    await miniflare.dispose()
  }
}

await report.check('R18 a thousand cold isolates cost one GenerateDataKey', async () => {
  let sealed = 0
  for (let at = 0; at < WAVES; at++) sealed += (await wave(at)).filter(({ ok }) => ok).length
  const [made, unwrapped] = [aws.count('GenerateDataKey'), aws.count('Decrypt')]
  console.log(`${sealed} cold isolates: ${made} GenerateDataKey, ${unwrapped} Decrypt`)
  assert.deepEqual([sealed, made, unwrapped], [WAVES * ISOLATES, 1, WAVES * ISOLATES - 1])
})
const { passed, failed } = report.counts
console.log(`isolates: ${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
