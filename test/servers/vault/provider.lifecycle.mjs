// Lifecycles of versions of transit keys, and the table of vendors in docs/guides/rotation.md.
import assert from 'node:assert/strict'
import { isKmsError } from '../../../src/index.ts'
import {
  createVaultKeyLifecycle,
  createVaultTransitKms,
  vaultToken,
} from '../../../src/providers/vault-transit/index.ts'
import { runLifecycleContract, wrapped } from '../lib/lifecycle.mjs'

/** @param {any} target @param {any} tools */
export async function run(target, { check, skip, world }) {
  const { endpoint, token, encryptOnly } = target
  const common = { endpoint, allowHttpLoopback: true, timeoutMs: 10_000 }
  const newKey = async () => {
    const key = await world.createKey()
    const of = { ...common, key, auth: vaultToken(token) }
    return { key, kms: createVaultTransitKms(of), lifecycle: createVaultKeyLifecycle(of) }
  }
  const create = async () => {
    const { key, kms, lifecycle } = await newKey()
    const old = await wrapped(kms)
    await kms.rotateKey({})
    const denied = createVaultKeyLifecycle({ ...common, key, auth: vaultToken(encryptOnly) })
    return { lifecycle, denied, ...old }
  }
  const without = { cancelling: 'Vault destroys at once' }
  await runLifecycleContract('lifecycle', { create, without }, { check, skip })

  const refused = (/** @type {Promise<unknown>} */ work) =>
    assert.rejects(work, (error) => isKmsError(error, 'ERR_KMS_UNSUPPORTED'))

  await check(
    'rotation of Vault: what was wrapped before opens until its version is disabled',
    async () => {
      const { kms, lifecycle } = await newKey()
      const before = await wrapped(kms)
      await kms.rotateKey({})
      await before.open()
      await lifecycle.disable(before.version, {})
      await assert.rejects(before.open(), (error) => isKmsError(error, 'ERR_KMS_KEY_DISABLED'))
    },
  )
  await check(
    'versions of Vault are disabled and destroyed from the lowest on, never the latest',
    async () => {
      const { kms, lifecycle } = await newKey()
      const wraps = [await wrapped(kms)]
      for (let rotations = 0; rotations < 2; rotations += 1) {
        await kms.rotateKey({})
        wraps.push(await wrapped(kms))
      }
      const [first, second, third] = wraps.map(({ version }) => version)
      await refused(lifecycle.disable(second, {}))
      await lifecycle.disable(first, {})
      await lifecycle.disable(second, {})
      await refused(lifecycle.disable(third, {}))
      await refused(lifecycle.enable(first, {}))
      await refused(lifecycle.scheduleDestruction(second, {}))
      assert.deepEqual(await lifecycle.scheduleDestruction(first, {}), {})
      assert.equal(await lifecycle.stateOf(first, {}), 'destroyed')
      assert.equal(await lifecycle.stateOf(second, {}), 'disabled')
      await lifecycle.enable(second, {})
      await wraps[1].open()
      await wraps[2].open()
      await refused(lifecycle.enable(first, {}))
    },
  )
}
