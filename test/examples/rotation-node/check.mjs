import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root, toolEnv } from '../../../tools/lib/folders.mjs'
import { password, user } from '../../../tools/servers/postgres.mjs'
import { withServers } from '../../../tools/servers/with-servers.mjs'
import { copyExample } from '../project.mjs'
import { checkKills } from './kills.mjs'
import { openWorld } from './world.mjs'

/** Returns the example over the packed package. */
export const openProject = () =>
  copyExample('rotation-node', ['package.json', 'tsconfig.json', 'schema.sql', 'src'])

/** Returns the address of a PostgreSQL. @param {{ port: number }} server */
export const addressOf = ({ port }) => `postgres://${user}:${password}@127.0.0.1:${port}/postgres`

/** examples/rotation-node against PostgreSQL. @param {import('../node/check.mjs').Report} report */
export async function checkRotationNode(report) {
  const started = Date.now()
  const { folder } = openProject()
  await report.check('rotation-node compiles with the settings of its own tsconfig.json', () => {
    const tsc = join(root, 'node_modules', '.bin', 'tsc')
    const done = spawnSync(tsc, ['-p', '.'], { cwd: folder, env: toolEnv(), encoding: 'utf8' })
    if (done.status !== 0) throw new Error(done.stdout)
  })
  await withServers(['postgres'], async ({ postgres }, [missing]) => {
    if (postgres === undefined) {
      report.skip('rotation-node', missing?.reason ?? 'PostgreSQL was not found')
      return
    }
    // A job is lost for two seconds at most, and a step is short: kills hit one.
    const settings = { JOB_SECONDS: '2', RECORDS_PER_STEP: '20' }
    const world = await openWorld(folder, addressOf(postgres), settings)
    try {
      await checkKills(report, world)
    } finally {
      await world.close()
    }
  })
  console.log(`rotation-node: ${((Date.now() - started) / 1_000).toFixed(1)} s`)
}
