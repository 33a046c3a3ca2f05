/** Lessons that need only Node, each followed by copying. The long lane follows all of them. */
import assert from 'node:assert/strict'
import { freePort } from '../../start/gateway-process.mjs'
import { followLesson } from '../follow-lesson.mjs'

/**
 * @typedef {object} Lesson
 * @property {string} name
 * @property {string} last line that it prints
 * @property {string} [port] that its server uses
 * @property {boolean} [isLong] whether only the long lane follows it
 */

/** @type {Lesson[]} */
const LESSONS = [
  { name: 'plaintext-column', last: '0\nuser2@example.com\n' },
  { name: 'move-to-another-kms', last: '{"ok":600}\n' },
  {
    name: 'kms-outage',
    last: 'one region down, reads: 4111 1111\none region down, a new data key: ERR_KMS_UNAVAILABLE\n',
    port: '8790',
  },
  { name: 'leave-the-aws-encryption-sdk', last: '4111 7\n', port: '8790', isLong: true },
]

/** @param {import('../workers/world.mjs').Report} report  @param {boolean} [all] */
export async function checkLessons({ check }, all = process.env['EDGE_KMS_ALL_LESSONS'] === '1') {
  for (const { name, last, port = '', isLong = false } of LESSONS) {
    if (isLong && !all) continue
    await check(`docs/lessons/${name}.md, followed by copying, ends as it says`, async () => {
      const startedMs = performance.now()
      const free = port === '' ? '' : String(await freePort())
      const local = (/** @type {string} */ text) =>
        port === '' ? text : text.replaceAll(port, free)
      const printed = await followLesson(`docs/lessons/${name}.md`, { ready: 'listens', local })
      console.log(`lessons/${name}: ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`)
      assert.equal(printed.at(-1), last)
    })
  }
}
