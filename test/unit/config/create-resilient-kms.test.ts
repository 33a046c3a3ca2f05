import { describe, expect, it } from 'vitest'
import { createResilientKms, type ResilientKmsConfig } from '../../../src/config/index.ts'
import { EncryptedEnvelope, EnvelopeCipher, PRESETS, type PresetName } from '../../../src/index.ts'
import { KmsAuditTrail, lineSink } from '../../../src/observability/index.ts'
import { FakeWorld } from '../../support/fake-world.ts'

const key = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='
const local = (kekId: string) =>
  ({ provider: 'local', kekId, versions: [{ version: 1, key }] }) as const
const audit = new KmsAuditTrail({ mode: 'closed', sink: lineSink(() => undefined) })
const json = (config: ResilientKmsConfig): ResilientKmsConfig =>
  JSON.parse(JSON.stringify(config)) as ResilientKmsConfig

const data = new TextEncoder().encode('4111 1111')
const options = { context: { tenant: 'acme' } }

it.each(Object.keys(PRESETS) as PresetName[])('makes a stack of JSON: %s', async (preset) => {
  const { keys, kms } = createResilientKms(json({ preset, kms: local('a') }), { audit })
  const cipher = new EnvelopeCipher({ keys })
  expect(await cipher.decrypt(await cipher.encrypt(data, options), options)).toEqual(data)
  expect((await kms.healthCheck({})).healthy).toBe(true)
})

it('R26 several KMSs of JSON wrap one data key', async () => {
  const { keys } = createResilientKms(json({ kms: [local('a'), local('b')] }))
  const envelope = await new EnvelopeCipher({ keys }).encrypt(data, options)
  expect(EncryptedEnvelope.parse(envelope).wraps.map(({ kekId }) => kekId)).toEqual(['a', 'b'])
  const { keys: one } = createResilientKms(json({ kms: local('b') }))
  expect(await new EnvelopeCipher({ keys: one }).decrypt(envelope, options)).toEqual(data)
})

it('the cache is that of the preset, unless it is said', async () => {
  for (const [config, ms] of [
    [{ preset: 'highSecurity' }, 60_000],
    [{ preset: 'highSecurity', cache: { ttlMs: 90_000 } }, 90_000],
    [{}, 300_000],
  ] as const) {
    const { runtime, network, ...world } = worldOf()
    const { keys } = createResilientKms(json({ ...config, kms: local('a') }), {
      audit,
      runtime,
      network,
    })
    const cipher = new EnvelopeCipher({ keys })
    const envelope = await cipher.encrypt(data, options)
    world.advance(ms - 1)
    await cipher.decrypt(envelope, options)
    expect(keys.stats().decryptMisses).toBe(0)
    world.advance(1)
    await cipher.decrypt(envelope, options)
    expect(keys.stats().decryptMisses).toBe(1)
  }
})

it('required context keys come from the configuration', async () => {
  const { keys } = createResilientKms(
    json({ kms: local('a'), cache: { requiredContextKeys: ['tenant'] } }),
  )
  await expect(new EnvelopeCipher({ keys }).encrypt(data)).rejects.toMatchObject({
    code: 'ERR_CONTEXT_INVALID',
  })
})

describe('refuses', () => {
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['no KMS', {}],
    ['an empty list', { kms: [] }],
    ['a KMS that is none', { kms: { provider: 'cloud' } }],
    ['an unknown preset', { kms: local('a'), preset: 'best' }],
    ['a misspelt option', { kms: local('a'), deadline: 1 }],
    ['a misspelt value of a part', { kms: local('a'), retry: { attempts: 1 } }],
    ['a part that is no object', { kms: local('a'), retry: 'often' }],
    ['a misspelt value of the cache', { kms: local('a'), cache: { ttl: 1 } }],
    ['a KMS in the cache', { kms: local('a'), cache: { kms: {} } }],
    ['a cache that is too long', { kms: local('a'), cache: { ttlMs: 3_600_001 } }],
    ['a quorum without a log', { kms: [local('a'), local('b')], writePolicy: { quorum: 1 } }],
    ['highSecurity without audit', { kms: local('a'), preset: 'highSecurity' }],
  ])('%s', (_, config) => {
    expect(() => createResilientKms(config as ResilientKmsConfig)).toThrow(
      expect.objectContaining({ code: 'ERR_KMS_CONFIG' }),
    )
  })
})

function worldOf() {
  const world = new FakeWorld()
  return {
    runtime: world,
    network: world,
    advance: (ms: number) => {
      world.nowMs += ms
    },
  }
}
