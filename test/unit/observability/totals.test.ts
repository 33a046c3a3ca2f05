import { expect, it } from 'vitest'
import { CachedKms, composeKms, EnvelopeCipher } from '../../../src/index.ts'
import { KmsMetrics } from '../../../src/observability/index.ts'
import { FakeWorld } from '../../support/fake-world.ts'
import { fail, ScriptedKms } from '../../support/scripted-kms.ts'

it('a snapshot has totals beside the metric families, hits and misses each as one', async () => {
  const world = new FakeWorld()
  const inner = new ScriptedKms()
  const metrics: KmsMetrics = new KmsMetrics({ cache: () => ({ ...keys.stats() }) })
  const kms = composeKms(inner, { ...world.ports, observer: metrics })
  const keys: CachedKms = new CachedKms({ kms, runtime: world, network: world })
  const cipher = new EnvelopeCipher({ keys })
  const plaintext = new Uint8Array(1)
  const envelope = await cipher.encrypt(plaintext)
  await cipher.encrypt(plaintext)
  await cipher.decrypt(envelope)
  const { wraps, plaintext: dek } = await kms.generateDataKey({ context: {} })
  await kms.wrapDataKey(dek, { context: {} })
  await kms.rewrapDataKey(wraps, { context: {} })
  await kms.unwrapDataKey(wraps, { context: {} })
  await kms.unwrapMany([{ wraps, context: {} }], {})
  inner.script = [fail('ERR_KMS_UNAVAILABLE')]
  await world.settled(kms.unwrapDataKey(wraps, { context: {} }))
  inner.script = [fail('ERR_KMS_KEY_DISABLED')]
  await world.settled(kms.generateDataKey({ context: {} }))
  const { metrics: families, ...totals } = metrics.snapshot()
  expect(families.length).toBeGreaterThan(0)
  const { encryptHits, encryptMisses, decryptHits, decryptMisses } = keys.stats()
  expect(totals).toEqual({
    generateKeyTotal: 3,
    encryptKeyTotal: 2,
    decryptKeyTotal: 3,
    cacheHits: encryptHits + decryptHits,
    cacheMisses: encryptMisses + decryptMisses,
    errorsTotal: 1,
    retriesTotal: 1,
  })
  expect(totals.cacheHits).toBe(2)
  expect(new KmsMetrics().snapshot()).toMatchObject({ cacheHits: 0, generateKeyTotal: 0 })
})
