import { checkCallers } from './callers.mjs'
import { checkDeploy } from './deploy.mjs'
import { checkFiles, checkUpload } from './files.mjs'
import { checkIsolates } from './isolates.mjs'
import { checkLesson } from './lesson.mjs'
import { openProject } from './project.mjs'
import { checkRows, checkWrites } from './rows.mjs'
import { openWorld } from './world.mjs'

/** @param {import('./world.mjs').Report} report */
export async function checkWorkers(report) {
  const started = Date.now()
  const seconds = () => ((Date.now() - started) / 1_000).toFixed(1)
  const project = openProject()
  console.log(`workers: ready after ${seconds()} s`)
  await checkDeploy(report, project)
  const world = await openWorld(project)
  await checkWrites(report, world)
  await world.session((app) => checkUpload(report, app))
  await world.session(async (app) => {
    await checkRows(report, world, app)
    await checkFiles(report, world, app)
    await checkCallers(report, world, app)
  })
  await checkIsolates(report, project, world)
  await checkLesson(report)
  console.log(`workers: ${seconds()} s`)
}
