// Lifecycles of keys and versions of Azure, and the table of vendors in docs/guides/rotation.md, on the fake that
// Microsoft's clients have judged.
import assert from 'node:assert/strict'
import { isKmsError } from '../../../src/index.ts'
import {
  azureClientSecret,
  createAzureKeyLifecycle,
  createAzureKeyVaultKms,
} from '../../../src/providers/azure-key-vault/index.ts'
import { webNetwork } from '../../../src/runtime/index.ts'
import { runLifecycleContract, wrapped } from '../lib/lifecycle.mjs'

/** @param {any} target @param {any} tools */
export async function run(target, { check, skip, world }) {
  const network = { ...webNetwork, fetch: (url, init) => target.fetch(new Request(url, init)) }
  const of = (identity) => azureClientSecret({ tenantId: target.tenantId, ...identity, network })
  const newKey = async () => {
    const { id, name } = await world.createKey()
    const keyId = id.replace(/\/[0-9a-f]{32}$/, '')
    const admin = { keyId, network, credentials: of(target.admin) }
    return {
      name,
      kms: createAzureKeyVaultKms(admin),
      lifecycle: createAzureKeyLifecycle(admin),
      denied: createAzureKeyLifecycle({ ...admin, credentials: of(target.user) }),
    }
  }
  const version = async () => {
    const { kms, ...key } = await newKey()
    const old = await wrapped(kms)
    await kms.rotateKey({})
    return { ...key, ...old }
  }
  const whole = async () => {
    const { kms, ...key } = await newKey()
    const made = await wrapped(kms)
    return { ...key, ...made, version: { ...made.version, kekVersion: '' } }
  }
  const only = { destruction: 'Azure deletes whole keys only' }
  await runLifecycleContract('a version', { create: version, without: only }, { check, skip })
  await runLifecycleContract('a key', { create: whole }, { check, skip })

  await check(
    'rotation of Azure: what was wrapped before opens until its version is disabled',
    async () => {
      const { open, lifecycle, version: old } = await version()
      await open()
      await lifecycle.disable(old, {})
      await assert.rejects(open(), (error) => isKmsError(error, 'ERR_KMS_KEY_DISABLED'))
    },
  )
  await check("Microsoft's client sees the key that was deleted, and recovers it", async () => {
    const { kms, lifecycle, name } = await newKey()
    const { version: made, open } = await wrapped(kms)
    const key = { ...made, kekVersion: '' }
    await lifecycle.disable(key, {})
    const { destroyAtMs } = await lifecycle.scheduleDestruction(key, {})
    const deleted = await world.client().getDeletedKey(name)
    assert.equal(deleted.properties.scheduledPurgeDate.getTime(), destroyAtMs)
    const poller = await world.client().beginRecoverDeletedKey(name, { intervalInMs: 1 })
    await poller.pollUntilDone()
    await lifecycle.enable(key, {})
    await open()
  })
}
