/** docs/lessons/node.md, followed by copying, against PostgreSQL. */
import assert from 'node:assert/strict'
import { freePort } from '../../start/gateway-process.mjs'
import { followLesson } from '../follow-lesson.mjs'

const IBAN = 'DE89 3704 0044 0532 0130 00\n'

/**
 * @param {import('./check.mjs').Report} report
 * @param {string} database its URL
 */
export async function checkLesson({ check }, database) {
  await check('the lesson for Node, followed by copying, ends with a decrypted value', async () => {
    const port = String(await freePort())
    const local = (/** @type {string} */ command) => command.replaceAll('3000', port)
    const env = { DATABASE_URL: database, PORT: port }
    const printed = await followLesson('docs/lessons/node.md', {
      ready: 'listening on',
      local,
      env,
    })
    assert.equal(printed.filter((text) => text.includes('DE89')).length, 2)
    assert.equal(printed.at(-1), IBAN)
  })
}
