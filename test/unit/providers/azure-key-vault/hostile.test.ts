import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { encodeBase64Url, encodeUtf8 } from '../../../../src/bytes/index.ts'
import { isKmsError, type KmsErrorCode } from '../../../../src/errors.ts'
import { EncryptedEnvelope, EnvelopeCipher } from '../../../../src/index.ts'
import {
  type KeyManagementService,
  SecretBytes,
  type WrappedKey,
} from '../../../../src/kms/index.ts'
import type { Network } from '../../../../src/ports/index.ts'
import {
  azureClientSecret,
  createAzureKeyVaultKms,
} from '../../../../src/providers/azure-key-vault/index.ts'
import { createFakeAzure, type FakeAzureFault } from '../../../../adapters/fakes/index.ts'
import { type Answer, codeOf, testPorts, turn } from '../../credentials/aws/ports.ts'

const keyId = 'https://acme.vault.azure.net/keys/app'
const version = '0123456789abcdef0123456789abcdef'
const context = { 'edge-kms:dk': 'salt.1' }
/** 32 bytes that are easily found again, in text and in base64. */
const DEK = encodeUtf8('canary-canary-canary-canary-cana')
const wrapped = new Uint8Array(256).fill(7)
const wrap: WrappedKey = { provider: 'azure-key-vault', kekId: keyId, kekVersion: version, wrapped }

/** Each operation: how to make it, and an answer to it that is right. */
const operations = {
  wrapKey: {
    call: (kms: KeyManagementService) =>
      kms.wrapDataKey(SecretBytes.take(new Uint8Array(DEK)), { context }),
    right: { kid: `${keyId}/${version}`, value: encodeBase64Url(wrapped) },
  },
  unwrapKey: {
    call: (kms: KeyManagementService) => kms.unwrapDataKey([wrap], { context }),
    right: { kid: `${keyId}/${version}`, value: encodeBase64Url(DEK) },
  },
} as const
type Operation = keyof typeof operations

function over(answer: Answer) {
  const ports = testPorts(answer)
  const { runtime, network } = ports
  const credentials = () => Promise.resolve({ token: 'canary-token' })
  return { kms: createAzureKeyVaultKms({ keyId, credentials, runtime, network }), ports }
}

function hasCanary(error: unknown): boolean {
  const text = `${inspect(error, { depth: 9, showHidden: true })}${JSON.stringify(error)}`
  return /canary/.test(text) || text.includes(encodeBase64Url(DEK).slice(4, 20))
}

const kids: readonly (readonly [what: string, kid: unknown])[] = [
  ['no kid', undefined],
  ['a kid that is not text', 7],
  ['a kid without a version', keyId],
  ['a kid with half a version', `${keyId}/${version.slice(16)}`],
  ['a kid with a version and more', `${keyId}/${version}0`],
  ['another key', `https://acme.vault.azure.net/keys/app2/${version}`],
  ['another vault', `https://acne.vault.azure.net/keys/app/${version}`],
  ['another cloud', `https://acme.vault.azure.cn/keys/app/${version}`],
  [
    'another host in front',
    `https://attacker.example/https://acme.vault.azure.net/keys/app/${version}`,
  ],
  ['a secret', `https://acme.vault.azure.net/secrets/app/${version}`],
  ['plain http', `http://acme.vault.azure.net/keys/app/${version}`],
  ['a line break', `${keyId}\n/${version}`],
]
const text = (length: number) => encodeBase64Url(new Uint8Array(length).fill(0x63))
const values: Readonly<Record<Operation, readonly unknown[]>> = {
  wrapKey: [undefined, null, 7, '', text(255), text(257), text(40), `${text(256)}=`, '!!!!'],
  unwrapKey: [undefined, null, 7, `${encodeBase64Url(DEK)}=`],
}

describe('R9 Azure Key Vault: answers that must not be believed', () => {
  const names = Object.keys(operations) as Operation[]
  const cases = names.flatMap((name) => [
    ...kids.map(([what, kid]) => [name, what, { kid }] as const),
    ...values[name].map((value) => [name, `value ${JSON.stringify(value)}`, { value }] as const),
  ])
  it.each(cases)('%s: %s', async (name, _what, change) => {
    const { call, right } = operations[name]
    const { kms, ports } = over(() => Response.json({ ...right, ...change }))
    const error: unknown = await call(kms).then(
      () => 'no error',
      (caught: unknown) => caught,
    )
    expect(isKmsError(error, 'ERR_KMS_RESPONSE_INVALID')).toBe(true)
    expect(hasCanary(error)).toBe(false)
    expect(ports.sent.length).toBe(1)
  })

  it.each(names)('%s: the right answer is believed, in any case', async (name) => {
    const { call, right } = operations[name]
    const loud = { ...right, kid: right.kid.toUpperCase().replace('HTTPS', 'https') }
    for (const answer of [right, loud]) await call(over(() => Response.json(answer)).kms)
  })

  it('R9 another version in the answer of unwrapKey is refused', async () => {
    const kid = `${keyId}/${'f'.repeat(32)}`
    const { kms } = over(() => Response.json({ ...operations.unwrapKey.right, kid }))
    expect(await codeOf(operations.unwrapKey.call(kms))).toBe('ERR_KMS_RESPONSE_INVALID')
  })

  it.each(['', 'null', '7', '"text"', '[]', '{', '<html>', '\u0000'])(
    'a body of %j is refused',
    async (body) => {
      for (const name of names) {
        const { kms } = over(() => new Response(body))
        expect(await codeOf(operations[name].call(kms))).toBe('ERR_KMS_RESPONSE_INVALID')
      }
    },
  )

  it('a key or a policy that makes no sense is refused', async () => {
    for (const answer of [{}, { key: null }, { key: { kid: keyId } }, { key: 'x' }]) {
      const { kms } = over(() => Response.json(answer))
      expect(await codeOf(kms.currentVersion({}))).toBe('ERR_KMS_RESPONSE_INVALID')
      expect(await codeOf(kms.rotateKey({}))).toBe('ERR_KMS_RESPONSE_INVALID')
    }
    const policies = [
      { lifetimeActions: {} },
      { lifetimeActions: [{ trigger: { timeAfterCreate: 'soon' }, action: { type: 'Rotate' } }] },
      { lifetimeActions: [{ trigger: { timeBeforeExpiry: 7 }, action: { type: 'Notify' } }] },
      { attributes: { expiryTime: '<b>' } },
    ]
    for (const policy of policies) {
      const { kms } = over(() => Response.json(policy))
      expect(await codeOf(kms.rotationPolicy({}))).toBe('ERR_KMS_RESPONSE_INVALID')
    }
  })

  const faults: readonly (readonly [FakeAzureFault, KmsErrorCode])[] = [
    [{ kind: 'wrong-key' }, 'ERR_KMS_RESPONSE_INVALID'],
    [{ kind: 'not-json' }, 'ERR_KMS_RESPONSE_INVALID'],
    [{ kind: 'oversized' }, 'ERR_KMS_RESPONSE_INVALID'],
    [{ kind: 'redirect' }, 'ERR_KMS_RESPONSE_INVALID'],
    [{ kind: 'foreign-challenge' }, 'ERR_KMS_RESPONSE_INVALID'],
    [{ kind: 'unauthorized' }, 'ERR_KMS_UNAUTHENTICATED'],
    [{ kind: 'hang' }, 'ERR_KMS_TIMEOUT'],
    [{ kind: 'slow', delayMs: 60_000 }, 'ERR_KMS_TIMEOUT'],
    [{ kind: 'reset' }, 'ERR_KMS_UNAVAILABLE'],
    [{ kind: 'truncated' }, 'ERR_KMS_UNAVAILABLE'],
    [{ kind: 'internal' }, 'ERR_KMS_UNAVAILABLE'],
    [{ kind: 'unavailable' }, 'ERR_KMS_UNAVAILABLE'],
    [{ kind: 'throttle' }, 'ERR_KMS_THROTTLED'],
  ]
  it.each(faults)('%o is a typed error', async (fault, code) => {
    const fake = createFakeAzure()
    // The deadline comes when the test says so: a machine under load is slow, not wrong.
    const deadlines = new Set<() => void>()
    const network: Network = {
      ...fake.network,
      after: (_delayMs, callback) => {
        deadlines.add(callback)
        return () => deadlines.delete(callback)
      },
    }
    const kms = createAzureKeyVaultKms({
      keyId: fake.createKey(),
      credentials: azureClientSecret({ ...fake.credentials, network: fake.network }),
      network,
    })
    const { wraps } = await kms.generateDataKey({ context })
    expect(deadlines.size).toBe(0)
    /** Lets a call that hangs meet its deadline, once it has met its fault. */
    const outcome = async (operation: Operation, work: Promise<unknown>): Promise<unknown> => {
      const settled = codeOf(work)
      if (code !== 'ERR_KMS_TIMEOUT') return settled
      const isHit = () =>
        fake.calls.some((call) => call.operation === operation && call.fault === fault.kind)
      while (!isHit()) await turn()
      expect(deadlines.size).toBe(1)
      for (const deadline of deadlines) deadline()
      return settled
    }
    fake.faults.push({ ...fault, operation: 'wrapKey', times: 2 })
    fake.faults.push({ ...fault, operation: 'unwrapKey', times: 2 })
    expect(await outcome('wrapKey', kms.generateDataKey({ context }))).toBe(code)
    expect(await outcome('unwrapKey', kms.unwrapDataKey(wraps, { context }))).toBe(code)
    expect(deadlines.size).toBe(0)
  })
})

describe('R9 Azure Key Vault: challenges', () => {
  const challenge = (value: string) => () =>
    new Response(null, { status: 401, headers: { 'www-authenticate': value } })
  const authorization = 'authorization="https://login.microsoftonline.com/t"'

  it.each([
    `Bearer ${authorization}, resource="https://attacker.example"`,
    `Bearer ${authorization}, resource="https://graph.microsoft.com"`,
    `Bearer ${authorization}, resource="https://managedhsm.azure.net"`,
    `Bearer ${authorization}, resource="https://azure.net"`,
    `Bearer ${authorization}, resource="http://vault.azure.net"`,
    `Bearer ${authorization} scope="https://attacker.example/.default"`,
    'Bearer resource="https://vault.azure.net.attacker.example"',
    'Bearer resource=""',
  ])('%s: no other token is asked for, and nothing is sent again', async (value) => {
    const asked: string[] = []
    const ports = testPorts(challenge(value))
    const { runtime, network } = ports
    const kms = createAzureKeyVaultKms({
      keyId,
      credentials: ({ resource }) => {
        asked.push(resource)
        return Promise.resolve({ token: `token-${String(asked.length)}` })
      },
      runtime,
      network,
    })
    expect(await codeOf(kms.generateDataKey({ context }))).toBe('ERR_KMS_RESPONSE_INVALID')
    expect([asked, ports.sent.length]).toEqual([['https://vault.azure.net'], 1])
  })

  it.each([
    `Bearer ${authorization}, resource="https://vault.azure.net"`,
    `Bearer ${authorization}, scope="https://vault.azure.net/.default"`,
    'Bearer resource="https://vault.azure.net/"',
    `Bearer ${authorization}`,
  ])('%s: another token is asked for once, for the configured resource', async (value) => {
    const asked: string[] = []
    const ports = testPorts(challenge(value))
    const { runtime, network } = ports
    const kms = createAzureKeyVaultKms({
      keyId,
      credentials: ({ resource }) => {
        asked.push(resource)
        return Promise.resolve({ token: `token-${String(asked.length)}` })
      },
      runtime,
      network,
    })
    expect(await codeOf(kms.generateDataKey({ context }))).toBe('ERR_KMS_UNAUTHENTICATED')
    expect(asked).toEqual(['https://vault.azure.net', 'https://vault.azure.net'])
    expect(ports.sent.map(({ headers }) => headers.get('authorization'))).toEqual([
      'Bearer token-1',
      'Bearer token-2',
    ])
  })

  it('a token that was revoked is renewed within the call', async () => {
    const fake = createFakeAzure()
    const { network } = fake
    const credentials = azureClientSecret({ ...fake.credentials, network })
    const kms = createAzureKeyVaultKms({ keyId: fake.createKey(), credentials, network })
    await kms.generateDataKey({ context })
    fake.faults.push({ kind: 'unauthorized', operation: 'wrapKey' })
    await kms.generateDataKey({ context })
    expect([fake.count('token'), fake.count('wrapKey')]).toEqual([2, 3])
  })
})

describe('R8 Azure Key Vault: hostile envelopes', () => {
  it.each([
    'https://attacker.example/keys/app',
    'https://acme.vault.azure.net/keys/other',
    'https://acme.vault.azure.net/keys/App',
    'https://ACME.vault.azure.net/keys/app',
    `${keyId}/${version}`,
    `${keyId}/`,
    `${keyId}?x`,
    '',
  ])('no call for a wrap of %s', async (kekId) => {
    const { kms, ports } = over(() => Response.json({}))
    const hostile = [{ ...wrap, kekId }]
    expect(await codeOf(kms.unwrapDataKey(hostile, { context }))).toBe('ERR_ENVELOPE_UNKNOWN_KEY')
    expect(ports.sent).toEqual([])
  })

  it.each([0, 1, 32, 255, 257, 6_144])('no call for a wrap of %i bytes', async (length) => {
    const { kms, ports } = over(() => Response.json({}))
    const hostile = [{ ...wrap, wrapped: new Uint8Array(length) }]
    expect(await codeOf(kms.unwrapDataKey(hostile, { context }))).toBe('ERR_DECRYPT_FAILED')
    expect(ports.sent).toEqual([])
  })

  it('one call at most for a junk wrap of our own key, read again and again', async () => {
    const fake = createFakeAzure()
    const { network } = fake
    const credentials = azureClientSecret({ ...fake.credentials, network })
    const kms = createAzureKeyVaultKms({ keyId: fake.createKey(), credentials, network })
    const cipher = new EnvelopeCipher({ kms })
    const envelope = await cipher.encrypt(new Uint8Array(9), {})
    const head = EncryptedEnvelope.parse(envelope).headBytes
    envelope[head - 5] = (envelope[head - 5] as number) ^ 1
    cipher.clear()
    fake.forgetCalls()
    for (let i = 0; i < 5; i++)
      expect(await codeOf(cipher.decrypt(envelope, {}))).toBe('ERR_DECRYPT_FAILED')
    expect(fake.count()).toBe(1)
  })

  it.each([{}, { cache: false }] as const)(
    'one call at most for a made-up version: %o',
    async (cache) => {
      const fake = createFakeAzure()
      const { network } = fake
      const credentials = azureClientSecret({ ...fake.credentials, network })
      const kms = createAzureKeyVaultKms({ keyId: fake.createKey(), credentials, network })
      const cipher = new EnvelopeCipher({ kms, ...cache })
      const good = await cipher.encrypt(new Uint8Array(9), {})
      const [wrap] = EncryptedEnvelope.parse(good).wraps
      const at = Buffer.from(good).indexOf(wrap?.kekVersion ?? '')
      const envelope = good.slice()
      envelope.set(encodeUtf8('f'.repeat(32)), at)
      cipher.clear()
      fake.forgetCalls()
      for (let i = 0; i < 5; i++) {
        expect(await codeOf(cipher.decrypt(envelope, {}))).toBe('ERR_KMS_KEY_NOT_FOUND')
        expect(await codeOf(cipher.rewrap(envelope, {}))).toBe('ERR_KMS_KEY_NOT_FOUND')
      }
      expect([fake.count(), fake.count('unwrapKey')]).toEqual([1, 1])
      expect(await cipher.decrypt(good, {})).toEqual(new Uint8Array(9))
    },
  )
})

describe('R12 Azure Key Vault: secrets', () => {
  it('neither token nor DEK is in a URL, and the DEK of a refused wrap is wiped', async () => {
    const { kms, ports } = over(() => Response.json(operations.unwrapKey.right))
    await operations.unwrapKey.call(kms)
    for (const { url } of ports.sent)
      expect(url).toBe(`${keyId}/${version}/unwrapkey?api-version=7.4`)
    const given = new Uint8Array(32)
    const refusing = createAzureKeyVaultKms({
      keyId,
      credentials: () => Promise.resolve({ token: 'token' }),
      runtime: { ...ports.runtime, randomFill: () => given.fill(9) },
      network: testPorts(() => new Response(null, { status: 503 })).network,
    })
    expect(await codeOf(refusing.generateDataKey({ context }))).toBe('ERR_KMS_UNAVAILABLE')
    expect(given).toEqual(new Uint8Array(32))
  })
})
