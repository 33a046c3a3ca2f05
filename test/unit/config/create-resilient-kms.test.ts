import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { createResilientKms, type ResilientKmsConfig } from '../../../src/config/index.ts'
import {
  EncryptedEnvelope,
  EnvelopeCipher,
  isKmsError,
  PRESETS,
  type PresetName,
} from '../../../src/index.ts'
import { KmsAuditTrail, lineSink } from '../../../src/observability/index.ts'
import { sharedDataKeys } from '../../../src/data-keys/shared/index.ts'
import { MemoryKeyValueStore } from '../../../src/stores/index.ts'
import { FakeWorld } from '../../support/fake-world.ts'

const key = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='
const local = (kekId: string) =>
  ({ provider: 'local', kekId, versions: [{ version: 1, key }] }) as const
const azureOf = (credentials: object) => ({
  provider: 'azure-key-vault',
  keyId: 'https://acme.vault.azure.net/keys/app',
  credentials: { tenantId: guid, clientId: guid, clientSecret: 'canary', ...credentials },
})
const guid = '72f0a1c4-0000-4000-8000-000000000001'
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

it('R18 two stacks of one JSON share a data key through a store', async () => {
  const store = new MemoryKeyValueStore()
  const storeAuthKey = new TextEncoder().encode(key)
  const adoptions = []
  for (let i = 0; i < 2; i += 1) {
    const shared = sharedDataKeys({ store, partition: 'test', storeAuthKey })
    const { keys } = createResilientKms(json({ kms: local('a') }), { shared })
    await new EnvelopeCipher({ keys }).encrypt(data, options)
    adoptions.push(keys.stats().adoptions)
  }
  expect(adoptions).toEqual([0, 1])
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

/** Returns the message about a configuration. */
function saidOf(config: unknown): string {
  try {
    createResilientKms(config as ResilientKmsConfig)
  } catch (error) {
    if (!isKmsError(error, 'ERR_KMS_CONFIG')) throw error
    expect(inspect(error, { showHidden: true, depth: 9 })).not.toContain('canary')
    return error.message
  }
  return 'no error'
}

describe('what is wrong is named by its path, with the nearest known name', () => {
  const a = local('a')
  const part = (name: string, value: unknown) => ({ kms: a, [name]: value })
  it.each<[unknown, string]>([
    [undefined, 'the configuration is missing'],
    ['canary', 'the configuration must be an object, got '],
    [[a], 'the configuration must be an object, got '],
    [{}, 'kms is missing'],
    [{ kms: 'canary' }, 'kms must be'],
    [{ kms: [] }, 'kms must be an array of at least 1 item, got an array'],
    [{ kms: {} }, 'kms.provider must be one of aws-kms'],
    [
      { kms: { ...a, provider: 'locl' } },
      'kms.provider must be one of aws-kms, azure-key-vault, by-context, env, gcp-kms, google-cloud-kms, local, vault-transit, got a string: did you mean local?',
    ],
    [{ kms: { ...a, kekid: 'canary' } }, 'unknown option: kms.kekid: did you mean kekId?'],
    [{ kms: { ...a, versions: [{ version: 1, kye: key }] } }, 'kms.versions.0.'],
    [{ kms: [a, { ...a, provider: 'canary' }] }, 'kms.1.provider must be one of'],
    [{ kms: [a, { ...a, kekid: 'b' }] }, 'unknown option: kms.1.kekid: did you mean kekId?'],
    [{ kms: [a, { ...a, kekId: 'canary canary' }] }, 'kms.1: kekId must be'],
    [{ kms: [a, { ...a, kekId: { env: 'canary' } }] }, 'kms.1.kekId is a reference'],
    [
      { kms: [a, azureOf({ type: 'client-secret', authority: 'http://canary' })] },
      'kms.1.credentials: an endpoint must be https',
    ],
    [{ kms: a, pre_set: 'production' }, 'unknown option: pre_set: did you mean preset?'],
    [part('preset', 'canary'), 'preset must be one of development, production'],
    [part('deadlineMs', 0), 'deadlineMs must be at least 1'],
    [part('deadlineMs', '5000'), 'deadlineMs must be'],
    [part('deadlineMs', 1.5), 'deadlineMs must be'],
    [part('attemptTimeoutMs', 900_001), 'attemptTimeoutMs must be at most 900000'],
    [
      { kms: a, deadlineMs: 10, attemptTimeoutMs: 11 },
      'attemptTimeoutMs must be an integer from 1 to 10, got 11',
    ],
    [part('retry', 'canary'), 'retry must be'],
    [part('retry', true), 'retry must be'],
    [part('retry', { attempts: 1 }), 'unknown option: retry.attempts: did you mean maxAttempts?'],
    [part('retry', { maxAttempts: 11 }), 'retry.maxAttempts must be at most 10'],
    [part('circuitBreaker', { failureRate: 0 }), 'circuitBreaker.failureRate must be above 0'],
    [part('bulkhead', { maxHoldMs: 1 }), 'unknown option: bulkhead.maxHoldMs'],
    [part('bulkhead', false), 'bulkhead must be'],
    [part('writePolicy', 'canary'), 'writePolicy must be'],
    [part('writePolicy', { quorum: 0 }), 'writePolicy.quorum must be at least 1'],
    [part('writePolicy', {}), 'writePolicy.quorum is missing'],
    [
      { kms: [a, local('b')], writePolicy: { quorum: 3 } },
      'writePolicy.quorum must be an integer from 1 to 2, got 3',
    ],
    [{ kms: [a, local('b')], writePolicy: { quorum: 1 } }, 'a quorum requires repairs'],
    [part('order', 'canary'), 'order must be one of configured, fastest'],
    [part('hedge', { after: 1 }), 'unknown option: hedge.after: did you mean afterMs?'],
    [part('hedge', { budget: 1 }), 'hedge.afterMs is missing'],
    [part('scopes', ['a', 'b']), 'scopes must have a name for each of 1 KMSs'],
    [part('scopes', [7]), 'scopes.0 must be'],
    [part('cache', { ttl: 1 }), 'unknown option: cache.ttl: did you mean ttlMs?'],
    [part('cache', { kms: {} }), 'unknown option: cache.kms'],
    [part('cache', { ttlMs: 3_600_001 }), 'cache.ttlMs must be at most 3600000'],
    [
      part('cache', { ttlMs: 10, refreshAheadMs: 11 }),
      'cache.refreshAheadMs must be an integer from 0 to 10, got 11',
    ],
    [part('cache', { requiredContextKeys: 'canary' }), 'cache.requiredContextKeys must be'],
    [{ kms: [a, { ...a, usage: 'encrypt' }] }, 'each KMS to write to must have its own KEK'],
    [
      part('retry', { baseDelayMs: 9, maxDelayMs: 8 }),
      'baseDelayMs must be an integer from 1 to 8, got 9',
    ],
    [
      { kms: Array.from({ length: 6 }, (_, i) => local(String(i))) },
      'cache.maxWraps must be at least 6, the number of KEKs that write, got 5',
    ],
    [
      { kms: a, preset: 'highSecurity' },
      'this preset requires an audit trail whose mode is closed',
    ],
  ])('%j', (config, said) => {
    expect(saidOf(config)).toContain(said)
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
