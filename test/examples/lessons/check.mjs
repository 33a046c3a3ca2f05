/** Lessons that need only Node, each followed by copying. The long lane follows all of them. */
import assert from 'node:assert/strict'
import { followLesson } from '../follow-lesson.mjs'

/** @type {[name: string, last: string, isLong: boolean][]} */
const LESSONS = [
  ['plaintext-column', '0\nuser2@example.com\n', false],
  ['move-to-another-kms', '{"ok":600}\n', false],
]

/** @param {import('../workers/world.mjs').Report} report  @param {boolean} [all] */
export async function checkLessons({ check }, all = process.env['EDGE_KMS_ALL_LESSONS'] === '1') {
  for (const [name, last, isLong] of LESSONS) {
    if (isLong && !all) continue
    await check(`docs/lessons/${name}.md, followed by copying, ends as it says`, async () => {
      const startedMs = performance.now()
      const local = (/** @type {string} */ command) => command
      const printed = await followLesson(`docs/lessons/${name}.md`, { ready: '', local })
      console.log(`lessons/${name}: ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`)
      assert.equal(printed.at(-1), last)
    })
  }
}
