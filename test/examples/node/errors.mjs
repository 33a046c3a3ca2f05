/** The answers that callers get when a request, a row or the KMS is wrong. */
import assert from 'node:assert/strict'
import { all } from './rows.mjs'

/**
 * @param {import('./check.mjs').Report} report
 * @param {import('./world.mjs').World} world with the rows of `checkRows`
 * @param {import('./server.mjs').Runtime} runtime
 */
export async function checkErrors({ check }, { keyId, query, session, switchKey }, runtime) {
  const [first, second, ...others] = all
  assert.ok(first && second)

  await check(`${runtime} refuses callers without a token, and requests that are wrong`, () =>
    session(runtime, async ({ url, ask }) => {
      for (const authorization of ['', 'Bearer x', `Bearer ${'c'.repeat(32)}`]) {
        const answer = await fetch(new URL('/customers', url), { headers: { authorization } })
        assert.equal(answer.status, 401)
        assert.equal(answer.headers.get('www-authenticate'), 'Bearer')
      }
      assert.equal((await ask('acme', '/customers/unknown')).status, 404)
      assert.equal((await ask('acme', '/customers/a', { name: 'a' })).status, 400)
      const long = { name: 'a', email: 'b', iban: 'c'.repeat(100_000) }
      assert.equal((await ask('acme', '/customers/a', long)).status, 413)
    }),
  )

  await check(`${runtime} answers a row that was changed with a problem, and pages on`, () =>
    session(runtime, async ({ ask, output }) => {
      const swap =
        'UPDATE customers SET iban = (SELECT iban FROM customers WHERE id = $1) WHERE id = $2'
      await query(swap, [second.id, first.id])
      const answer = await ask('acme', `/customers/${first.id}`)
      assert.equal(answer.status, 422)
      assert.equal(answer.headers.get('content-type'), 'application/problem+json')
      const problem = { code: 'ERR_DECRYPT_FAILED', title: 'decryption failed' }
      assert.deepEqual(await answer.json(), { ...problem, status: 422, retryable: false })
      assert.ok(output().includes('ERR_DECRYPT_FAILED'), output())
      const damaged = { id: first.id, error: 'the row was changed in the database' }
      const page = await (await ask('acme', '/customers')).json()
      assert.deepEqual(page, [damaged, second, ...others])
    }),
  )

  await check(`${runtime} does not open a row that was copied to another tenant`, () =>
    session(runtime, async ({ ask }) => {
      await query(
        `INSERT INTO customers SELECT 'globex', id, name, email, iban FROM customers WHERE id = $1`,
        [second.id],
      )
      assert.equal((await ask('globex', `/customers/${second.id}`)).status, 422)
      const damaged = { id: second.id, error: 'the row was changed in the database' }
      assert.deepEqual(await (await ask('globex', '/customers')).json(), [damaged])
    }),
  )

  await check(`${runtime} answers for a KMS that refuses, and for a database that is down`, () =>
    session(runtime, async ({ ask, output }) => {
      await switchKey('DisableKey')
      try {
        const answer = await ask('acme', '/customers')
        assert.equal(answer.status, 502)
        const text = await answer.text()
        assert.equal(JSON.parse(text).code, 'ERR_KMS_KEY_DISABLED')
        assert.ok(!text.includes(keyId), text)
      } finally {
        await switchKey('EnableKey')
      }
      await query('ALTER TABLE customers RENAME TO gone')
      try {
        const answer = await ask('acme', '/customers')
        assert.equal(answer.status, 500)
        const text = await answer.text()
        assert.equal(JSON.parse(text).code, 'ERR_GATEWAY_INTERNAL')
        assert.ok(!text.includes('relation'), text)
        assert.ok(output().includes('relation "customers" does not exist'), output())
      } finally {
        await query('ALTER TABLE gone RENAME TO customers')
      }
    }),
  )
}
