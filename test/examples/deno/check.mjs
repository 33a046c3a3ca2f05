import { checkExample } from './example.mjs'
import { checkImports } from './imports.mjs'
import { checkLesson } from './lesson.mjs'
import { checkPermissions } from './permissions.mjs'
import { openExample, openFolder } from './project.mjs'

/** @param {import('../workers/world.mjs').Report} report */
export async function checkDeno(report) {
  const started = Date.now()
  const folder = openFolder()
  await checkImports(report, folder)
  await checkExample(report, openExample())
  await checkPermissions(report, folder)
  await checkLesson(report)
  console.log(`deno: ${((Date.now() - started) / 1_000).toFixed(1)} s`)
}
