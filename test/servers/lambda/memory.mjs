/** 128 MB are enough: the example under a limit on the memory of its process. */
import assert from 'node:assert/strict'
import { urlEvent } from './events.mjs'
import { withFunction } from './function-process.mjs'
import { limitMemory } from './memory-limit.mjs'

const MOST = 128 * 1024 * 1024
const ROUNDS = 200

export async function checkMemory(check, skip, { aws, template, env, ric, root }) {
  const limit = limitMemory(MOST)
  if ('missing' in limit) return skip('works in 128 MB', limit.missing)
  await check('works in 128 MB', async () => {
    const Statement = template.statementsOf('Http')
    const user = await aws.userWith('memory', JSON.stringify({ Version: '2012-10-17', Statement }))
    const { prefix } = limit
    const place = { ric, root, handler: 'http.handler', env: { ...env, ...user }, prefix }
    try {
      await withFunction(place, async (fn) => {
        const card = 'x'.repeat(100_000)
        for (let at = 0; at < ROUNDS; at++) {
          const path = `/cards/m${at % 10}`
          assert.equal((await fn.invoke(urlEvent('PUT', path, card))).statusCode, 204)
          assert.equal((await fn.invoke(urlEvent('GET', path))).body, card)
        }
      })
      assert.equal(limit.kills(), 0)
      const mib = (limit.peak() / 1024 / 1024).toFixed(0)
      console.log(`lambda: ${ROUNDS} puts and gets of 100 KB within 128 MiB, peak ${mib} MiB`)
    } finally {
      limit.remove()
    }
  })
}
