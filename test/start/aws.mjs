import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { createFakeAws } from '../../adapters/fakes/index.ts'
import { openFront } from '../../tools/servers/front.mjs'
import { demandRefusal } from './start-up.mjs'
import { demandProblem, MARKER } from './world.mjs'

/**
 * AWS KMS by variables, against our own fake of it: it verifies signatures and binds contexts.
 * @param {import('./world.mjs').Report} report
 * @param {import('./world.mjs').World} world
 */
export async function checkAws({ check }, world) {
  const aws = createFakeAws()
  const { arn } = aws.createKey()
  const front = await openFront((request) => aws.fetch(request))
  world.atTheEnd(front.close)
  const { accessKeyId, secretAccessKey } = aws.credentials
  world.keepSecret(secretAccessKey)
  /** Credentials that lie around, as on any developer's machine. */
  const ambient = {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: '',
    AWS_REGION: 'us-east-1',
    EDGE_KMS_AWS_ENDPOINT: front.url,
  }
  const chosen = { ...ambient, EDGE_KMS_AWS_KEY_ID: arn, AWS_REGION: '' }
  const body = Buffer.from(MARKER)
  /** @type {Buffer} */
  let sealed

  void check('EDGE_KMS_AWS_KEY_ID encrypts through AWS KMS, with the context', async () => {
    const gateway = world.start(chosen)
    const { url, output } = await gateway.ready()
    assert.ok(output.includes(arn))
    sealed = (await world.curl(`${url}/v1/encrypt`, { body })).body
    assert.equal(aws.count('GenerateDataKey'), 1)
    const call = aws.calls.find(({ operation }) => operation === 'GenerateDataKey')
    assert.deepEqual([call?.keyArn, call?.context?.['tenant']], [arn, 'acme'])
    const shown = await world.curl(`${url}/v1/inspect`, { body: sealed, headers: {} })
    const facts = JSON.parse(shown.body.toString())
    assert.deepEqual([facts.wraps[0].provider, facts.canOpen], ['aws-kms', true])
    assert.ok(!existsSync(gateway.files.keyFile))
    await gateway.stop()
  })

  void check('and decrypts through it after a restart', async () => {
    const gateway = world.start(chosen)
    const { url } = await gateway.ready()
    aws.forgetCalls()
    const opened = await world.curl(`${url}/v1/decrypt`, { body: sealed, opens: true })
    assert.deepEqual(opened.body, body)
    assert.equal(aws.count('Decrypt'), 1)
    const ready = await world.curl(`${url}/readyz`, { method: 'GET', headers: {} })
    assert.equal(ready.status, 200)
    await gateway.stop()
  })

  void check('credentials that AWS refuses are an answer without a secret', async () => {
    const wrong = 'wrong-SECRET-of-the-run-0123456789abcdef'
    world.keepSecret(wrong)
    const gateway = world.start({ ...chosen, AWS_SECRET_ACCESS_KEY: wrong })
    const { url } = await gateway.ready()
    const answer = await world.curl(`${url}/v1/decrypt`, { body: sealed })
    demandProblem(answer, 502, 'ERR_KMS_UNAUTHENTICATED')
    const ready = await world.curl(`${url}/readyz`, { method: 'GET', headers: {} })
    assert.ok(ready.status >= 500, String(ready.status))
    await gateway.stop()
  })

  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) {
    void check(`EDGE_KMS_AWS_KEY_ID without ${name} says so`, async () => {
      await demandRefusal(world.start({ ...chosen, [name]: '' }), ['EDGE_KMS_AWS_KEY_ID', name])
    })
  }

  void check('AWS variables alone do not switch away from the local key', async () => {
    aws.forgetCalls()
    const gateway = world.start(ambient)
    const { url } = await gateway.ready()
    const local = await world.curl(`${url}/v1/encrypt`, { body })
    const shown = await world.curl(`${url}/v1/inspect`, { body: local.body, headers: {} })
    assert.equal(JSON.parse(shown.body.toString()).wraps[0].provider, 'local')
    demandProblem(
      await world.curl(`${url}/v1/decrypt`, { body: sealed }),
      422,
      'ERR_ENVELOPE_UNKNOWN_KEY',
    )
    assert.equal(aws.count(), 0)
    assert.ok(existsSync(gateway.files.keyFile))
    await gateway.stop()
  })

  void check('an AWS KMS that is gone is an answer that may be tried again', async () => {
    const gateway = world.start(chosen)
    const { url } = await gateway.ready()
    await front.close()
    const answer = await world.curl(`${url}/v1/encrypt`, { body })
    assert.equal(demandProblem(answer, 503, 'ERR_KMS_UNAVAILABLE').retryable, true)
    const health = await world.curl(`${url}/healthz`, { method: 'GET', headers: {} })
    const ready = await world.curl(`${url}/readyz`, { method: 'GET', headers: {} })
    assert.deepEqual([health.status, ready.status], [200, 503])
    await gateway.stop()
  })
}
