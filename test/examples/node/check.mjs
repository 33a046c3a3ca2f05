import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root, toolEnv } from '../../../tools/lib/folders.mjs'
import { password, user } from '../../../tools/servers/postgres.mjs'
import { withServers } from '../../../tools/servers/with-servers.mjs'
import { copyExample } from '../project.mjs'
import { checkErrors } from './errors.mjs'
import { checkLesson } from './lesson.mjs'
import { checkProfiles } from './profiles.mjs'
import { checkRestart } from './restart.mjs'
import { checkRows } from './rows.mjs'
import { openWorld } from './world.mjs'

/** @typedef {ReturnType<typeof import('../../servers/lib/report.mjs').createReport>} Report */

/** examples/node and its lesson, against PostgreSQL. @param {Report} report */
export async function checkNode(report) {
  const started = Date.now()
  const { folder } = copyExample('node', ['package.json', 'tsconfig.json', 'schema.sql', 'src'])
  await report.check('node compiles with the settings of its own tsconfig.json', () => {
    const tsc = join(root, 'node_modules', '.bin', 'tsc')
    const done = spawnSync(tsc, ['-p', '.'], { cwd: folder, env: toolEnv(), encoding: 'utf8' })
    if (done.status !== 0) throw new Error(done.stdout)
  })
  await checkProfiles(report, folder)
  await withServers(['postgres'], async ({ postgres }, [missing]) => {
    if (postgres === undefined) {
      report.skip('node', missing?.reason ?? 'PostgreSQL was not found')
      return
    }
    const database = `postgres://${user}:${password}@127.0.0.1:${postgres.port}/postgres`
    const world = await openWorld(folder, database)
    try {
      for (const runtime of /** @type {const} */ (['node', 'bun'])) {
        await checkRows(report, world, runtime)
        await checkErrors(report, world, runtime)
        await checkRestart(report, world, runtime)
      }
      await checkLesson(report, database)
    } finally {
      await world.close()
    }
  })
  console.log(`node: ${((Date.now() - started) / 1_000).toFixed(1)} s`)
}
