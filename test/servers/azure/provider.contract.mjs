/** The provider against the fake that Microsoft's clients have judged, and beside those clients. */
import assert from 'node:assert/strict'
import {
  azureClientSecret,
  createAzureKeyVaultKms,
} from '../../../src/providers/azure-key-vault/index.ts'
import { webNetwork } from '../../../src/runtime/index.ts'
import { kmsContract } from '../../../src/testing/index.ts'

/** @param {import('./world.mjs').AzureTarget} target  @param {any} tools */
export async function run(target, { check, skip, world }) {
  const network = { ...webNetwork, fetch: (url, init) => target.fetch(new Request(url, init)) }
  const credentials = azureClientSecret({ tenantId: target.tenantId, ...target.admin, network })
  /** @param {any} key  @param {'RSA-OAEP-256' | 'A256KW'} [algorithm] */
  const kmsOf = ({ id }, algorithm = 'RSA-OAEP-256') =>
    createAzureKeyVaultKms({
      keyId: id.replace(/\/[0-9a-f]{32}$/, ''),
      credentials,
      network,
      algorithm,
    })

  for (const algorithm of /** @type {const} */ (['RSA-OAEP-256', 'A256KW'])) {
    const isHsm = algorithm === 'A256KW'
    const [key, other] = isHsm
      ? [await world.createHsmKey(), await world.createHsmKey()]
      : [await world.createKey(), await world.createKey()]
    const cases = kmsContract(kmsOf(key, algorithm).capabilities, {
      create: () => kmsOf(key, algorithm),
      createOther: () => kmsOf(other, algorithm),
      wrapsAreDeterministic: isHsm,
    })
    for (const one of cases) {
      const name = `contract, ${algorithm}: ${one.name}`
      if (one.skip === undefined) await check(name, one.run)
      else skip(name, one.skip)
    }
  }

  const context = { 'edge-kms:dk': 'salt.1' }

  await check("opens what Microsoft's client wrapped", async () => {
    const key = await world.createKey()
    const { result } = await world.cryptography(key.id).wrapKey('RSA-OAEP-256', world.dek)
    const kms = kmsOf(key)
    const [kekId, kekVersion] = [key.id.slice(0, -33), key.id.slice(-32)]
    const wrap = { provider: 'azure-key-vault', kekId, kekVersion, wrapped: result }
    const { plaintext } = await kms.unwrapDataKey([wrap], { context })
    assert.deepEqual(plaintext.expose(), world.dek)
  })

  await check("wraps what Microsoft's client opens, before and after a rotation", async () => {
    const key = await world.createKey()
    const kms = kmsOf(key)
    const made = [await kms.generateDataKey({ context })]
    await world.client().rotateKey(key.name)
    made.push(await kms.generateDataKey({ context }))
    for (const { plaintext, wraps } of made) {
      const [{ kekId, kekVersion, wrapped }] = wraps
      const opened = await world
        .cryptography(`${kekId}/${kekVersion}`)
        .unwrapKey('RSA-OAEP-256', wrapped)
      assert.deepEqual(Uint8Array.from(opened.result), Uint8Array.from(plaintext.expose()))
    }
    assert.notEqual(made[0].wraps[0].kekVersion, made[1].wraps[0].kekVersion)
  })

  await check("sees the rotation policy that Microsoft's client set", async () => {
    const key = await world.createKey()
    await world.client().updateKeyRotationPolicy(key.name, {
      lifetimeActions: [{ action: 'Rotate', timeBeforeExpiry: 'P30D' }],
      expiresIn: 'P1Y',
    })
    const policy = await kmsOf(key).rotationPolicy({})
    assert.deepEqual(policy, { rotateBeforeExpiry: 'P30D', expiryTime: 'P1Y' })
  })
}
