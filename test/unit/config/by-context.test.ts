import { toJSONSchema } from 'zod/mini'
import { describe, expect, it } from 'vitest'
import {
  createKms,
  createResilientKms,
  type KmsByContextConfig,
  type KmsConfig,
} from '../../../src/config/index.ts'
import { kmsConfigSchema } from '../../../src/config/kms-config.ts'
import { EnvelopeCipher } from '../../../src/index.ts'
import { MemoryKeyValueStore } from '../../../src/stores/index.ts'
import { testPorts } from '../credentials/aws/ports.ts'
import { type Json, schemaOptions } from './schema-paths.ts'

const key = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='
const credentials = {
  type: 'static',
  accessKeyId: 'AKID',
  secretAccessKey: 'kY7-static-0001',
} as const
const versions = [{ version: 1, key }]
const text = new TextEncoder().encode('4111')

const nameless: KmsByContextConfig = {
  provider: 'by-context',
  kms: { provider: 'local', versions },
}
const local = (kekId = 'of-{tenant}'): KmsByContextConfig => ({
  provider: 'by-context',
  kms: { provider: 'local', kekId, versions },
})
const aws = (keyId: string): KmsByContextConfig => ({
  provider: 'by-context',
  kms: { provider: 'aws-kms', keyId, region: 'eu-central-1', credentials },
})
const gcp = (keyName: string): KmsByContextConfig => ({
  provider: 'by-context',
  kms: { provider: 'gcp-kms', keyName, credentials: { type: 'metadata-server' } },
})
const azure = (keyId: string): KmsByContextConfig => ({
  provider: 'by-context',
  kms: { provider: 'azure-key-vault', keyId, credentials: { type: 'managed-identity' } },
})
const vault = (name: string): KmsByContextConfig => ({
  provider: 'by-context',
  kms: {
    provider: 'vault-transit',
    endpoint: 'https://vault.test:8200',
    key: name,
    auth: { type: 'token', token: 'hvs.token' },
  },
})

/** Returns the key ids and URLs that a call sends for a context, or the code of its error. */
async function sentFor(config: KmsConfig, context: Record<string, string>): Promise<string> {
  const ports = testPorts(() => new Response('{}', { status: 400 }))
  const { runtime, network, sent } = ports
  const kms = createKms(config, { runtime, network })
  const error: unknown = await kms.generateDataKey({ context }).catch((thrown: unknown) => thrown)
  if (sent.length === 0) return (error as { code: string }).code
  return sent.map(({ url, body }) => `${url} ${body}`).join(' ')
}

describe('a key for each customer, as JSON', () => {
  it('keeps customers apart, and refuses a context without the entry', async () => {
    const cipher = new EnvelopeCipher({ kms: createKms(local()) })
    const acme = { context: { tenant: 'acme' } }
    const envelope = await cipher.encrypt(text, acme)
    expect(await new EnvelopeCipher({ kms: createKms(local()) }).decrypt(envelope, acme)).toEqual(
      text,
    )
    await expect(cipher.encrypt(text, {})).rejects.toMatchObject({ code: 'ERR_KMS_KEY_NOT_FOUND' })
    const other = createKms(local())
    const { wraps } = await createKms(local()).generateDataKey({ context: { tenant: 'acme' } })
    expect(wraps[0]?.kekId).toBe('of-acme')
    await expect(
      other.unwrapDataKey(wraps, { context: { tenant: 'globex' } }),
    ).rejects.toMatchObject({
      code: 'ERR_ENVELOPE_UNKNOWN_KEY',
    })
  })

  it.each([
    ['aws-kms', aws('alias/customer/{tenant}'), 'alias/customer/acme'],
    ['aws-kms by ARN', aws('arn:aws:kms:eu-central-1:111122223333:alias/{tenant}'), ':alias/acme'],
    ['vault-transit', vault('customer-{tenant}'), '/customer-acme'],
  ])('names the key of a customer to %s', async (_, config, expected) => {
    expect(await sentFor(config, { tenant: 'acme' })).toContain(expected)
  })

  it('takes its capabilities from the KMS inside, and holds maxEntries of them', async () => {
    const kms = createKms({ ...local(), maxEntries: 2 })
    expect(kms.capabilities).toMatchObject({
      keksByContext: true,
      bindsContext: true,
      revealsVersion: true,
    })
    for (const tenant of ['a', 'b', 'c']) await kms.generateDataKey({ context: { tenant } })
    const { stats } = kms as unknown as { stats: () => unknown }
    expect(stats.call(kms)).toEqual({ entries: 2, evictions: 1 })
  })

  it('has an option for each path of its schema', () => {
    const schema = toJSONSchema(kmsConfigSchema, { io: 'input' }) as unknown as Json
    const paths = schemaOptions(schema).map(({ path }) => path)
    const own = paths.filter((path) => /^by-context\.\w+$/.test(path))
    expect(own).toEqual(['by-context.kms', 'by-context.maxEntries'])
    expect(paths).toContain('by-context.kms.aws-kms.keyId')
  })
})

describe('a value that would change what the name of a key means', () => {
  it.each([
    '../app',
    'acme/../globex',
    'aws/kms',
    'a:b',
    'a?b',
    'a%2Fb',
    'a b',
    'a\n',
    '',
    '-a',
    '.',
    'ä',
    'a{tenant}',
    'x'.repeat(64),
    'key/1234abcd-12ab-34cd-56ef-1234567890ab',
  ])('is refused: %j', async (tenant) => {
    for (const config of [
      aws('alias/customer/{tenant}'),
      vault('customer-{tenant}'),
      azure('https://acme.vault.azure.net/keys/{tenant}'),
      gcp('projects/acme/locations/global/keyRings/customers/cryptoKeys/{tenant}'),
      local(),
    ])
      expect(await sentFor(config, { tenant })).toBe('ERR_CONTEXT_INVALID')
  })

  it('is not repeated', async () => {
    const work = createKms(local()).generateDataKey({ context: { tenant: 'acme/../globex' } })
    const error = (await work.catch((thrown: unknown) => thrown)) as Error
    expect(error.message).toContain('"tenant"')
    expect(error.message).not.toContain('globex')
  })

  it('is one that Azure would take for another: it ignores case', async () => {
    const config = azure('https://acme.vault.azure.net/keys/{tenant}')
    expect(await sentFor(config, { tenant: 'Acme' })).toBe('ERR_CONTEXT_INVALID')
  })

  it('is one that makes a key of AWS out of ours', async () => {
    expect(await sentFor(aws('alias/{tenant}/s3'), { tenant: 'aws' })).toBe('ERR_CONTEXT_INVALID')
  })

  it('is one that the grammar of the vendor does not know: nothing is sent', async () => {
    const config = azure('https://acme.vault.azure.net/keys/{tenant}')
    expect(await sentFor(config, { tenant: 'a_b' })).toBe('ERR_CONTEXT_INVALID')
    expect(await sentFor(vault('{tenant}'), { tenant: 'acme-' })).toBe('ERR_KMS_CONFIG')
    const byId = aws('arn:aws:kms:eu-central-1:111122223333:key/{id}')
    expect(await sentFor(byId, { id: 'app' })).toBe('ERR_KMS_CONFIG')
  })
})

describe('a template that is not safe', () => {
  it.each([
    ['without an entry', aws('alias/app'), 'kms.keyId must have an entry of the context in braces'],
    ['without a name', nameless, 'kms.kekId must have an entry'],
    ['with half a brace', aws('alias/{tenant'), 'kms.keyId must have an entry'],
    ['with a brace too many', aws('alias/{a}/b}'), 'kms.keyId has a brace without a pair'],
    [
      'whose account is of the context',
      aws('arn:aws:kms:eu-central-1:{account}:alias/{tenant}'),
      'kms.keyId must begin with',
    ],
    ['whose kind of name is of the context', aws('{tenant}'), 'kms.keyId must begin with'],
    [
      'whose vault is of the context',
      azure('https://{tenant}.vault.azure.net/keys/app'),
      'kms.keyId must begin with',
    ],
    [
      'whose project is of the context',
      gcp('projects/{tenant}/locations/global/keyRings/r/cryptoKeys/k'),
      'kms.keyName must begin with',
    ],
    ['whose entries run together', local('{a}-{b}'), 'kms.kekId must have a separator'],
    ['whose vendor does not take it', vault('a b {tenant}'), 'kms.key '],
  ])('is refused: %s', (_, config, message) => {
    expect(() => createKms(config)).toThrow(message)
  })

  it('names the whole path in a stack, and an option that nobody knows', () => {
    const kms = aws('alias/app')
    expect(() => createResilientKms({ kms })).toThrow('kms.kms.keyId must have an entry')
    const config = { ...local(), maxEntrys: 1 } as KmsConfig
    expect(() => createKms(config)).toThrow('unknown option: maxEntrys')
    const nested = { provider: 'by-context', kms: local() } as unknown as KmsConfig
    expect(() => createKms(nested)).toThrow('kms.provider must be one of')
  })

  it('takes two entries with a separator', async () => {
    const kms = createKms(local('{region}/{tenant}'))
    const { wraps } = await kms.generateDataKey({ context: { region: 'eu', tenant: 'acme' } })
    expect(wraps[0]?.kekId).toBe('eu/acme')
  })
})

describe('a stack for each customer, as JSON', () => {
  const call = (tenant: string) => ({ context: { tenant } })

  it('gives each customer a circuit of its own, also in a shared store', async () => {
    const down = {
      provider: 'vault-transit',
      endpoint: 'https://vault.test:8200',
      key: '{tenant}',
      auth: { type: 'token', token: 'hvs.t' },
    } as const
    const ports = testPorts(({ url }) =>
      url.includes('/acme')
        ? new Response('', { status: 503 })
        : new Response('{}', { status: 404 }),
    )
    const circuitStore = new MemoryKeyValueStore()
    const { kms } = createResilientKms(
      {
        kms: { provider: 'by-context', kms: down },
        retry: false,
        circuitBreaker: { failureThreshold: 2 },
      },
      { runtime: ports.runtime, network: ports.network, circuitStore },
    )
    for (let i = 0; i < 4; i++) await kms.generateDataKey(call('acme')).catch(() => undefined)
    const toAcme = ports.sent.filter(({ url }) => url.includes('/acme')).length
    await kms.generateDataKey(call('acme')).catch(() => undefined)
    expect(ports.sent.filter(({ url }) => url.includes('/acme'))).toHaveLength(toAcme) // it is open
    const before = ports.sent.length
    await kms.generateDataKey(call('globex')).catch(() => undefined)
    expect(ports.sent.length).toBeGreaterThan(before)
  })

  it('puts another KEK beside that of the customer', async () => {
    const { kms } = createResilientKms({
      kms: [local(), { provider: 'local', kekId: 'ours', versions }],
    })
    const { wraps } = await kms.generateDataKey(call('acme'))
    expect(wraps.map(({ kekId }) => kekId)).toEqual(['of-acme', 'ours'])
  })

  it('encrypts and decrypts with the cache of the stack', async () => {
    const make = (): EnvelopeCipher =>
      new EnvelopeCipher({
        keys: createResilientKms({ kms: local(), preset: 'highAvailability' }).keys,
      })
    const envelope = await make().encrypt(text, call('acme'))
    expect(await make().decrypt(envelope, call('acme'))).toEqual(text)
  })

  it('refuses at once what the stack of a customer would refuse', () => {
    expect(() =>
      createResilientKms({ kms: local(), attemptTimeoutMs: 9_000, deadlineMs: 3_000 }),
    ).toThrow('attemptTimeoutMs')
    expect(() =>
      createResilientKms(
        { kms: local(), circuitBreaker: false },
        { circuitStore: new MemoryKeyValueStore() },
      ),
    ).toThrow('circuitStore requires circuitBreaker')
    expect(() => createResilientKms({ kms: local(), preset: 'highSecurity' })).toThrow('audit')
  })
})
