/** docs/lessons/workers.md, followed by copying, under `wrangler dev`. */
import assert from 'node:assert/strict'
import { freePort } from '../../start/gateway-process.mjs'
import { followLesson } from '../follow-lesson.mjs'

/** @param {import('./world.mjs').Report} report */
export async function checkLesson({ check }) {
  await check(
    'the lesson, followed by copying, ends with a decrypted row and a range of a file',
    async () => {
      const port = String(await freePort())
      const local = (/** @type {string} */ command) => command.replaceAll('8787', port)
      const printed = await followLesson('docs/lessons/workers.md', { ready: 'Ready on', local })
      assert.ok(printed.includes('DE89 3704 0044 0532 0130 00\n'))
      assert.ok(printed.includes('1500000\n1500001\n'))
      assert.equal(printed.at(-1), '416\n')
    },
  )
}
