/** A local key that is replaced: encrypt, restart, decrypt, rewrap, and go on without the old one. */
import assert from 'node:assert/strict'
import { all } from './rows.mjs'

const newKey = () => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64')

/**
 * @param {import('./check.mjs').Report} report
 * @param {import('./world.mjs').World} world
 * @param {import('./server.mjs').Runtime} runtime
 */
export async function checkRestart({ check }, { database, query, run, session }, runtime) {
  const DATABASE_URL = database
  const [EDGE_KMS_KEY_V1, EDGE_KMS_KEY_V2] = [newKey(), newKey()]
  const some = all.slice(0, 5)

  await check(`${runtime} encrypts, restarts, decrypts and rewraps under a new key`, async () => {
    await query('TRUNCATE customers')
    const first = { DATABASE_URL, EDGE_KMS_KEY_V1 }
    const reads = async (/** @type {import('./server.mjs').Server} */ { ask }) => {
      assert.deepEqual(await (await ask('acme', '/customers')).json(), some)
    }
    await session(
      runtime,
      async ({ ask }) => {
        for (const { id, ...body } of some) await ask('acme', `/customers/${id}`, body)
      },
      first,
    )
    await session(runtime, reads, first)
    const printed = await run(runtime, 'src/rewrap.ts', { ...first, EDGE_KMS_KEY_V2 })
    assert.equal(printed, 'rewrapped 5 rows\n')
    await session(runtime, reads, { DATABASE_URL, EDGE_KMS_KEY_V2 })
  })

  await check(`${runtime} cannot read what a key that is gone has wrapped`, () =>
    session(
      runtime,
      async ({ ask }) => {
        const answer = await ask('acme', '/customers')
        assert.equal(answer.status, 502)
        assert.equal((await answer.json()).code, 'ERR_KMS_KEY_NOT_FOUND')
      },
      { DATABASE_URL, EDGE_KMS_KEY_V1 },
    ),
  )
}
