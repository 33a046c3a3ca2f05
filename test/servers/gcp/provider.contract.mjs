// The provider against the emulator and the fake: the contract suite, and an envelope that moves
// between a local key and GCP. What the emulator gets wrong by itself is listed in DEVIATIONS; our
// fake passes the same cases.
import assert from 'node:assert/strict'
import { EnvelopeCipher, MultiKms } from '../../../src/index.ts'
import { createGcpKms } from '../../../src/providers/gcp-kms/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'
import { kmsContract } from '../../../src/testing/index.ts'

const OPAQUE = 'answers 500 to what does not open'
/** @type {Readonly<Record<string, Readonly<Record<string, string>>>>} */
const DEVIATIONS = {
  emulator: {
    'refuses a wrap under a changed context': OPAQUE,
    'refuses a changed wrap': OPAQUE,
    'rewraps: same DEK, new wraps': OPAQUE,
  },
}
const message = { context: { tenant: 'acme' }, aad: { row: '42' } }
const plaintext = new TextEncoder().encode('4111 1111')

/** @param {any} target @param {any} tools */
export async function run(target, { check, skip, world }) {
  const { endpoint, token } = target
  const common = { endpoint, credentials: { token }, allowHttpLoopback: true, timeoutMs: 10_000 }
  const gcp = (/** @type {any} */ options = {}) =>
    createGcpKms({ ...common, keyName: target.keyName, ...options })
  const cipher = (/** @type {any} */ options = {}) => new EnvelopeCipher({ kms: gcp(options) })
  const subject = {
    create: () => gcp(),
    createOther: () => gcp({ keyName: target.otherKeyName }),
  }
  for (const one of kmsContract(gcp().capabilities, subject)) {
    const deviation = DEVIATIONS[target.name]?.[one.name]
    if (one.skip !== undefined) skip(`contract: ${one.name}`, one.skip)
    else if (deviation === undefined) await check(`contract: ${one.name}`, one.run)
    else
      await check(`contract: ${one.name}: this server ${deviation}`, () => assert.rejects(one.run))
  }
  await check('random bytes of HSMs go into a data key', async () => {
    const envelope = await cipher({ randomBytes: 'hsm' }).encrypt(plaintext, message)
    assert.deepEqual(await cipher().decrypt(envelope, message), plaintext)
  })
  await check('Google’s own client opens what the provider wrapped', async () => {
    const context = { 'edge-kms:dk': 'salt.1', tenant: 'acme' }
    const { plaintext: dek, wraps } = await gcp().generateDataKey({ context })
    const { encodeKmsContext } = await import('../../../src/kms/index.ts')
    const opened = await world.decrypt(target.keyName, wraps[0].wrapped, encodeKmsContext(context))
    assert.deepEqual(Buffer.from(opened.plaintext), Buffer.from(dek.expose()))
  })
  await check('an envelope moves from the local key to GCP and back', async () => {
    const key = crypto.getRandomValues(new Uint8Array(32))
    const local = createLocalKms({ versions: [{ version: 1, key }] })
    const envelope = await new EnvelopeCipher({ kms: local }).encrypt(plaintext, message)
    const move = (/** @type {any} */ to, /** @type {any} */ from) =>
      new EnvelopeCipher({ kms: new MultiKms({ read: [to, from], write: [to] }) })
    const context = { context: message.context }
    const onGcp = await move(gcp(), local).rewrap(envelope, context)
    assert.deepEqual(await cipher().decrypt(onGcp, message), plaintext)
    const back = await move(local, gcp()).rewrap(onGcp, context)
    assert.deepEqual(back.slice(-37), envelope.slice(-37))
    assert.deepEqual(await new EnvelopeCipher({ kms: local }).decrypt(back, message), plaintext)
  })
}
