import { checkDeploy, openProject } from './deploy.mjs'
import { checkRotation } from './rotation.mjs'
import { openWorld } from './world.mjs'

/** examples/rotation-workers in miniflare. @param {import('../workers/world.mjs').Report} report */
export async function checkRotationWorkers(report) {
  const started = Date.now()
  const project = openProject()
  await checkDeploy(report, project)
  // Parts of few steps, so that a rotation has several; and slow ones, so that a pause and a crash hit one.
  const world = await openWorld(project, 'out', {
    RECORDS_PER_STEP: '10',
    STEPS_PER_INSTANCE: '8',
    KMS_REQUESTS_PER_SECOND: '120',
  })
  try {
    await checkRotation(report, world)
  } finally {
    await world.close()
  }
  console.log(`rotation-workers: ${((Date.now() - started) / 1_000).toFixed(1)} s`)
}
