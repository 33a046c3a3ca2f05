/** Checks the answers of the app and the vault to callers without permission. */
import assert from 'node:assert/strict'
import { root } from '../../../tools/lib/folders.mjs'
import { TOKENS } from './world.mjs'

// By a path that the compiler does not follow: the file is of another program, with the types of Workers.
const { authenticate } = await import(`${root}/examples/workers/app/src/authenticate.ts`)

const ROUTES = [
  ['GET', '/customers'],
  ['PUT', '/customers/eve'],
  ['GET', '/files/report.txt'],
  ['PUT', '/files/eve'],
]

/**
 * @param {import('./world.mjs').Report} report
 * @param {import('./world.mjs').World} world
 * @param {import('./world.mjs').App} app
 */
export async function checkCallers({ check }, { aws }, { url, ask, bucket, database, ...app }) {
  await check(
    'a caller without the token of a tenant is refused before the vault is asked',
    async () => {
      aws.forgetCalls()
      const token = TOKENS['eu-acme']
      const right = `Bearer ${token}`
      const wrong = [
        undefined,
        token,
        `${right}x`,
        `Bearer ${token.slice(1)}`,
        'Bearer ',
        `Basic ${token}`,
      ]
      for (const authorization of wrong) {
        for (const [method = '', path = ''] of ROUTES) {
          const init = { method, headers: authorization === undefined ? {} : { authorization } }
          const { status } = await fetch(new URL(path, url), init)
          assert.equal(status, 401, `${authorization ?? 'nothing'} ${method} ${path}`)
        }
      }
      assert.equal(aws.count(), 0)
    },
  )

  await check(
    'tokens that are malformed let nobody in, and the error does not show them',
    async () => {
      const headers = { authorization: `Bearer ${TOKENS['eu-acme']}` }
      const request = new Request('http://app/', { headers })
      const broken = `{"eu-acme":"${TOKENS['eu-acme']}"`
      await assert.rejects(authenticate(request, broken), ({ message, stack }) => {
        assert.match(message, /^the secret TOKENS must be JSON/)
        return !String(stack).includes('aaaa')
      })
    },
  )

  await check('a customer that is malformed is the mistake of the caller', async () => {
    for (const body of ['', '{', '[]', '{"name":"Eve"}', '{"name":"Eve","email":1,"iban":"DE"}']) {
      const init = { method: 'PUT', body }
      assert.equal((await app.fetch('eu-acme', '/customers/eve', init)).status, 400, body)
    }
  })

  await check('a tenant sees neither rows nor files of another', async () => {
    await database.prepare("DELETE FROM customers WHERE tenant = 'eu-globex'").run()
    assert.deepEqual(await (await app.fetch('eu-globex', '/customers')).json(), [])
    for (const path of [
      'eu-acme%2Freport.txt',
      '..%2Feu-acme%2Freport.txt',
      '../eu-acme/report.txt',
    ])
      assert.equal((await app.fetch('eu-globex', `/files/${path}`)).status, 404, path)
  })

  await check('R39 a tenant that the policy of the binding does not allow is refused', async () => {
    aws.forgetCalls()
    const body = JSON.stringify({ name: 'Eve', email: 'e@example.com', iban: 'DE' })
    const answers = [
      await app.fetch('us-initech', '/customers/eve', { method: 'PUT', body }),
      await app.fetch('us-initech', '/files/report.txt', { method: 'PUT', body }),
      await app.fetch('us-initech', '/files/report.txt'),
    ]
    for (const answer of answers) {
      assert.equal(answer.status, 403)
      assert.deepEqual(await answer.json(), { code: 'ERR_KMS_ACCESS_DENIED' })
    }
    assert.equal(await bucket.head('us-initech/report.txt'), null)
    assert.equal(aws.count(), 0)
  })

  await check('R39 a Worker that binds the vault without props is refused everything', async () => {
    aws.forgetCalls()
    const answers = await (await ask('stranger', 'http://stranger/')).json()
    const error = ['ERR_KMS_ACCESS_DENIED', 'the binding has no policy, so nothing is allowed']
    assert.equal(/** @type {unknown[]} */ (answers).length, 4)
    for (const answer of /** @type {any[]} */ (answers)) {
      assert.equal(answer.ok, false)
      assert.deepEqual([answer.error.code, answer.error.message], error)
    }
    assert.equal(aws.count(), 0)
  })

  await check('the vault has no route', async () => {
    for (const path of ['/', '/v1/decrypt', '/files/eu-acme/report.txt'])
      assert.equal((await ask('vault', `http://vault${path}`)).status, 404)
  })
}
