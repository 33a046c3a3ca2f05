import { checkClone } from './clone.mjs'
import { checkExample } from './example.mjs'
import { checkLesson } from './lesson.mjs'
import { checkPermissions } from './permissions.mjs'
import { openExample, openFolder } from './project.mjs'

/** @param {import('../workers/world.mjs').Report} report */
export async function checkDeno(report) {
  const started = Date.now()
  await checkClone(report)
  await checkExample(report, openExample())
  await checkPermissions(report, openFolder())
  await checkLesson(report)
  console.log(`deno: ${((Date.now() - started) / 1_000).toFixed(1)} s`)
}
