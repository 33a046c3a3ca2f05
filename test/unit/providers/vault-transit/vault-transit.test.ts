import { describe, expect, it } from 'vitest'
import { decodeBase64, decodeUtf8, encodeUtf8, equalBytes } from '../../../../src/bytes/index.ts'
import { EncryptedEnvelope, EnvelopeCipher, isKmsError, MultiKms } from '../../../../src/index.ts'
import { encodeKmsContext, SecretBytes, type WrappedKey } from '../../../../src/kms/index.ts'
import { createLocalKms } from '../../../../src/providers/local/index.ts'
import {
  createVaultTransitKms,
  vaultToken,
  type VaultTransitKmsOptions,
} from '../../../../src/providers/vault-transit/index.ts'
import { codeOf } from '../../credentials/aws/ports.ts'
import { context, endpoint, overFake } from './over.ts'

const message = { context: { tenant: 'acme' }, aad: { row: 'canary-of-an-aad' } }
const plaintext = encodeUtf8('4111 1111')

describe('Vault transit: calls', () => {
  it('looks at the key once, makes one data key for many records, and opens it once', async () => {
    const { vault, kms } = overFake()
    const cipher = new EnvelopeCipher({ kms })
    const first = await cipher.encrypt(plaintext, message)
    for (let i = 0; i < 50; i++) await cipher.encrypt(plaintext, message)
    expect(await new EnvelopeCipher({ kms }).decrypt(first, message)).toEqual(plaintext)
    const made = vault.calls.map(({ operation }) => operation).join()
    expect(made).toBe('keys,encrypt,decrypt')
    const { wraps } = EncryptedEnvelope.parse(first)
    expect(wraps).toMatchObject([
      { provider: 'vault-transit', kekId: 'transit/app', kekVersion: '1' },
    ])
  })

  it('sends the canonical context as associated data, and as context to a derived key', async () => {
    const bytes = encodeKmsContext(context)
    const rows = [
      ['app', undefined, true, false],
      ['derived', undefined, true, true],
      ['derived', 'derivation', false, true],
    ] as const
    for (const [key, bindBy, hasData, hasContext] of rows) {
      const { vault, kms } = overFake({ key, ...(bindBy && { bindBy }) })
      const { wraps } = await kms.generateDataKey({ context })
      await kms.unwrapDataKey(wraps, { context })
      for (const call of vault.calls.slice(1)) {
        const sent = (text: string | undefined) =>
          text !== undefined && equalBytes(decodeBase64(text) ?? new Uint8Array(0), bytes)
        expect([sent(call.associatedData), sent(call.context)]).toEqual([hasData, hasContext])
      }
    }
  })

  it('R10: never sends a nonce, and an aad never', async () => {
    for (const options of [
      {},
      { key: 'derived' },
      { key: 'derived', bindBy: 'derivation' },
    ] as const) {
      const { kms, sent } = overFake(options)
      const cipher = new EnvelopeCipher({ kms })
      const envelope = await cipher.encrypt(plaintext, message)
      await cipher.rewrap(envelope, { context: message.context })
      await kms.rotateKey({})
      await kms.healthCheck({})
      expect(sent.length).toBeGreaterThan(5)
      const members = sent.flatMap(({ body }) =>
        body === '' ? [] : Object.keys(JSON.parse(body) as object),
      )
      const known = ['plaintext', 'ciphertext', 'associated_data', 'context', 'bits']
      expect([...new Set(members)].filter((name) => !known.includes(name))).toEqual([])
      expect(sent.map(({ body }) => body).join()).not.toContain('canary-of-an-aad')
    }
  })

  it('rewraps by unwrap and wrap where associated data would be lost, and inside where not', async () => {
    const outside = overFake()
    const old = await outside.kms.generateDataKey({ context })
    await outside.kms.rotateKey({})
    outside.vault.forgetCalls()
    const [next] = await outside.kms.rewrapDataKey(old.wraps, { context })
    expect(outside.vault.calls.map(({ operation }) => operation)).toEqual(['decrypt', 'encrypt'])
    expect(next?.kekVersion).toBe('2')
    const inside = overFake({ key: 'derived', bindBy: 'derivation' })
    const made = await inside.kms.generateDataKey({ context })
    await inside.kms.rotateKey({})
    inside.vault.forgetCalls()
    const [moved] = await inside.kms.rewrapDataKey(made.wraps, { context })
    expect(inside.vault.calls.map(({ operation }) => operation)).toEqual(['rewrap'])
    expect(moved?.kekVersion).toBe('2')
  })

  it('has Vault make the data key only where the derivation binds it', async () => {
    const outside = overFake({ key: 'derived' })
    await outside.kms.generateDataKey({ context })
    expect(outside.vault.count('datakey')).toBe(0)
    const inside = overFake({ key: 'derived', bindBy: 'derivation' })
    await inside.kms.generateDataKey({ context })
    expect([inside.vault.count('datakey'), inside.vault.count('encrypt')]).toEqual([1, 0])
  })

  it('says that a wrap is outdated once a newer version was seen, and otherwise nothing', async () => {
    const { kms, create } = overFake()
    const { wraps } = await kms.generateDataKey({ context })
    expect((await kms.unwrapDataKey(wraps, { context })).current).toBeUndefined()
    await create().rotateKey({})
    await kms.currentVersion({})
    expect((await kms.unwrapDataKey(wraps, { context })).current).toBe(false)
  })

  it('moves an envelope from a local key, the body unchanged', async () => {
    const { kms } = overFake()
    const key = crypto.getRandomValues(new Uint8Array(32))
    const local = createLocalKms({ versions: [{ version: 1, key }] })
    const envelope = await new EnvelopeCipher({ kms: local }).encrypt(plaintext, message)
    const mover = new EnvelopeCipher({ kms: new MultiKms({ read: [kms, local], write: [kms] }) })
    const moved = await mover.rewrap(envelope, { context: message.context })
    expect(moved.slice(-37)).toEqual(envelope.slice(-37))
    expect(await new EnvelopeCipher({ kms }).decrypt(moved, message)).toEqual(plaintext)
  })
})

describe('Vault transit: batches', () => {
  const page = async (cipher: EnvelopeCipher) => {
    const items = Array.from({ length: 1_000 }, (_, i) => ({
      plaintext: new Uint8Array([i & 255, i >> 8]),
      context: { tenant: String(i % 20) },
    }))
    return (await cipher.encryptMany(items)).map((outcome, i) => {
      if (!outcome.ok) throw outcome.error
      return { envelope: outcome.value, context: { tenant: String(i % 20) } }
    })
  }

  it('1,000 records under 20 data keys are 20 unwraps in one call, in order, an error for each', async () => {
    const { vault, create } = overFake()
    const sealed = await page(new EnvelopeCipher({ kms: create() }))
    const other = { tenant: 'evil' }
    const asked = sealed.map((one, i) => (i % 500 === 499 ? { ...one, context: other } : one))
    vault.forgetCalls()
    const opened = await new EnvelopeCipher({ kms: create() }).decryptMany(asked)
    const calls = vault.calls.filter(({ operation }) => operation === 'decrypt')
    // A context that is not the header's is refused before Vault is asked.
    expect(calls.map(({ items }) => items)).toEqual([20])
    for (const [i, outcome] of opened.entries()) {
      if (i % 500 === 499) expect(outcome.ok || outcome.error.code).toBe('ERR_DECRYPT_FAILED')
      else expect(outcome.ok && [...outcome.value]).toEqual([i & 255, i >> 8])
    }
  })

  it('asks for nothing that cannot be its own', async () => {
    const { vault, kms } = overFake()
    const { wraps } = await kms.generateDataKey({ context })
    const [wrap] = wraps as [WrappedKey]
    vault.forgetCalls()
    const outcomes = await kms.unwrapMany(
      [
        { wraps: [{ ...wrap, kekId: 'transit/other' }], context },
        { wraps: [{ ...wrap, wrapped: new Uint8Array(60) }], context },
        { wraps: [], context },
      ],
      {},
    )
    const codes = outcomes.map((one) => one.ok || one.error.code)
    const unknown = 'ERR_ENVELOPE_UNKNOWN_KEY'
    expect(codes).toEqual([unknown, 'ERR_DECRYPT_FAILED', unknown])
    expect(vault.count()).toBe(0)
  })

  it('splits at 1,000 items, and a call that fails is the outcome of its items alone', async () => {
    const { vault, kms } = overFake()
    const made = await kms.generateDataKey({ context })
    const items = Array.from({ length: 1_001 }, () => ({ wraps: made.wraps, context }))
    vault.forgetCalls()
    vault.faults.push({ kind: 'sealed', operation: 'decrypt' })
    const outcomes = await kms.unwrapMany(items, {})
    expect(vault.calls.map(({ operation }) => operation)).toEqual(['decrypt', 'decrypt'])
    expect(vault.calls[1]?.items).toBe(1)
    const codes = outcomes.map((one) => (one.ok ? 'ok' : one.error.code))
    expect(new Set(codes.slice(0, 1_000))).toEqual(new Set(['ERR_KMS_UNAVAILABLE']))
    expect(codes[1_000]).toBe('ok')
  })

  it('gives each item the error of a key that cannot be looked at', async () => {
    const { vault, kms, create } = overFake()
    const { wraps } = await kms.generateDataKey({ context })
    vault.faults.push({ kind: 'throttle', operation: 'keys' })
    const outcomes = await create().unwrapMany(
      [
        { wraps, context },
        { wraps: [], context },
      ],
      {},
    )
    const codes = outcomes.map((one) => one.ok || one.error.code)
    expect(codes).toEqual(['ERR_KMS_THROTTLED', 'ERR_ENVELOPE_UNKNOWN_KEY'])
  })
})

describe("Vault's traps", () => {
  it('a key that does not exist is not made by encrypting under it', async () => {
    const { vault, create } = overFake()
    const kms = create({ key: 'nobody' })
    expect(await codeOf(kms.generateDataKey({ context }))).toBe('ERR_KMS_KEY_NOT_FOUND')
    const dek = SecretBytes.take(new Uint8Array(32))
    expect(await codeOf(kms.wrapDataKey(dek, { context }))).toBe('ERR_KMS_KEY_NOT_FOUND')
    expect(vault.count('encrypt')).toBe(0)
  })

  it('a context that a key would ignore is refused, not sent', async () => {
    const { vault, create } = overFake()
    const byDerivation = create({ key: 'app', bindBy: 'derivation' })
    expect(await codeOf(byDerivation.generateDataKey({ context }))).toBe('ERR_KMS_CONFIG')
    const stated = create({ key: 'app', derived: true })
    expect(await codeOf(stated.generateDataKey({ context }))).toBe('ERR_KMS_CONFIG')
    expect(vault.calls.map(({ operation }) => operation)).toEqual(['keys', 'keys'])
  })

  it('keys that bind no associated data or are convergent are refused', async () => {
    const { create } = overFake(
      {},
      {
        keys: [
          { name: 'rsa', type: 'rsa-2048' },
          { name: 'mac', type: 'hmac' },
          { name: 'same', convergent: true },
        ],
      },
    )
    for (const key of ['rsa', 'mac', 'same'])
      expect(await codeOf(create({ key }).generateDataKey({ context }))).toBe('ERR_KMS_CONFIG')
  })

  it('W3.23: a ciphertext has one text, whatever else Vault would open', async () => {
    const { vault, kms } = overFake()
    const { wraps } = await kms.generateDataKey({ context })
    const [wrap] = wraps as [WrappedKey]
    const text = decodeUtf8(wrap.wrapped) ?? ''
    const texts = [
      text.replace('v1', 'v0'),
      text.replace('v1', 'v01'),
      text.replace('v1', 'v-1'),
      text.replace('v1', 'v2147483648'),
      `${text}\n`,
      ` ${text}`,
      text.replace('vault', 'Vault'),
      text.replace(/:([^:]*)$/, ':$1===='),
      `${text}${'A'.repeat(200)}`,
      '',
    ]
    vault.forgetCalls()
    for (const one of texts) {
      // Under its own name for the version too, where it has one.
      const kekVersion = /^vault:v([^:]*):/.exec(one)?.[1] ?? wrap.kekVersion
      const forged = { ...wrap, kekVersion, wrapped: encodeUtf8(one) }
      expect(await codeOf(kms.unwrapDataKey([forged], { context })), one).toBe('ERR_DECRYPT_FAILED')
    }
    const renamed = { ...wrap, kekVersion: '2' }
    expect(await codeOf(kms.unwrapDataKey([renamed], { context }))).toBe('ERR_DECRYPT_FAILED')
    expect(vault.count()).toBe(0)
  })

  it('a namespace that the server does not know is not its root', async () => {
    const community = overFake({ namespace: 'team' })
    expect(await codeOf(community.kms.generateDataKey({ context }))).toBe('ERR_KMS_KEY_NOT_FOUND')
    expect(community.sent[0]?.url).toBe(`${endpoint}/v1/team/transit/keys/app`)
    const { wraps } = await community.create({ namespace: undefined }).generateDataKey({ context })
    expect(wraps).toHaveLength(1)
  })

  it('a batch with an item that fails is a 400, and the others open', async () => {
    const { vault, kms } = overFake()
    const { wraps } = await kms.generateDataKey({ context })
    const [right, wrong] = await kms.unwrapMany(
      [
        { wraps, context },
        { wraps, context: { ...context, tenant: 'evil' } },
      ],
      {},
    )
    expect(vault.calls.at(-1)?.status).toBe(400)
    expect(right?.ok).toBe(true)
    expect(wrong?.ok === false && wrong.error.code).toBe('ERR_DECRYPT_FAILED')
  })

  it('a version below min_decryption_version is disabled', async () => {
    const { vault, kms } = overFake()
    const { wraps } = await kms.generateDataKey({ context })
    await kms.rotateKey({})
    await vault.fetch(
      new Request(`${endpoint}/v1/transit/keys/app/config`, {
        method: 'POST',
        headers: { 'x-vault-token': vault.token },
        body: JSON.stringify({ min_decryption_version: 2 }),
      }),
    )
    expect(await codeOf(kms.unwrapDataKey(wraps, { context }))).toBe('ERR_KMS_KEY_DISABLED')
    const [outcome] = await kms.unwrapMany([{ wraps, context }], {})
    expect(outcome?.ok === false && outcome.error.code).toBe('ERR_KMS_KEY_DISABLED')
  })

  it('a token that may only encrypt needs to be told what kind the key is', async () => {
    const policy = { 'transit/encrypt/app': ['update'] } as const
    const { create, vault } = overFake(
      { usage: 'encrypt' },
      { tokens: [{ token: 'root', policy }], keys: [{ name: 'app' }] },
    )
    expect(await codeOf(create().generateDataKey({ context }))).toBe('ERR_KMS_ACCESS_DENIED')
    const { wraps } = await create({ derived: false }).generateDataKey({ context })
    expect([wraps.length, vault.count('encrypt')]).toEqual([1, 1])
    const byDerivation = create({ derived: true, bindBy: 'derivation' })
    expect(await codeOf(byDerivation.generateDataKey({ context }))).toBe('ERR_KMS_ACCESS_DENIED')
  })
})

describe('R8, R9 Vault transit: what a stranger wrote', () => {
  const hostile = [
    'https://attacker.example/x',
    'transit/app/../other',
    'transit/other',
    'app',
    '',
    '../..',
  ]
  it.each(hostile)('no call for a wrap of %j', async (kekId) => {
    const { vault, kms } = overFake()
    const { wraps } = await kms.generateDataKey({ context })
    vault.forgetCalls()
    const forged = [{ ...(wraps[0] as WrappedKey), kekId }]
    for (const work of [
      kms.unwrapDataKey(forged, { context }),
      kms.rewrapDataKey(forged, { context }),
    ])
      expect(await codeOf(work)).toBe('ERR_ENVELOPE_UNKNOWN_KEY')
    expect(vault.count()).toBe(0)
  })

  const good = { endpoint, key: 'app', auth: vaultToken('t') }
  const bad: readonly Partial<Record<keyof VaultTransitKmsOptions | 'region', unknown>>[] = [
    { key: '' },
    { key: '../app' },
    { key: 'a/b' },
    { key: 'a?b' },
    { key: 'a%2fb' },
    { key: '-a' },
    { key: 'a'.repeat(129) },
    { mount: '' },
    { mount: '/transit' },
    { mount: 'transit/' },
    { mount: 'a/../b' },
    { mount: 'a//b' },
    { mount: 'sys?x' },
    { namespace: '../root' },
    { namespace: 'a b' },
    { namespace: '' },
    { endpoint: 'http://vault.example' },
    { endpoint: 'http://127.0.0.1:8200' },
    { endpoint: 'https://u:p@vault.example' },
    { endpoint: 'https://vault.example/?a=b' },
    { standbyOrigins: ['http://vault-1.example'] },
    { standbyOrigins: ['vault-1.example'] },
    { kekId: '' },
    { kekId: '\ud800' },
    { kekId: 'a'.repeat(2_049) },
    { usage: 'all' },
    { bindBy: 'nothing' },
    { derived: 'yes' },
    { auth: undefined },
    { auth: 'token' },
    { region: 'eu' },
  ]
  it.each(bad)('refuses %j', (options) => {
    let caught: unknown
    try {
      createVaultTransitKms({ ...good, ...options } as VaultTransitKmsOptions)
    } catch (error) {
      caught = error
    }
    expect(isKmsError(caught, 'ERR_KMS_CONFIG')).toBe(true)
  })

  it('a junk wrap of our own key is asked for once, and not again for a while', async () => {
    const { vault, kms } = overFake()
    const cipher = new EnvelopeCipher({ kms })
    const envelope = await cipher.encrypt(plaintext, message)
    const text = 'vault:v1:'
    const at = Buffer.from(envelope).indexOf(text) + text.length + 4
    envelope[at] = envelope[at] === 65 ? 66 : 65
    cipher.clear()
    vault.forgetCalls()
    for (let i = 0; i < 5; i++)
      expect(await codeOf(cipher.decrypt(envelope, message))).toBe('ERR_DECRYPT_FAILED')
    expect(vault.count()).toBe(1)
  })
})

describe('Vault transit: health check', () => {
  it.each([
    ['both', 'keys,encrypt,decrypt'],
    ['encrypt', 'keys,encrypt'],
    ['decrypt', 'keys'],
  ] as const)('of %s', async (usage, operations) => {
    const { vault, kms, create } = overFake({ usage })
    expect((await kms.healthCheck({})).healthy).toBe(true)
    expect(vault.calls.map(({ operation }) => operation).join()).toBe(operations)
    vault.faults.push({ kind: 'sealed' })
    const { healthy, checks } = await create().healthCheck({})
    expect([healthy, checks[0]?.code]).toEqual([false, 'ERR_KMS_UNAVAILABLE'])
  })

  it('binds `edge-kms:dk` = `health`, and what is configured beside it', async () => {
    const { vault, kms } = overFake({ healthContext: { tenant: 'acme', 'edge-kms:dk': 'salt.1' } })
    await kms.healthCheck({})
    const data = decodeBase64(vault.calls.at(-1)?.associatedData ?? '')
    expect(data).toEqual(encodeKmsContext({ tenant: 'acme', 'edge-kms:dk': 'health' }))
  })
})
