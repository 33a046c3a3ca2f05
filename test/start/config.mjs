import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createFakeAzure } from '../../adapters/fakes/index.ts'
import { openFront } from '../../tools/servers/front.mjs'
import { stateFolder } from './gateway-process.mjs'
import { demandRefusal } from './start-up.mjs'
import { MARKER } from './world.mjs'

/**
 * `EDGE_KMS_CONFIG`, with Azure Key Vault behind our own fake: tokens, wraps and references.
 * @param {import('./world.mjs').Report} report
 * @param {import('./world.mjs').World} world
 */
export async function checkConfig({ check }, world) {
  const azure = createFakeAzure()
  const front = await openFront((request) => azure.fetch(request))
  world.atTheEnd(front.close)
  const keyId = azure.createKey({ vault: front.url })
  const { tenantId, clientId, clientSecret } = azure.credentials
  world.keepSecret(clientSecret)
  const folder = stateFolder()
  world.atTheEnd(async () => folder.remove())
  const file = join(folder.path, 'client-secret')
  writeFileSync(file, `${clientSecret}\n`)

  const config = {
    provider: 'azure-key-vault',
    keyId,
    resource: 'https://vault.azure.net',
    allowHttpLoopback: true,
    credentials: {
      type: 'client-secret',
      tenantId: { env: 'AZURE_TENANT_ID' },
      clientId,
      clientSecret: { file },
      authority: front.url,
      allowHttpLoopback: true,
    },
  }
  const env = { AZURE_TENANT_ID: tenantId, EDGE_KMS_CONFIG: JSON.stringify(config) }
  const body = Buffer.from(MARKER)

  void check('EDGE_KMS_CONFIG encrypts and decrypts by what it says', async () => {
    const gateway = world.start(env)
    const { url, output } = await gateway.ready()
    assert.ok(output.includes('azure-key-vault'))
    assert.ok(!output.includes(clientSecret))
    const sealed = (await world.curl(`${url}/v1/encrypt`, { body })).body
    assert.deepEqual([azure.count('token'), azure.count('wrapKey')], [1, 1])
    const shown = await world.curl(`${url}/v1/inspect`, { body: sealed, headers: {} })
    const facts = JSON.parse(shown.body.toString())
    assert.deepEqual([facts.wraps[0].provider, facts.canOpen], ['azure-key-vault', true])
    const opened = await world.curl(`${url}/v1/decrypt`, { body: sealed, opens: true })
    assert.deepEqual(opened.body, body)
    await gateway.stop()
  })

  const kek = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64')
  world.keepSecret(kek)
  const local = { provider: 'local', versions: [{ version: 1, key: { env: 'KEK' } }] }
  const stack = { preset: 'production', retry: { maxAttempts: 2 }, kms: [config, local] }
  const stackEnv = { ...env, KEK: kek, EDGE_KMS_CONFIG: JSON.stringify(stack) }

  void check(
    'EDGE_KMS_CONFIG of two KMSs wraps under both, and reads while one is down',
    async () => {
      const gateway = world.start(stackEnv)
      const { url, output } = await gateway.ready()
      assert.ok(output.includes('azure-key-vault and local'))
      const sealed = (await world.curl(`${url}/v1/encrypt`, { body })).body
      const shown = await world.curl(`${url}/v1/inspect`, { body: sealed, headers: {} })
      /** @type {{ provider: string }[]} */
      const wraps = JSON.parse(shown.body.toString()).wraps
      assert.deepEqual(wraps.map(({ provider }) => provider).sort(), ['azure-key-vault', 'local'])
      await gateway.stop()

      const cold = world.start(stackEnv)
      const { url: again } = await cold.ready()
      azure.forgetCalls()
      azure.faults.push({ kind: 'unavailable', operation: 'unwrapKey', times: 2 })
      const opened = await world.curl(`${again}/v1/decrypt`, { body: sealed, opens: true })
      assert.deepEqual(opened.body, body)
      // As often as the configuration says, then the other one.
      assert.deepEqual([azure.count('unwrapKey'), azure.faults.pending.length], [2, 0])
      await cold.stop()
    },
  )

  const wrong = (/** @type {object} */ change) => ({
    ...env,
    EDGE_KMS_CONFIG: JSON.stringify({ ...config, ...change }),
  })
  /** @type {[string, Record<string, string>, string[]][]} */
  const refusals = [
    ['no JSON', { ...env, EDGE_KMS_CONFIG: `{"clientSecret":"${clientSecret}` }, ['JSON']],
    [
      'an unknown provider',
      wrong({ provider: 'azure-keyvault' }),
      ['did you mean azure-key-vault'],
    ],
    ['an unknown option', wrong({ keyid: keyId }), ['keyid', 'did you mean keyId']],
    ['a variable that is not set', { ...env, AZURE_TENANT_ID: '' }, ['credentials.tenantId']],
    [
      'a file that is not there',
      wrong({ credentials: { ...config.credentials, clientSecret: { file: `${file}2` } } }),
      [`${file}2`, 'ENOENT'],
    ],
    [
      'an unknown option of one KMS of two',
      {
        ...stackEnv,
        EDGE_KMS_CONFIG: JSON.stringify({ kms: [local, { ...config, keyid: keyId }] }),
      },
      ['kms.1.keyid', 'did you mean keyId'],
    ],
    [
      'an unknown option of retry',
      { ...stackEnv, EDGE_KMS_CONFIG: JSON.stringify({ kms: local, retry: { maxAttempt: 2 } }) },
      ['retry.maxAttempt', 'did you mean maxAttempts'],
    ],
    [
      'both a configuration and a key of AWS',
      { ...env, EDGE_KMS_AWS_KEY_ID: 'alias/app' },
      ['EDGE_KMS_CONFIG', 'EDGE_KMS_AWS_KEY_ID'],
    ],
  ]
  for (const [what, given, words] of refusals)
    void check(`EDGE_KMS_CONFIG: ${what} says so`, async () => {
      await demandRefusal(world.start(given), words)
    })
}
