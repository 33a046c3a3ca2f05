/** Rows in PostgreSQL: what is stored, and what a page costs. */
import assert from 'node:assert/strict'

const HALF = 40

/** @param {number} i */
const customerOf = (i) => ({
  id: `customer-${String(i).padStart(3, '0')}`,
  name: `Customer ${i}`,
  email: `customer-${i}@example.com`,
  iban: `DE89 3704 0044 0532 ${String(i).padStart(6, '0')}`,
})

export const all = Array.from({ length: 2 * HALF }, (_, i) => customerOf(i))

/**
 * @param {import('./check.mjs').Report} report
 * @param {import('./world.mjs').World} world
 * @param {import('./server.mjs').Runtime} runtime
 */
export async function checkRows({ check }, world, runtime) {
  const { aws, query, run, session } = world
  const other = runtime === 'node' ? 'bun' : 'node'

  await check(`${runtime} encrypts, restarts, and the other runtime goes on`, async () => {
    await run(runtime, 'src/migrate.ts')
    await query('TRUNCATE customers')
    aws.forgetCalls()
    for (const [writer, from] of /** @type {const} */ ([
      [runtime, 0],
      [other, HALF],
    ]))
      await session(writer, async ({ ask }) => {
        for (const { id, ...body } of all.slice(from, from + HALF))
          assert.equal((await ask('acme', `/customers/${id}`, body)).status, 204)
      })
    assert.equal(aws.count('GenerateDataKey'), 2)
    assert.equal(aws.count(), 2)
  })

  await check(
    `${runtime} decrypts a page of 160 envelopes with one unwrap a data key`,
    async () => {
      aws.forgetCalls()
      await session(runtime, async ({ ask }) => {
        const page = await ask('acme', '/customers')
        assert.equal(page.headers.get('cache-control'), 'no-store')
        assert.deepEqual(await page.json(), all)
        assert.deepEqual([aws.count(), aws.count('Decrypt')], [2, 2])
        const rest = await ask('acme', `/customers?after=${all[HALF - 1]?.id ?? ''}`)
        assert.deepEqual(await rest.json(), all.slice(HALF))
        assert.deepEqual(await (await ask('acme', `/customers/${all[3]?.id}`)).json(), all[3])
        assert.equal(aws.count(), 2)
        assert.deepEqual(await (await ask('globex', '/customers')).json(), [])
      })
    },
  )

  await check(`${runtime} leaves no plaintext of an encrypted column in the database`, async () => {
    const rows = await query('SELECT email, iban FROM customers')
    assert.equal(rows.length, all.length)
    const text = rows.map(({ email, iban }) => email.toString('latin1') + iban.toString('latin1'))
    assert.ok(text.join('').length > 200 * all.length)
    for (const clear of ['example.com', 'DE89']) assert.ok(!text.join('').includes(clear), clear)
  })
}
