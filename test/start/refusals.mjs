import assert from 'node:assert/strict'
import { mapHeaders } from './curl.mjs'
import { demandProblem, MARKER } from './world.mjs'

/**
 * Requests that must never reach the cipher.
 * @param {import('./world.mjs').Report} report
 * @param {import('./world.mjs').World} world
 * @param {string} url
 */
export function checkRefusals({ check }, world, url) {
  const encrypt = (headers, query = '') => {
    return world.curl(`${url}/v1/encrypt${query}`, { body: Buffer.from(MARKER), headers })
  }

  for (const [name, context] of [
    ['a duplicate key', '{"tenant":"acme","tenant":"other"}'],
    ['the same key in other letters', '{"tenant":"acme","Tenant":"other"}'],
    ['a character that is not ASCII', '{"tenant":"acmé"}'],
    ['a value that is not a string', '{"tenant":1}'],
    ['a list', '["tenant"]'],
    ['a reserved name', '{"edge-kms:dk":"x"}'],
    ['a lone surrogate', '{"tenant":"\\ud800"}'],
    ['no JSON', 'tenant=acme'],
    ['more than 4,096 bytes', JSON.stringify({ tenant: 'a'.repeat(5_000) })],
  ]) {
    void check(`a context with ${name} is refused`, async () => {
      const problem = demandProblem(
        await encrypt(mapHeaders({ context })),
        400,
        'ERR_CONTEXT_INVALID',
      )
      assert.equal(problem.retryable, false)
    })
  }

  void check('an aad with a duplicate key is refused', async () => {
    const aad = '{"file":"a","file":"b"}'
    demandProblem(await encrypt(mapHeaders({ aad })), 400, 'ERR_CONTEXT_INVALID')
  })

  void check('a header larger than the server takes never reaches the cipher', async () => {
    const context = JSON.stringify({ tenant: 'a'.repeat(100_000) })
    const answer = await encrypt(mapHeaders({ context }))
    assert.ok(answer.exitCode !== 0 || (answer.status >= 400 && answer.status < 500))
  })

  void check('a header that is given twice is refused', async () => {
    const args = ['-H', 'Edge-Kms-Context: {"tenant":"acme"}']
    const call = { body: Buffer.from(MARKER), headers: mapHeaders(), args }
    demandProblem(await world.curl(`${url}/v1/encrypt`, call), 400, 'ERR_CONTEXT_INVALID')
  })

  for (const name of ['Edge-Kms-Contxt', 'Edge-Kms-', 'edge-kms-additional-data']) {
    void check(`the header ${name} is refused, not ignored`, async () => {
      demandProblem(await encrypt({ [name]: '{"a":"b"}' }), 400, 'ERR_GATEWAY_BAD_REQUEST')
    })
  }

  void check('rewrap takes no aad, and says so', async () => {
    const call = { body: Buffer.from('x'), headers: mapHeaders() }
    demandProblem(await world.curl(`${url}/v1/rewrap`, call), 400, 'ERR_GATEWAY_BAD_REQUEST')
  })

  void check('a query is refused, not ignored', async () => {
    const answer = await encrypt(mapHeaders(), '?context=x')
    demandProblem(answer, 400, 'ERR_GATEWAY_BAD_REQUEST')
  })

  const { port } = new URL(url)
  for (const host of ['evil.example', `evil.example:${port}`, `127.0.0.1.evil.example:${port}`]) {
    void check(`the host ${host.replace(port, 'PORT')} is refused on every route`, async () => {
      demandProblem(await encrypt({ ...mapHeaders(), Host: host }), 421, 'ERR_GATEWAY_HOST_REFUSED')
      for (const path of ['/', '/healthz', '/metrics', '/nothing']) {
        const answer = await world.curl(`${url}${path}`, { method: 'GET', headers: { Host: host } })
        demandProblem(answer, 421, 'ERR_GATEWAY_HOST_REFUSED')
      }
    })
  }

  void check('localhost is this machine too', async () => {
    const answer = await encrypt({ ...mapHeaders(), Host: `localhost:${port}` })
    assert.equal(answer.status, 200)
  })

  for (const [name, value] of [
    ['Origin', 'https://evil.example'],
    ['Origin', 'null'],
    ['Origin', `http://127.0.0.1:${Number(port) ^ 1}`],
    ['Sec-Fetch-Site', 'cross-site'],
    ['Sec-Fetch-Site', 'same-site'],
  ]) {
    void check(`${name}: ${value.replace(/\d+$/, 'OTHER')} is refused`, async () => {
      const answer = await encrypt({ ...mapHeaders(), [name]: value })
      demandProblem(answer, 403, 'ERR_GATEWAY_CROSS_SITE')
      assert.doesNotMatch(answer.head, /^access-control-/im)
    })
  }

  void check('the preflight of a web page is refused', async () => {
    const headers = { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' }
    const answer = await world.curl(`${url}/v1/decrypt`, { method: 'OPTIONS', headers })
    demandProblem(answer, 403, 'ERR_GATEWAY_CROSS_SITE')
    assert.doesNotMatch(answer.head, /^access-control-/im)
  })
}
