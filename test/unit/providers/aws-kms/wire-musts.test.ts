import { describe, expect, it } from 'vitest'
import type { WrappedKey } from '../../../../src/kms/index.ts'
import { type AwsKmsOptions, createAwsKms } from '../../../../src/providers/aws-kms/index.ts'
import { createFakeAws, type FakeAwsPolicy } from '../../../../adapters/fakes/index.ts'
import { codeOf } from '../../credentials/aws/ports.ts'

const context = { 'edge-kms:dk': 'salt.1' }
const ARN = /^arn:aws:kms:us-east-1:111122223333:key\/[0-9a-f-]{36}$/
const user = createFakeAws().credentials

/** A fake with an alias and a second key, a provider over it, and the URLs that it is asked by. */
function setUp(options: Partial<AwsKmsOptions> = {}, policy: FakeAwsPolicy = {}) {
  const fake = createFakeAws({ accessKeys: [{ ...user, policy }] })
  const app = fake.createKey({ alias: 'alias/app' })
  const other = fake.createKey()
  const multi = fake.createKey({ multiRegion: true })
  const urls: string[] = []
  const { region, credentials } = fake
  const network: AwsKmsOptions['network'] = {
    ...fake.network,
    fetch: (url, init) => {
      urls.push(url)
      return fake.network.fetch(url, init)
    },
  }
  const create = (more: Partial<AwsKmsOptions> = {}) =>
    createAwsKms({ keyId: 'alias/app', region, credentials, network, ...options, ...more })
  return { fake, app, other, multi, urls, create }
}

const noDescribe: FakeAwsPolicy = { deny: ['kms:DescribeKey'] }

describe('an aws-kms kekId', () => {
  it.each([
    ['an alias', {}],
    ['an alias without DescribeKey', noDescribe],
  ])('W3.20: is the ARN of the answer, by %s', async (_what, policy) => {
    const { app, create } = setUp({}, policy)
    const kms = create()
    const made = await kms.generateDataKey({ context })
    const wraps = [
      ...made.wraps,
      ...(await kms.wrapDataKey(made.plaintext, { context })),
      ...(await kms.rewrapDataKey(made.wraps, { context })),
    ]
    expect(wraps.map(({ kekId }) => kekId)).toEqual([app.arn, app.arn, app.arn])
    expect(app.arn).toMatch(ARN)
  })

  it('W3.20: is never taken where it is no key ARN', async () => {
    const { fake, app, create } = setUp()
    const kms = create()
    const { wraps } = await kms.generateDataKey({ context })
    fake.forgetCalls()
    const alias = app.arn.replace(/key\/.*/, 'alias/app')
    for (const kekId of [alias, 'alias/app', app.keyId, `${app.arn}/`, app.arn.toUpperCase(), '']) {
      const forged = { ...(wraps[0] as WrappedKey), kekId }
      for (const one of [kms, create()]) {
        expect(one.canUnwrap(forged)).toBe(false)
        expect(await codeOf(one.unwrapDataKey([forged], { context }))).toBe(
          'ERR_ENVELOPE_UNKNOWN_KEY',
        )
      }
    }
    expect(fake.count()).toBe(0)
  })

  it('W3.20: of an mrk- id matches without the Region only where that is configured', () => {
    const { multi, other, create } = setUp()
    const away = (arn: string): WrappedKey => ({
      provider: 'aws-kms',
      kekId: arn.replace('us-east-1', 'eu-west-1'),
      kekVersion: '',
      wrapped: new Uint8Array(180),
    })
    const by = (...replicaRegions: string[]) => create({ keyId: multi.arn, replicaRegions })
    expect(by().canUnwrap(away(multi.arn))).toBe(false)
    expect(by('us-west-2').canUnwrap(away(multi.arn))).toBe(false)
    expect(by('eu-west-1').canUnwrap(away(multi.arn))).toBe(true)
    const single = create({ keyId: other.arn, replicaRegions: ['eu-west-1'] })
    expect(single.canUnwrap(away(other.arn))).toBe(false)
  })
})

describe('a URL', () => {
  it('W3.24: comes from the configuration, whatever a header says', async () => {
    const { fake, multi, urls, create } = setUp()
    const made = await create({ keyId: multi.arn }).generateDataKey({ context })
    const [wrap] = made.wraps as [WrappedKey]
    const named = [
      multi.arn.replace('us-east-1', 'eu-west-1'),
      multi.arn.replace('us-east-1', 'attacker-1'),
      'https://attacker.example/key',
      'arn:aws:kms:attacker.example/:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
      '//attacker.example',
      '../../attacker',
    ]
    const wraps = [...named.map((kekId) => ({ ...wrap, kekId })), wrap]
    const endpoint = 'https://vpce-1.example.test/kms'
    for (const place of [{}, { endpoint }]) {
      urls.length = 0
      fake.forgetCalls()
      const kms = create({ keyId: multi.arn, replicaRegions: ['eu-west-1'], ...place })
      for (const one of [...wraps.map((row) => [row]), wraps]) {
        await codeOf(kms.unwrapDataKey(one, { context }))
        await codeOf(kms.rewrapDataKey(one, { context }))
      }
      expect(new Set(urls)).toEqual(
        new Set([
          place.endpoint === undefined ? 'https://kms.us-east-1.amazonaws.com/' : `${endpoint}/`,
        ]),
      )
      // Nor does the header name the key that is asked: it is the configured one.
      const asked = fake.calls.flatMap(({ keyId, sourceKeyId = keyId }) => [keyId, sourceKeyId])
      expect(new Set(asked)).toEqual(new Set([multi.arn]))
    }
  })
})

describe('what AWS reveals after an unwrap', () => {
  it('W3.25: is compared with the wrap, where an alias could still have been any key', async () => {
    const { app, other, create } = setUp({}, noDescribe)
    const { wraps } = await create().generateDataKey({ context })
    const [wrap] = wraps as [WrappedKey]
    expect(wrap.kekId).toBe(app.arn)
    // The same ciphertext under the name of a key that an alias might stand for.
    const forged = { ...wrap, kekId: other.arn }
    const cold = create()
    expect(cold.canUnwrap(forged)).toBe(true)
    expect(await codeOf(cold.unwrapDataKey([forged], { context }))).toBe('ERR_DECRYPT_FAILED')
    // The answer has fixed the key: now it is not asked at all.
    expect(await codeOf(cold.unwrapDataKey([forged], { context }))).toBe('ERR_ENVELOPE_UNKNOWN_KEY')
    const { by } = await create().unwrapDataKey([forged, wrap], { context })
    expect(by).toBe(wrap)
  })

  it('W3.25: an answer that names another key than the pinned one is refused', async () => {
    const { fake, app, create } = setUp()
    for (const keyId of [app.arn, 'alias/app']) {
      const kms = create({ keyId })
      const { wraps } = await kms.generateDataKey({ context })
      fake.faults.push({ kind: 'wrong-key', operation: 'Decrypt' })
      expect(await codeOf(kms.unwrapDataKey(wraps, { context }))).toBe('ERR_KMS_RESPONSE_INVALID')
      expect(await codeOf(kms.unwrapDataKey(wraps, { context }))).toBe('no error')
    }
  })
})
