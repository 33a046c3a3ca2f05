/** docs/lessons/rotation.md, followed by copying. It needs no server. */
import assert from 'node:assert/strict'
import { followLesson } from '../follow-lesson.mjs'

/** @param {ReturnType<typeof import('../../servers/lib/report.mjs').createReport>} report */
export async function checkRotation(report) {
  const started = Date.now()
  await report.check(
    'the lesson of rotation, followed by copying, ends with a retired version that the table does not need',
    async () => {
      const local = (/** @type {string} */ command) => command
      const printed = await followLesson('docs/lessons/rotation.md', { ready: '', local })
      assert.ok(printed.includes('referenced by 1 value(s)\n'))
      assert.equal(printed.at(-1), '{"ok":1000}\n{"ERR_KMS_KEY_NOT_FOUND":1000}\n')
    },
  )
  console.log(`rotation: ${((Date.now() - started) / 1_000).toFixed(1)} s`)
}
