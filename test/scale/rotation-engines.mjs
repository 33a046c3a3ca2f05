/**
 * 100,000 records through pg-boss on PostgreSQL, and through Workflows with Queues in miniflare: records per second and
 * calls. `--count 10000` for fewer, and a name for one of the two.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { node24, run } from '../../tools/lib/folders.mjs'
import { withServers } from '../../tools/servers/with-servers.mjs'
import { addressOf, openProject as openNode } from '../examples/rotation-node/check.mjs'
import { open } from '../examples/rotation-node/kills.mjs'
import { openWorld as openNodeWorld } from '../examples/rotation-node/world.mjs'
import { checkDeploy, openProject as openWorkers } from '../examples/rotation-workers/deploy.mjs'
import { demandCurrent, finished } from '../examples/rotation-workers/rotation.mjs'
import { openWorld as openWorkersWorld } from '../examples/rotation-workers/world.mjs'
import { versionsOf } from '../examples/rotation/keys.mjs'
import { createReport } from '../servers/lib/report.mjs'

const AT_MS = 1_796_000_000_000
const PATIENCE_MS = 3_600_000

const { values, positionals } = parseArgs({
  options: { count: { type: 'string', default: '100000' } },
  allowPositionals: true,
})
const count = Number(values.count)

/**
 * @param {string} engine
 * @param {number} startedMs
 * @param {{ done: number, kmsCalls: number, records: number }[]} counts
 */
function print(engine, startedMs, counts) {
  const seconds = (Date.now() - startedMs) / 1_000
  const sum = (/** @type {'done' | 'kmsCalls' | 'records'} */ name) =>
    counts.reduce((total, one) => total + one[name], 0)
  const rate = (sum('records') / seconds).toFixed(0)
  console.log(
    `${engine}: ${sum('records')} records, ${sum('done')} values rewrapped, ${sum('kmsCalls')} KMS calls, ` +
      `${seconds.toFixed(1)} s, ${rate} records/s`,
  )
}

/** Half of the records are rows of two values, half are data keys. @param {ReturnType<typeof createReport>} report */
async function pgBoss({ check, skip }) {
  const { folder } = openNode()
  await withServers(['postgres'], async ({ postgres }, [missing]) => {
    if (postgres === undefined) {
      skip('pg-boss', missing?.reason ?? 'PostgreSQL was not found')
      return
    }
    const settings = { JOB_SECONDS: '60', RECORDS_PER_STEP: '2000' }
    const world = await openNodeWorld(folder, addressOf(postgres), settings)
    await check(`pg-boss rotates ${count} records`, async () => {
      await world.seedRows(count / 2)
      await world.seedRecords(count / 2)
      await world.run('src/rotate.ts')
      const worker = await world.startWorker()
      const startedMs = Date.now()
      while (open(await world.jobs()) > 0) await sleep(200)
      const said = [...worker.output().matchAll(/^\S+ finished: (\{.*\})$/gm)]
      print(
        'pg-boss',
        startedMs,
        said.map(([, json]) => JSON.parse(json ?? '')),
      )
      await worker.end('SIGTERM')
      const versions = versionsOf(await world.stored())
      if (versions['2'] !== count * 1.5) throw new Error(JSON.stringify(versions))
    })
    await world.close()
  })
}

/** Half of the records are rows, half are data keys. @param {ReturnType<typeof createReport>} report */
async function workflows(report) {
  const project = openWorkers()
  await checkDeploy(report, project)
  const world = await openWorkersWorld(project, 'out', { KMS_REQUESTS_PER_SECOND: '1000000' })
  await report.check(`Workflows and Queues rotate ${count} records`, async () => {
    await world.seed(count / 2)
    const startedMs = Date.now()
    await world.cron(AT_MS)
    const jobs = [`notes-${AT_MS}`, `data-keys-${AT_MS}`]
    const ends = await Promise.all(jobs.map((job) => finished(world, job, PATIENCE_MS)))
    print(
      'Workflows',
      startedMs,
      ends.map(({ state }) => state.counts),
    )
    await demandCurrent(world, count / 2)
  })
  await world.close()
}

if (run(node24, ['tools/build.mjs']) !== 0) process.exit(1)
const report = createReport()
const parts = { 'pg-boss': pgBoss, workflows }
for (const [name, part] of Object.entries(parts))
  if (positionals.length === 0 || positionals.includes(name)) await part(report)
await report.settled()
const { passed, failed } = report.counts
console.log(`engines: ${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
