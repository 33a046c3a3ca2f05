/** R41, 128 MB are enough: the example under a limit on the memory of its process. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { node24 } from '../../../tools/lib/folders.mjs'
import { policyOf } from './aws.mjs'
import { urlEvent } from './events.mjs'
import { withFunction } from './function-process.mjs'
import { limitMemory } from './memory-limit.mjs'

const MOST = 128 * 1024 * 1024
const ROUNDS = 200
/** A control: the limit must end this. */
const tooMuch = 'Buffer.alloc(200 * 1024 * 1024, 1)'

export async function checkMemory(check, skip, { aws, template, env, ric, root }) {
  const limit = limitMemory(MOST)
  if ('missing' in limit) return skip('works in 128 MB', limit.missing)
  await check('works in 128 MB', async () => {
    const user = await aws.userWith('memory', policyOf(template.statementsOf('Http')))
    const { prefix } = limit
    const place = { ric, root, handler: 'http.handler', env: { ...env, ...user }, prefix }
    let resident = 0
    try {
      await withFunction(place, async (fn) => {
        const card = 'x'.repeat(100_000)
        for (let at = 0; at < ROUNDS; at++) {
          const path = `/cards/m${at % 10}`
          assert.equal((await fn.invoke(urlEvent('PUT', path, card))).statusCode, 204)
          assert.equal((await fn.invoke(urlEvent('GET', path))).body, card)
        }
        // The group counts what the process took for itself; this counts the mapped program too.
        const [, hwm] =
          /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${fn.pid}/status`, 'utf8')) ?? []
        resident = Number(hwm) / 1024
      })
      assert.equal(limit.kills(), 0)
      const mib = (limit.peak() / 1024 / 1024).toFixed(0)
      console.log(
        `lambda: ${ROUNDS} puts and gets of 100 KB, peak ${mib} MiB, ${resident.toFixed(0)} MiB with the program`,
      )
      assert.ok(resident > 0 && resident <= 128, `${resident} MiB`)
      assert.notEqual(
        spawnSync(prefix[0] ?? '', [...prefix.slice(1), node24, '-e', tooMuch]).status,
        0,
      )
      assert.equal(limit.kills(), 1, 'the limit does not bite')
    } finally {
      limit.remove()
    }
  })
}
