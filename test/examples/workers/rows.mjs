/** Rows in D1: what is stored, what a page costs, and what is refused. */
import assert from 'node:assert/strict'

const TENANT = 'eu-acme'
const HALF = 40

/** @param {number} i */
const customerOf = (i) => ({
  id: `customer-${String(i).padStart(3, '0')}`,
  name: `Customer ${String(i)}`,
  email: `customer-${String(i)}@example.com`,
  iban: `DE89 3704 0044 0532 ${String(i).padStart(6, '0')}`,
})

const all = Array.from({ length: 2 * HALF }, (_, i) => customerOf(i))

/**
 * Two isolates write, each under a data key of its own: the Durable Object is lost between them.
 *
 * @param {import('./world.mjs').Report} report
 * @param {import('./world.mjs').World} world
 */
export async function checkWrites({ check }, { session, migration, aws }) {
  await check('rows that two isolates write cost two data keys', async () => {
    for (const from of [0, HALF]) {
      await session(async ({ fetch, database }) => {
        if (from === 0) await database.prepare(migration).run()
        for (const { id, ...body } of all.slice(from, from + HALF)) {
          const init = { method: 'PUT', body: JSON.stringify(body) }
          assert.equal((await fetch(TENANT, `/customers/${id}`, init)).status, 204)
        }
      })
    }
    assert.equal(aws.count('GenerateDataKey'), 2)
  })
}

/**
 * @param {import('./world.mjs').Report} report
 * @param {import('./world.mjs').World} world
 * @param {import('./world.mjs').App} app a cold one
 */
export async function checkRows({ check }, { aws }, { fetch, database }) {
  await check('a page of 160 envelopes costs one unwrap for each data key', async () => {
    aws.forgetCalls()
    assert.deepEqual(await (await fetch(TENANT, '/customers')).json(), all)
    const calls = aws.count()
    console.log(`workers: ${2 * all.length} envelopes of a page cost ${calls} calls of the KMS`)
    assert.deepEqual([calls, aws.count('Decrypt')], [2, 2])
    const rest = await fetch(TENANT, `/customers?after=${all[HALF - 1]?.id ?? ''}`)
    assert.deepEqual(await rest.json(), all.slice(HALF))
    assert.equal(aws.count(), 2)
  })

  await check('the database holds no plaintext of an encrypted column', async () => {
    const { results } = await database.prepare('SELECT email, iban FROM customers').all()
    assert.equal(results.length, all.length)
    const text = results.map(({ email, iban }) => latin1(email) + latin1(iban)).join('')
    assert.ok(text.length > 200 * all.length)
    for (const clear of ['example.com', 'DE89']) assert.ok(!text.includes(clear), clear)
  })

  await check(
    'values that were swapped between rows, columns or tenants are refused alone',
    async () => {
      const [first, second, third, fourth, ...others] = all
      assert.ok(first && second && third && fourth)
      const swap =
        'UPDATE customers SET iban = (SELECT iban FROM customers WHERE id = ?) WHERE id = ?'
      await database.prepare(swap).bind(second.id, first.id).run()
      await database.prepare('UPDATE customers SET email = iban WHERE id = ?').bind(third.id).run()
      const copy = `INSERT INTO customers SELECT 'eu-globex', id, name, email, iban FROM customers WHERE id = ?`
      await database.prepare(copy).bind(fourth.id).run()

      const error = 'the row was changed in the database'
      const page = await (await fetch(TENANT, '/customers')).json()
      const refused = [{ id: first.id, error }, second, { id: third.id, error }]
      assert.deepEqual(page, [...refused, fourth, ...others])
      const stolen = await (await fetch('eu-globex', '/customers')).json()
      assert.deepEqual(stolen, [{ id: fourth.id, error }])
    },
  )
}

/** @param {unknown} blob as D1 returns it */
const latin1 = (blob) => Buffer.from(/** @type {number[]} */ (blob)).toString('latin1')
