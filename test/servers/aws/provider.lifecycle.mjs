// Lifecycles of keys of AWS, and the table of vendors in docs/guides/rotation.md: what AWS's rotation leaves readable.
import assert from 'node:assert/strict'
import { isKmsError } from '../../../src/index.ts'
import { createAwsKeyLifecycle, createAwsKms } from '../../../src/providers/aws-kms/index.ts'
import { runLifecycleContract, wrapped } from '../lib/lifecycle.mjs'

/** moto lets keys in any state decrypt. */
const noStates = { moto: 'moto ignores key states' }
const FAILS = 'answers 500 to DisableKey with an ARN'
/** @type {Readonly<Record<string, Readonly<Record<string, string>>>>} */
const DEVIATIONS = {
  moto: {
    'enables, twice, and the version opens again': FAILS,
    "refuses the service's own credentials, and changes nothing": FAILS,
  },
}

/** @param {any} target @param {any} tools */
export async function run(target, { check, skip, world }) {
  const { endpoint, region, credentials, encryptOnly } = target
  const common = { endpoint, allowHttpLoopback: true, timeoutMs: 10_000 }
  const lifecycleOf = (keyId, options = {}) =>
    createAwsKeyLifecycle({ ...common, keyId, credentials, ...options })
  const newKey = async () => {
    const keyId = (await world.createKey()).Arn
    const kms = createAwsKms({ ...common, region, keyId, credentials })
    return { keyId, kms, lifecycle: lifecycleOf(keyId) }
  }
  const create = async () => {
    const { keyId, kms, lifecycle } = await newKey()
    const denied = lifecycleOf(keyId, { credentials: encryptOnly })
    return { lifecycle, denied, ...(await wrapped(kms)) }
  }
  const states = noStates[target.name]
  const without = {
    ...(states !== undefined && { states, destruction: states, cancelling: states }),
    ...(target.name === 'localstack' && { permissions: 'LocalStack checks no policy' }),
  }
  const subject = { create, without }
  await runLifecycleContract('lifecycle', subject, { check, skip }, DEVIATIONS[target.name])

  if (states !== undefined) skip('states of a key', FAILS)
  else
    await check(
      'states of a key: disabled, pending deletion for 7 days, disabled again',
      async () => {
        const { keyId, kms } = await newKey()
        const { version } = await wrapped(kms)
        const lifecycle = lifecycleOf(keyId, { pendingWindowDays: 7 })
        await lifecycle.disable(version, {})
        assert.equal(await lifecycle.stateOf(version, {}), 'disabled')
        const { destroyAtMs } = await lifecycle.scheduleDestruction(version, {})
        assert.ok(
          Math.abs(destroyAtMs - Date.now() - 7 * 86_400_000) < 120_000,
          String(destroyAtMs),
        )
        assert.equal(await lifecycle.stateOf(version, {}), 'pending-destruction')
        await lifecycle.cancelDestruction(version, {})
        assert.equal(await lifecycle.stateOf(version, {}), 'disabled')
      },
    )
  await check('rotation of AWS: what was wrapped before opens, under the same name', async () => {
    const { kms } = await newKey()
    const before = await wrapped(kms)
    await kms.rotateKey({})
    await before.open()
    assert.deepEqual((await wrapped(kms)).version, before.version)
  })
  await check('retiring a version of an AWS key is refused', async () => {
    const { kms, lifecycle } = await newKey()
    const { version } = await wrapped(kms)
    const refused = lifecycle.disable({ ...version, kekVersion: '1' }, {})
    await assert.rejects(refused, (error) => isKmsError(error, 'ERR_KMS_UNSUPPORTED'))
  })
  if (target.name !== 'fake')
    skip('tells when a key was last used', 'the server lacks GetKeyLastUsage')
  else
    await check('tells when a key was last used', async () => {
      const { kms, lifecycle } = await newKey()
      const { version, open } = await wrapped(kms)
      const made = await lifecycle.lastUsedAtMs(version, {})
      assert.ok(Math.abs(made - Date.now()) < 60_000, String(made))
      await open()
      assert.ok((await lifecycle.lastUsedAtMs(version, {})) >= made)
    })
}
