// The provider against OpenBao and the fake: the suite of test/platforms from the source, every way to log in, and
// one call for a page.
import assert from 'node:assert/strict'
import { EnvelopeCipher, isKmsError } from '../../../src/index.ts'
import {
  createVaultTransitKms,
  vaultAppRole,
  vaultJwt,
  vaultKubernetes,
  vaultToken,
} from '../../../src/providers/vault-transit/index.ts'
import { webNetwork } from '../../../src/runtime/index.ts'
import { vaultCases } from '../../platforms/providers/vault.ts'
import { library } from '../lib/source.mjs'

const message = { context: { tenant: 'acme' }, aad: { row: '42' } }
const plaintext = new TextEncoder().encode('4111 1111')

/** @param {any} target @param {any} tools */
export async function run(target, { check, skip, world }) {
  const { endpoint, token, namespace } = target
  const common = { endpoint, allowHttpLoopback: true, timeoutMs: 10_000, auth: vaultToken(token) }
  const vault = (/** @type {any} */ options = {}) =>
    createVaultTransitKms({ ...common, key: target.key, ...options })
  const cipher = (/** @type {any} */ options = {}) => new EnvelopeCipher({ kms: vault(options) })
  const code = (/** @type {Promise<unknown>} */ work) =>
    work.then(
      () => 'no error',
      (/** @type {unknown} */ error) => (isKmsError(error) ? error.code : error),
    )

  // The target's namespace is one more, with keys of its own.
  for (const one of vaultCases(library, { ...target, namespace: undefined })) {
    if (one.skip === undefined) await check(one.name, one.run)
    else skip(one.name, one.skip)
  }

  const logins = {
    approle: vaultAppRole(target.appRole),
    jwt: vaultJwt({ role: 'app', jwt: async () => target.jwt('good') }),
    kubernetes: vaultKubernetes({
      role: 'app',
      jwt: async () => target.serviceAccountToken('good'),
    }),
  }
  for (const [name, auth] of Object.entries(logins)) {
    await check(`logs in by ${name}`, async () => {
      const envelope = await cipher({ auth }).encrypt(plaintext, message)
      assert.deepEqual(await cipher().decrypt(envelope, message), plaintext)
    })
  }
  await check('learns that a login is refused', async () => {
    const refused = {
      mount: vaultAppRole({ ...target.appRole, mount: 'nowhere' }),
      secret: vaultAppRole({ ...target.appRole, secretId: 'wrong' }),
      role: vaultAppRole({ roleId: 'wrong', secretId: 'wrong' }),
      jwt: vaultJwt({ role: 'app', jwt: async () => target.jwt('wrong-signature') }),
      account: vaultKubernetes({
        role: 'app',
        jwt: async () => target.serviceAccountToken('wrong-subject'),
      }),
    }
    for (const auth of Object.values(refused))
      assert.equal(await code(vault({ auth }).currentVersion({})), 'ERR_KMS_UNAUTHENTICATED')
  })
  await check('logs in again when its token was revoked, once', async () => {
    let now = Date.now()
    const runtime = { now: () => now, randomFill: crypto.getRandomValues.bind(crypto) }
    const seen = []
    const network = {
      ...webNetwork,
      fetch: (url, init) => {
        seen.push({ path: new URL(url).pathname, token: init.headers['X-Vault-Token'] })
        return webNetwork.fetch(url, init)
      },
    }
    const auth = vaultJwt({ role: 'app', jwt: async () => target.jwt('good') })
    const kms = vault({ auth, runtime, network })
    await kms.currentVersion({})
    const first = seen.at(-1)?.token
    await world.raw('POST', '/v1/auth/token/revoke-self', { token: first })
    seen.length = 0
    now += 60_000
    await kms.currentVersion({})
    const names = seen.map(({ path }) => path.split('/')[2])
    assert.deepEqual(names, ['transit', 'auth', 'transit'])
    assert.notEqual(seen.at(-1)?.token, first)
  })
  await check('a token that may only encrypt', async () => {
    const auth = vaultToken(target.encryptOnly)
    const kms = vault({ auth, usage: 'encrypt', derived: false })
    const envelope = await new EnvelopeCipher({ kms }).encrypt(plaintext, message)
    assert.deepEqual(await cipher().decrypt(envelope, message), plaintext)
    const blind = vault({ auth, usage: 'encrypt' })
    assert.equal(await code(blind.generateDataKey(message)), 'ERR_KMS_ACCESS_DENIED')
  })
  await check('R10 makes no key: one that does not exist is not found', async () => {
    const kms = vault({ key: 'no-such-key' })
    assert.equal(await code(kms.generateDataKey(message)), 'ERR_KMS_KEY_NOT_FOUND')
    const { status } = await world.raw('GET', '/v1/transit/keys/no-such-key')
    assert.equal(status, 404)
  })
  await check('a namespace has keys of its own', async () => {
    await world.write(`${namespace}/transit/keys/${target.key}`)
    const inside = await cipher({ namespace }).encrypt(plaintext, message)
    assert.deepEqual(await cipher({ namespace }).decrypt(inside, message), plaintext)
    assert.equal(await code(cipher().decrypt(inside, message)), 'ERR_DECRYPT_FAILED')
    const nowhere = vault({ namespace: 'nowhere' })
    assert.equal(await code(nowhere.currentVersion({})), 'ERR_KMS_KEY_NOT_FOUND')
  })
  await check('1,000 records under 20 data keys are one call', async () => {
    const writer = cipher()
    const items = Array.from({ length: 1_000 }, (_, i) => ({
      plaintext: new Uint8Array([i & 255, i >> 8]),
      context: { tenant: String(i % 20) },
    }))
    /** @type {readonly any[]} */
    const sealed = await writer.encryptMany(items)
    const paths = []
    const network = {
      ...webNetwork,
      fetch: (url, init) => {
        paths.push(new URL(url).pathname)
        return webNetwork.fetch(url, init)
      },
    }
    const page = sealed.map((outcome, i) => ({
      envelope: outcome.value,
      context: { tenant: String(i === 500 ? 'evil' : i % 20) },
    }))
    /** @type {readonly any[]} */
    const opened = await cipher({ network }).decryptMany(page)
    assert.equal(paths.filter((path) => path.includes('/decrypt/')).length, 1)
    for (const [i, outcome] of opened.entries()) {
      if (i === 500) assert.equal(outcome.error.code, 'ERR_DECRYPT_FAILED')
      else assert.deepEqual([...outcome.value], [i & 255, i >> 8])
    }
  })
  await check(
    'a version below min_decryption_version is disabled, and the rest is not',
    async () => {
      const key = await world.createKey()
      const old = await cipher({ key }).encrypt(plaintext, message)
      await vault({ key }).rotateKey({})
      const fresh = await cipher({ key }).rewrap(old, { context: message.context })
      await world.write(`transit/keys/${key}/config`, { min_decryption_version: 2 })
      assert.equal(await code(cipher({ key }).decrypt(old, message)), 'ERR_KMS_KEY_DISABLED')
      assert.deepEqual(await cipher({ key }).decrypt(fresh, message), plaintext)
    },
  )
}
