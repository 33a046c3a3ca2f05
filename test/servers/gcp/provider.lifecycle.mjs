// Lifecycles of versions of GCP, and the table of vendors in docs/guides/rotation.md.
import assert from 'node:assert/strict'
import { isKmsError } from '../../../src/index.ts'
import { createGcpKeyLifecycle, createGcpKms } from '../../../src/providers/gcp-kms/index.ts'
import { runLifecycleContract, wrapped } from '../lib/lifecycle.mjs'

const OPAQUE = 'answers 500 to what does not open'
/** @type {Readonly<Record<string, Readonly<Record<string, string>>>>} */
const DEVIATIONS = {
  emulator: {
    'disables, twice, and the version does not open': OPAQUE,
    'schedules the destruction of a disabled version, twice': 'tells destroyTime once',
    'refuses a version that there is not':
      'answers an unknown version without an error of Google’s form',
  },
}

/** @param {any} target @param {any} tools */
export async function run(target, { check, skip, world }) {
  const { endpoint, token, encryptOnly } = target
  const common = { endpoint, allowHttpLoopback: true, timeoutMs: 10_000 }
  const newKey = async () => {
    const keyName = await world.createKey()
    const of = { ...common, keyName, credentials: { token } }
    return { keyName, kms: createGcpKms(of), lifecycle: createGcpKeyLifecycle(of) }
  }
  const create = async () => {
    const { keyName, kms, lifecycle } = await newKey()
    const old = await wrapped(kms)
    await kms.rotateKey({})
    const denied =
      encryptOnly === undefined
        ? undefined
        : createGcpKeyLifecycle({ ...common, keyName, credentials: { token: encryptOnly } })
    return { lifecycle, ...old, ...(denied && { denied }) }
  }
  const without = encryptOnly === undefined ? { permissions: 'the server checks no token' } : {}
  const deviations = DEVIATIONS[target.name]
  await runLifecycleContract('lifecycle', { create, without }, { check, skip }, deviations)

  await check(
    'rotation of GCP: what was wrapped before opens until its version is disabled',
    async () => {
      const { kms, lifecycle } = await newKey()
      const before = await wrapped(kms)
      await kms.rotateKey({})
      await before.open()
      assert.notEqual((await wrapped(kms)).version.kekVersion, before.version.kekVersion)
      await lifecycle.disable(before.version, {})
      const code = target.name === 'emulator' ? 'ERR_KMS_UNAVAILABLE' : 'ERR_KMS_KEY_DISABLED'
      await assert.rejects(before.open(), (error) => isKmsError(error, code))
      await lifecycle.enable(before.version, {})
      await before.open()
    },
  )
}
