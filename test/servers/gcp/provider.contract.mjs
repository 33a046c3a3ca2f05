// The provider against the emulator and the fake: the suite of test/platforms from the source, and Google's own client
// that opens what the provider wrapped.
import assert from 'node:assert/strict'
import { encodeKmsContext } from '../../../src/kms/index.ts'
import { createGcpKms } from '../../../src/providers/gcp-kms/index.ts'
import { gcpCases } from '../../platforms/providers/gcp.ts'
import { library } from '../lib/source.mjs'

/** @param {any} target @param {any} tools */
export async function run(target, { check, skip, world }) {
  for (const one of gcpCases(library, target)) {
    if (one.skip === undefined) await check(one.name, one.run)
    else skip(one.name, one.skip)
  }
  await check('Google’s own client opens what the provider wrapped', async () => {
    const { endpoint, token, keyName } = target
    const common = { endpoint, credentials: { token }, allowHttpLoopback: true, timeoutMs: 10_000 }
    const context = { 'edge-kms:dk': 'salt.1', tenant: 'acme' }
    const { plaintext: dek, wraps } = await createGcpKms({ ...common, keyName }).generateDataKey({
      context,
    })
    const opened = await world.decrypt(keyName, wraps[0]?.wrapped, encodeKmsContext(context))
    assert.deepEqual(Buffer.from(opened.plaintext), Buffer.from(dek.expose()))
  })
}
