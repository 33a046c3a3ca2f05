import { describe, expect, it } from 'vitest'
import { EncryptedEnvelope, EnvelopeCipher, isKmsError, MultiKms } from '../../../../src/index.ts'
import type { KeyManagementService, WrappedKey } from '../../../../src/kms/index.ts'
import { createAwsKms } from '../../../../src/providers/aws-kms/index.ts'
import {
  azureClientSecret,
  type AzureKeyVaultKms,
  type AzureKeyVaultOptions,
  createAzureKeyVaultKms,
} from '../../../../src/providers/azure-key-vault/index.ts'
import { createLocalKms } from '../../../../src/providers/local/index.ts'
import {
  createFakeAws,
  createFakeAzure,
  type FakeAzure,
  type FakeAzureOptions,
} from '../../../../adapters/fakes/index.ts'
import { codeOf } from '../../credentials/aws/ports.ts'

const context = { 'edge-kms:dk': 'salt.1', tenant: 'acme' }
const message = { context: { tenant: 'acme' }, aad: { row: '42' } }
const plaintext = new TextEncoder().encode('4111 1111')

function setUp(
  options: Partial<AzureKeyVaultOptions> = {},
  azure: FakeAzureOptions = {},
): { readonly fake: FakeAzure; readonly kms: AzureKeyVaultKms; readonly keyId: string } {
  const fake = createFakeAzure(azure)
  const { network } = fake
  const keyId = options.keyId ?? fake.createKey({ name: 'app' })
  const credentials = azureClientSecret({ ...fake.credentials, network })
  const kms = createAzureKeyVaultKms({ credentials, network, ...options, keyId })
  return { fake, kms, keyId }
}

const operations = (fake: FakeAzure): string => fake.calls.map((call) => call.operation).join()

describe('Azure Key Vault: calls', () => {
  it('costs one token and one wrapKey for many records, one unwrapKey for a cold reader', async () => {
    const { fake, kms } = setUp()
    const cipher = new EnvelopeCipher({ kms })
    const envelopes = await cipher.encryptMany(
      Array.from({ length: 100 }, () => ({ plaintext, ...message })),
    )
    const [first] = envelopes
    if (first?.ok !== true) throw new Error('no envelope')
    expect(await new EnvelopeCipher({ kms }).decrypt(first.value, message)).toEqual(plaintext)
    expect(operations(fake)).toBe('token,wrapKey,unwrapKey')
  })

  it('wraps carry the key without its version, and the version of the answer', async () => {
    const { kms, keyId } = setUp()
    const { wraps } = await kms.generateDataKey({ context })
    expect(wraps).toMatchObject([{ provider: 'azure-key-vault', kekId: keyId }])
    expect(wraps[0]?.kekVersion).toMatch(/^[0-9a-f]{32}$/)
    expect(await kms.currentVersion({})).toMatchObject([{ kekVersion: wraps[0]?.kekVersion }])
  })

  it('the context is not sent, and is bound all the same', async () => {
    const { kms } = setUp()
    const cipher = new EnvelopeCipher({ kms })
    const envelope = await cipher.encrypt(plaintext, message)
    expect(kms.capabilities.bindsContext).toBe(false)
    const other = { ...message, context: { tenant: 'other' } }
    // The header names its context: another one is refused before any call.
    expect(await codeOf(new EnvelopeCipher({ kms }).decrypt(envelope, other))).toBe(
      'ERR_DECRYPT_FAILED',
    )
    const hidden = { kms, requiredContextKeys: ['tenant'] }
    const bound = await new EnvelopeCipher(hidden).encrypt(plaintext, message)
    expect(await codeOf(new EnvelopeCipher(hidden).decrypt(bound, other))).toBe(
      'ERR_DECRYPT_FAILED',
    )
    expect(await new EnvelopeCipher(hidden).decrypt(bound, message)).toEqual(plaintext)
  })

  it('a rotation makes new wraps of a new version, and the old ones open', async () => {
    const { kms, fake } = setUp()
    const before = await kms.generateDataKey({ context })
    const [rotated] = await kms.rotateKey({})
    const after = await kms.rewrapDataKey(before.wraps, { context })
    expect(after[0]?.kekVersion).toBe(rotated?.kekVersion)
    expect(after[0]?.kekVersion).not.toBe(before.wraps[0]?.kekVersion)
    const opened = await kms.unwrapDataKey(before.wraps, { context })
    expect(opened.plaintext.expose()).toEqual(before.plaintext.expose())
    const sent = fake.calls.filter(({ operation }) => operation === 'unwrapKey')
    expect(sent.map(({ version }) => version)).toEqual([
      before.wraps[0]?.kekVersion,
      before.wraps[0]?.kekVersion,
    ])
  })

  it('the health check uses the key as far as it may', async () => {
    for (const [usage, calls] of [
      ['both', 'token,wrapKey,unwrapKey'],
      ['encrypt', 'token,wrapKey'],
      ['decrypt', 'token,get'],
    ] as const) {
      const { kms, fake } = setUp({ usage })
      expect((await kms.healthCheck({})).healthy).toBe(true)
      expect([usage, operations(fake)]).toEqual([usage, calls])
    }
  })

  it.each(['both', 'encrypt', 'decrypt'] as const)(
    'the health check of %s sees an expired or disabled key, or one for something else',
    async (usage) => {
      const health = async (operations: readonly string[], expiresAtMs?: number) => {
        const fake = createFakeAzure()
        const keyId = fake.createKey({
          operations,
          ...(expiresAtMs !== undefined && { expiresAtMs }),
        })
        const { network } = fake
        const credentials = azureClientSecret({ ...fake.credentials, network })
        const kms = createAzureKeyVaultKms({ credentials, network, keyId, usage })
        return (await kms.healthCheck({})).checks[0]?.code
      }
      const forbidden = usage === 'decrypt' ? 'ERR_KMS_KEY_DISABLED' : 'ERR_KMS_ACCESS_DENIED'
      expect(await health(['sign'])).toBe(forbidden)
      // Past its expiry a key opens what it wrapped.
      const expired = usage === 'decrypt' ? undefined : 'ERR_KMS_KEY_DISABLED'
      expect(await health(['wrapKey', 'unwrapKey'], Date.now() - 1_000)).toBe(expired)
    },
  )
})

describe('Azure Key Vault: rotation policy', () => {
  it('is read as it was set', async () => {
    const { kms } = setUp()
    expect(await kms.rotationPolicy({})).toEqual({})
    const policy = { rotateAfter: 'P90D', notifyBeforeExpiry: 'P30D', expiryTime: 'P2Y' }
    expect(await kms.setRotationPolicy(policy, {})).toEqual(policy)
    expect(await kms.rotationPolicy({})).toEqual(policy)
    const other = { rotateBeforeExpiry: 'P30D', expiryTime: 'P1Y' }
    expect(await kms.setRotationPolicy(other, {})).toEqual(other)
    expect(await kms.setRotationPolicy({}, {})).toEqual({})
  })

  it.each([
    { rotateAfter: '90 days' },
    { rotateAfter: 'P' },
    { expiryTime: 'PT5M' },
    { rotateAfter: 'P90D', rotateBeforeExpiry: 'P30D' },
    { rotateAftr: 'P90D' },
  ])('refuses %o, and sends nothing', async (policy) => {
    const { kms, fake } = setUp()
    expect(await codeOf(kms.setRotationPolicy(policy, {}))).toBe('ERR_KMS_CONFIG')
    expect(fake.count()).toBe(0)
  })

  it('a time before an expiry that there is not is refused by Azure', async () => {
    const { kms } = setUp()
    expect(await codeOf(kms.setRotationPolicy({ rotateBeforeExpiry: 'P30D' }, {}))).toBe(
      'ERR_KMS_CONFIG',
    )
  })
})

describe('Azure Key Vault: moving between vendors', () => {
  it('an envelope goes from AWS to Azure, to a local key and back, its body unchanged', async () => {
    const { kms: azure } = setUp()
    const hsm = createFakeAzure()
    const { network } = hsm
    const keyId = hsm.createKey({ kty: 'oct-HSM' })
    const credentials = azureClientSecret({ ...hsm.credentials, network })
    const services: KeyManagementService[] = [
      azure,
      createAzureKeyVaultKms({ keyId, credentials, network, algorithm: 'A256KW' }),
      createLocalKms({
        versions: [{ version: 1, key: Uint8Array.from({ length: 32 }, (_, i) => i) }],
      }),
      (() => {
        const aws = createFakeAws()
        const keyArn = aws.createKey().arn
        return createAwsKms({ keyId: keyArn, credentials: aws.credentials, network: aws.network })
      })(),
    ]
    const body = (bytes: Uint8Array): Uint8Array => bytes.slice(-plaintext.length - 28)
    for (const from of services) {
      const envelope = await new EnvelopeCipher({ kms: from }).encrypt(plaintext, message)
      for (const to of services) {
        const kms = from === to ? to : new MultiKms({ read: [to, from], write: [to] })
        const moved = await new EnvelopeCipher({ kms }).rewrap(envelope, {
          context: message.context,
        })
        expect(body(moved)).toEqual(body(envelope))
        expect(EncryptedEnvelope.parse(moved).wraps.map(({ provider }) => provider)).toEqual([
          to.providerName,
        ])
        expect(await new EnvelopeCipher({ kms: to }).decrypt(moved, message)).toEqual(plaintext)
      }
    }
  })
})

describe('R9 Azure Key Vault: configuration', () => {
  const keyId = 'https://acme.vault.azure.net/keys/app'
  const credentials = (): Promise<{ token: string }> => Promise.resolve({ token: 'canary' })
  const bad: readonly Partial<Record<keyof AzureKeyVaultOptions | 'keyid', unknown>>[] = [
    { keyId: undefined },
    { keyId: '' },
    { keyId: 'app' },
    { keyId: 'http://acme.vault.azure.net/keys/app' },
    { keyId: 'https://u:canary@acme.vault.azure.net/keys/app' },
    { keyId: 'https://acme.vault.azure.net/keys/app?x=canary' },
    { keyId: 'https://acme.vault.azure.net/keys/app/0123456789abcdef0123456789abcdef' },
    { keyId: 'https://acme.vault.azure.net/keys/a_b' },
    { keyId: 'https://acme.vault.azure.net/keys/../secrets/canary' },
    { keyId: 'https://acme.vault.azure.net/secrets/app' },
    { keyId: 'https://vault.azure.net/keys/app' },
    { keyId: 'https://a.b.vault.azure.net/keys/app' },
    { keyId: 'https://acme.vault.azure.net.attacker.example/keys/app' },
    { keyId: 'https://attacker-vault.azure.net/keys/app' },
    { keyId: 'https://acme.vault.example.test/keys/app' },
    { keyId, resource: 'https://managedhsm.azure.net' },
    { keyId, resource: 'https://azure.net' },
    { keyId, resource: 'https://graph.microsoft.com' },
    { keyId, resource: 'https://vault.azure.net/path' },
    {
      keyId: 'https://acme.vault.example.test/keys/app',
      resource: 'https://vault.attacker.example',
    },
    { keyId: 'http://127.0.0.1:8080/keys/app', resource: 'https://vault.azure.net' },
    { keyId, algorithm: 'RSA1_5' },
    { keyId, algorithm: 'RSA-OAEP' },
    { keyId, algorithm: 'toString' },
    { keyId, algorithm: 'A256KW' },
    { keyId, usage: 'read' },
    { keyId, credentials: undefined },
    { keyId, credentials: { token: 'canary' } },
    { keyid: keyId },
  ]
  it.each(bad)('refuses %o', (options) => {
    let caught: unknown
    try {
      createAzureKeyVaultKms({ credentials, ...options } as AzureKeyVaultOptions)
    } catch (error) {
      caught = error
    }
    expect(isKmsError(caught, 'ERR_KMS_CONFIG')).toBe(true)
    expect(JSON.stringify(caught)).not.toContain('canary')
  })

  const places: readonly (readonly [Partial<AzureKeyVaultOptions>, string, string])[] = [
    [{}, 'https://acme.vault.azure.net/keys/app/wrapkey', 'https://vault.azure.net'],
    [
      { keyId: 'https://ACME.vault.azure.net:443/keys/App' },
      'https://acme.vault.azure.net/keys/App/wrapkey',
      'https://vault.azure.net',
    ],
    [
      { keyId: 'https://acme.vault.azure.cn/keys/app' },
      'https://acme.vault.azure.cn/keys/app/wrapkey',
      'https://vault.azure.cn',
    ],
    [
      { keyId: 'https://acme.vault.usgovcloudapi.net/keys/app' },
      'https://acme.vault.usgovcloudapi.net/keys/app/wrapkey',
      'https://vault.usgovcloudapi.net',
    ],
    [
      { keyId: 'https://acme.managedhsm.azure.net/keys/app', algorithm: 'A256KW' },
      'https://acme.managedhsm.azure.net/keys/app/wrapkey',
      'https://managedhsm.azure.net',
    ],
    [
      {
        keyId: 'https://acme.vault.example.test/keys/app',
        resource: 'https://vault.example.test/',
      },
      'https://acme.vault.example.test/keys/app/wrapkey',
      'https://vault.example.test',
    ],
    [
      {
        keyId: 'http://127.0.0.1:8080/keys/app',
        resource: 'https://vault.azure.net',
        allowHttpLoopback: true,
      },
      'http://127.0.0.1:8080/keys/app/wrapkey',
      'https://vault.azure.net',
    ],
  ]
  it.each(places)('%o calls %s with a token for %s', async (options, url, resource) => {
    const seen: string[] = []
    const kms = createAzureKeyVaultKms({
      keyId,
      credentials: (asked) => {
        seen.push(asked.resource)
        return Promise.resolve({ token: 'token' })
      },
      network: {
        ...createFakeAzure().network,
        fetch: (to) => {
          seen.push(to)
          return Promise.reject(new TypeError('no network'))
        },
      },
      ...options,
    })
    expect(await codeOf(kms.generateDataKey({ context }))).toBe('ERR_KMS_UNAVAILABLE')
    expect(seen).toEqual([resource, `${url}?api-version=7.4`])
  })

  it('says no to the half that it is not configured for', async () => {
    const { kms: writer } = setUp({ usage: 'encrypt' })
    const { wraps } = await writer.generateDataKey({ context })
    expect(await codeOf(writer.unwrapDataKey(wraps, { context }))).toBe('ERR_KMS_UNSUPPORTED')
    expect(await codeOf(writer.rewrapDataKey(wraps, { context }))).toBe('ERR_KMS_UNSUPPORTED')
    const { kms: reader } = setUp({ usage: 'decrypt' })
    expect(await codeOf(reader.generateDataKey({ context }))).toBe('ERR_KMS_UNSUPPORTED')
  })

  it('a time-out is honoured', async () => {
    const { kms, fake } = setUp({ timeoutMs: 20 })
    fake.faults.push({ kind: 'hang', operation: 'wrapKey' })
    expect(await codeOf(kms.generateDataKey({ context }))).toBe('ERR_KMS_TIMEOUT')
  })

  it('nothing is sent before the first use', () => {
    expect(setUp().fake.count()).toBe(0)
  })
})

describe('wire MUSTs of Azure', () => {
  it('W3.22: the algorithm is the configured one, whatever the key or the wrap could be', async () => {
    const { kms, fake } = setUp()
    const { wraps } = await kms.generateDataKey({ context })
    await kms.unwrapDataKey(wraps, { context })
    expect(fake.calls.flatMap(({ algorithm }) => algorithm ?? [])).toEqual([
      'RSA-OAEP-256',
      'RSA-OAEP-256',
    ])
    // A wrap of the other algorithm has another length, and is not sent at all.
    const short = [{ ...(wraps[0] as WrappedKey), wrapped: new Uint8Array(40) }]
    fake.forgetCalls()
    expect(await codeOf(kms.unwrapDataKey(short, { context }))).toBe('ERR_DECRYPT_FAILED')
    expect(fake.count()).toBe(0)
  })

  it.each([
    '',
    '7',
    '0123456789ABCDEF0123456789ABCDEF',
    '0123456789abcdef0123456789abcde/',
    '../../secrets/a?x=0123456789abcde',
    '0123456789abcdef0123456789abcdef0',
  ])('W3.24: the version %j never becomes part of a URL', async (kekVersion) => {
    const { kms, fake } = setUp()
    const { wraps } = await kms.generateDataKey({ context })
    fake.forgetCalls()
    const hostile = [{ ...(wraps[0] as WrappedKey), kekVersion }]
    expect(await codeOf(kms.unwrapDataKey(hostile, { context }))).toBe('ERR_DECRYPT_FAILED')
    expect(fake.count()).toBe(0)
  })

  it('W3.25: an answer that names another key or version is refused', async () => {
    for (const kind of ['wrong-key', 'wrong-version'] as const) {
      const { kms, fake } = setUp()
      const { wraps } = await kms.generateDataKey({ context })
      fake.faults.push({ kind })
      expect(await codeOf(kms.unwrapDataKey(wraps, { context }))).toBe('ERR_KMS_RESPONSE_INVALID')
    }
  })
})
