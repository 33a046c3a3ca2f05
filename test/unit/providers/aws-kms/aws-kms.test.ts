import { describe, expect, it } from 'vitest'
import {
  EnvelopeCipher,
  EncryptedEnvelope,
  isKmsError,
  KmsError,
  MultiKms,
} from '../../../../src/index.ts'
import type { KmsErrorCode } from '../../../../src/errors.ts'
import type { KeyManagementService, WrappedKey } from '../../../../src/kms/index.ts'
import { type AwsKmsOptions, createAwsKms } from '../../../../src/providers/aws-kms/index.ts'
import { createLocalKms } from '../../../../src/providers/local/index.ts'
import { createFakeAws, type FakeAws, type FakeAwsFault } from '../../../../adapters/fakes/index.ts'

const context = { 'edge-kms:dk': 'salt.1', tenant: 'acme' }
const message = { context: { tenant: 'acme' }, aad: { row: '42' } }
const plaintext = new TextEncoder().encode('4111 1111')

function setUp(options: Partial<AwsKmsOptions> = {}): {
  fake: FakeAws
  kms: KeyManagementService
  arn: string
} {
  const fake = createFakeAws({ keys: [{ alias: 'alias/app' }] })
  const { arn } = fake.createKey()
  const kms = createAwsKms({
    keyId: arn,
    credentials: fake.credentials,
    network: fake.network,
    ...options,
  })
  return { fake, kms, arn }
}

async function codeOf(work: Promise<unknown>): Promise<KmsErrorCode | 'no error' | 'untyped'> {
  return work.then(
    () => 'no error',
    (error: unknown) => (isKmsError(error) ? error.code : 'untyped'),
  )
}

describe('AWS KMS: calls', () => {
  it('costs one GenerateDataKey for many records, and one Decrypt for a cold reader', async () => {
    const { fake, kms } = setUp()
    const cipher = new EnvelopeCipher({ kms })
    const envelopes = await cipher.encryptMany(
      Array.from({ length: 100 }, () => ({ plaintext, ...message })),
    )
    const first = envelopes[0]
    if (first?.ok !== true) throw new Error('no envelope')
    expect(await new EnvelopeCipher({ kms }).decrypt(first.value, message)).toEqual(plaintext)
    expect([fake.count('GenerateDataKey'), fake.count('Decrypt'), fake.count()]).toEqual([1, 1, 2])
  })

  it('W3.20: keeps the ARN of the answer, never the alias, and resolves the alias once', async () => {
    const { fake, kms } = setUp({ keyId: 'alias/app', region: 'us-east-1' })
    const a = await kms.generateDataKey({ context })
    const b = await kms.generateDataKey({ context })
    for (const { kekId } of [...a.wraps, ...b.wraps])
      expect(kekId).toMatch(/^arn:aws:kms:us-east-1:111122223333:key\//)
    expect(fake.count('DescribeKey')).toBe(1)
    await kms.unwrapDataKey(a.wraps, { context })
    expect(fake.calls.at(-1)).toMatchObject({ operation: 'Decrypt' })
    expect(fake.count('DescribeKey')).toBe(1)
  })

  it('pins an alias by the first answer where DescribeKey is not permitted', async () => {
    const accessKeys = [
      { ...createFakeAws().credentials, policy: { allow: ['kms:GenerateDataKey', 'kms:Decrypt'] } },
    ]
    const fake = createFakeAws({ accessKeys, keys: [{ alias: 'alias/app' }] })
    const kms = createAwsKms({
      keyId: 'alias/app',
      region: 'us-east-1',
      credentials: fake.credentials,
      network: fake.network,
    })
    const { wraps } = await kms.generateDataKey({ context })
    const foreign = { ...(wraps[0] as WrappedKey), kekId: fake.createKey().arn }
    expect(kms.canUnwrap(wraps[0] as WrappedKey)).toBe(true)
    expect(kms.canUnwrap(foreign)).toBe(false)
    await kms.unwrapDataKey(wraps, { context })
    expect(fake.count('DescribeKey')).toBe(1)
  })

  it('sends the whole context as EncryptionContext, with the id that joins both logs', async () => {
    const { fake, kms } = setUp()
    const envelope = await new EnvelopeCipher({ kms }).encrypt(plaintext, message)
    const sent = fake.calls.at(-1)
    expect(sent?.context).toMatchObject({ tenant: 'acme' })
    expect(sent?.context?.['edge-kms:dk']).toMatch(/^[\w-]{43}\.\d{13}$/)
    expect(EncryptedEnvelope.parse(envelope).wraps[0]?.kekVersion).toBe('')
  })

  it('opens the wrap of a related multi-Region key only where that is configured', async () => {
    const fake = createFakeAws()
    const key = fake.createKey({ multiRegion: true })
    const common = { credentials: fake.credentials, network: fake.network }
    const home = createAwsKms({ ...common, keyId: key.arn })
    const { wraps, plaintext: dek } = await home.generateDataKey({ context })
    const replica = key.arn.replace('us-east-1', 'eu-west-1')
    const away = createAwsKms({ ...common, keyId: replica, replicaRegions: ['us-east-1'] })
    expect(away.canUnwrap(wraps[0] as WrappedKey)).toBe(true)
    expect(createAwsKms({ ...common, keyId: replica }).canUnwrap(wraps[0] as WrappedKey)).toBe(
      false,
    )
    const stranger = {
      ...(wraps[0] as WrappedKey),
      kekId: key.arn.replace('111122223333', '999999999999'),
    }
    expect(away.canUnwrap(stranger)).toBe(false)
    expect(dek.length).toBe(32)
  })

  it('tries wraps of replicas in the configured order, own key first, whatever the message says', async () => {
    const fake = createFakeAws()
    const key = fake.createKey({ multiRegion: true })
    const common = { credentials: fake.credentials, network: fake.network, keyId: key.arn }
    const [made] = (await createAwsKms(common).generateDataKey({ context })).wraps as [WrappedKey]
    const of = (region: string, wrapped = new Uint8Array(180).fill(1)): WrappedKey => ({
      ...made,
      kekId: key.arn.replace('us-east-1', region),
      wrapped,
    })
    const kms = createAwsKms({ ...common, replicaRegions: ['eu-west-1', 'us-west-2'] })
    fake.forgetCalls()
    // Invented Regions cost no call, and stand before the right wrap in vain.
    const invented = ['ap-south-1', 'sa-east-1', 'ca-central-1', 'mars-north-1'].map((one) =>
      of(one),
    )
    const wraps = [...invented, of('us-west-2'), of('eu-west-1', made.wrapped), made]
    const opened = await kms.unwrapDataKey(wraps, { context })
    expect([opened.by.kekId, fake.count()]).toEqual([key.arn, 1])
    const away = await kms.unwrapDataKey(wraps.slice(0, -1), { context })
    expect([away.by.kekId, fake.count()]).toEqual([of('eu-west-1').kekId, 2])
    expect(await codeOf(kms.unwrapDataKey(invented, { context }))).toBe('ERR_ENVELOPE_UNKNOWN_KEY')
    expect(fake.count()).toBe(2)
  })

  it('refuses replica Regions that are none', () => {
    const options = {
      keyId: 'alias/app',
      region: 'us-east-1',
      credentials: createFakeAws().credentials,
    }
    for (const replicaRegions of [['attacker.example/'], 'eu-west-1', true, [7]])
      expect(() =>
        createAwsKms({ ...options, replicaRegions: replicaRegions as string[] }),
      ).toThrow(expect.objectContaining({ code: 'ERR_KMS_CONFIG' }))
  })

  it('says that it is healthy by a dry run that makes no key', async () => {
    const { fake, kms } = setUp()
    expect((await kms.healthCheck({})).healthy).toBe(true)
    expect(fake.calls.map((call) => [call.operation, call.dryRun])).toEqual([
      ['GenerateDataKey', true],
      ['Decrypt', true],
    ])
    const { kms: sick, fake: down } = setUp()
    down.faults.push({ kind: 'unavailable' })
    expect(await sick.healthCheck({})).toMatchObject({
      healthy: false,
      checks: [{ code: 'ERR_KMS_UNAVAILABLE' }],
    })
  })

  it('moves an envelope from the local key to AWS and back, the body unchanged; a cold reader opens it', async () => {
    const { kms: aws } = setUp()
    const local = createLocalKms({
      versions: [{ version: 1, key: crypto.getRandomValues(new Uint8Array(32)) }],
    })
    const envelope = await new EnvelopeCipher({ kms: local }).encrypt(plaintext, message)
    const to = (write: KeyManagementService, read: KeyManagementService): EnvelopeCipher =>
      new EnvelopeCipher({ kms: new MultiKms({ read: [write, read], write: [write] }) })
    const onAws = await to(aws, local).rewrap(envelope, { context: message.context })
    const back = await to(local, aws).rewrap(onAws, { context: message.context })
    const body = (bytes: Uint8Array): Uint8Array => bytes.slice(-plaintext.length - 28)
    expect(body(onAws)).toEqual(body(envelope))
    expect(body(back)).toEqual(body(envelope))
    expect(await new EnvelopeCipher({ kms: aws }).decrypt(onAws, message)).toEqual(plaintext)
    expect(await new EnvelopeCipher({ kms: local }).decrypt(back, message)).toEqual(plaintext)
    const again = await new EnvelopeCipher({ kms: aws }).rewrap(onAws, { context: message.context })
    expect(await new EnvelopeCipher({ kms: aws }).decrypt(again, message)).toEqual(plaintext)
  })
})

describe('R9 AWS KMS: answers that must not be believed', () => {
  const faults: readonly (readonly [FakeAwsFault, KmsErrorCode])[] = [
    [{ kind: 'wrong-key' }, 'ERR_KMS_RESPONSE_INVALID'],
    [{ kind: 'not-json' }, 'ERR_KMS_RESPONSE_INVALID'],
    [{ kind: 'oversized' }, 'ERR_KMS_RESPONSE_INVALID'],
    [{ kind: 'redirect' }, 'ERR_KMS_RESPONSE_INVALID'],
    [{ kind: 'hang' }, 'ERR_KMS_TIMEOUT'],
    [{ kind: 'slow', delayMs: 60_000 }, 'ERR_KMS_TIMEOUT'],
    [{ kind: 'reset' }, 'ERR_KMS_UNAVAILABLE'],
    [{ kind: 'truncated' }, 'ERR_KMS_UNAVAILABLE'],
    [{ kind: 'internal' }, 'ERR_KMS_UNAVAILABLE'],
    [{ kind: 'unavailable' }, 'ERR_KMS_UNAVAILABLE'],
    [{ kind: 'throttle' }, 'ERR_KMS_THROTTLED'],
  ]
  it.each(faults)('%o is a typed error', async (fault, code) => {
    // Only what hangs may meet its deadline: a machine under load is slow, not wrong.
    const { fake, kms } = setUp({ timeoutMs: code === 'ERR_KMS_TIMEOUT' ? 500 : 60_000 })
    const { plaintext: dek, wraps } = await kms.generateDataKey({ context })
    fake.faults.push({ ...fault, times: 3 })
    expect(await codeOf(kms.generateDataKey({ context }))).toBe(code)
    expect(await codeOf(kms.unwrapDataKey(wraps, { context }))).toBe(code)
    expect(await codeOf(kms.wrapDataKey(dek, { context }))).toBe(code)
  })
})

describe('R8 AWS KMS: hostile envelopes', () => {
  const forged: readonly string[] = [
    'https://attacker.example/key',
    'arn:aws:kms:us-east-1:999999999999:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    'arn:aws:kms:us-east-1:111122223333:alias/app',
    'alias/app',
    '../../key',
  ]
  it.each(forged)('no call for a wrap of %s', async (kekId) => {
    const { fake, kms } = setUp()
    const { wraps } = await kms.generateDataKey({ context })
    fake.forgetCalls()
    const hostile = [{ ...(wraps[0] as WrappedKey), kekId }]
    expect(await codeOf(kms.unwrapDataKey(hostile, { context }))).toBe('ERR_ENVELOPE_UNKNOWN_KEY')
    expect(fake.count()).toBe(0)
  })

  it('one call at most for a junk wrap of our own key, read again and again', async () => {
    const { fake, kms } = setUp()
    const cipher = new EnvelopeCipher({ kms })
    const envelope = await cipher.encrypt(plaintext, message)
    const head = EncryptedEnvelope.parse(envelope).headBytes
    envelope[head - 5] = (envelope[head - 5] as number) ^ 1
    cipher.clear()
    fake.forgetCalls()
    for (let i = 0; i < 5; i++)
      expect(await codeOf(cipher.decrypt(envelope, message))).toBe('ERR_DECRYPT_FAILED')
    expect(fake.count()).toBe(1)
  })
})

describe('R9 AWS KMS: configuration', () => {
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-canary' }
  const arn = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
  const bad: readonly (Partial<AwsKmsOptions> & { keyId: string })[] = [
    { keyId: '' },
    { keyId: 'https://kms.us-east-1.amazonaws.com' },
    { keyId: 'alias/app' },
    { keyId: 'alias/a b', region: 'us-east-1' },
    { keyId: 'alias/app', region: 'us-east-1.attacker.example/' },
    { keyId: arn, region: 'eu-west-1' },
    { keyId: arn.replace('arn:aws:', 'arn:aws-cn:') },
    { keyId: arn, endpoint: 'http://kms.example.test' },
    { keyId: arn, endpoint: 'http://127.0.0.1:4566' },
    { keyId: arn, endpoint: 'https://u:p@kms.example.test' },
    { keyId: arn, endpoint: 'https://kms.example.test', fips: true },
    { keyId: arn, credentials: { accessKeyId: 'a\r\nx: y', secretAccessKey: 'secret-canary' } },
    { keyId: arn, credentials: { accessKeyId: 'AKID', secretAccessKey: '' } },
    { keyId: arn, grantToken: ['misspelt'] } as { keyId: string },
    { keyId: arn, usage: 'read' as 'both' },
  ]
  it.each(bad)('refuses %o', (options) => {
    let caught: unknown
    try {
      createAwsKms({ credentials, ...options })
    } catch (error) {
      caught = error
    }
    expect(isKmsError(caught, 'ERR_KMS_CONFIG')).toBe(true)
    expect(JSON.stringify(caught)).not.toContain('canary')
  })

  const isof = arn.replace('aws:', 'aws-iso-f:').replace('us-east-1', 'us-isof-east-1')
  const places: readonly (readonly [Partial<AwsKmsOptions>, string])[] = [
    [{ region: 'eu-central-1' }, 'https://kms.eu-central-1.amazonaws.com/'],
    [{ region: 'cn-north-1' }, 'https://kms.cn-north-1.amazonaws.com.cn/'],
    [{ region: 'us-gov-west-1', fips: true }, 'https://kms-fips.us-gov-west-1.amazonaws.com/'],
    [{ region: 'us-east-1', dualStack: true }, 'https://kms.us-east-1.api.aws/'],
    [{ region: 'us-east-1', fips: true, dualStack: true }, 'https://kms-fips.us-east-1.api.aws/'],
    [{ region: 'us-iso-east-1' }, 'https://kms.us-iso-east-1.c2s.ic.gov/'],
    [{ region: 'us-isob-east-1' }, 'https://kms.us-isob-east-1.sc2s.sgov.gov/'],
    [{ region: 'eu-isoe-west-1' }, 'https://kms.eu-isoe-west-1.cloud.adc-e.uk/'],
    [
      { region: 'us-isof-south-1', dualStack: true },
      'https://kms.us-isof-south-1.api.aws.hci.ic.gov/',
    ],
    [{ keyId: isof, fips: true }, 'https://kms-fips.us-isof-east-1.csp.hci.ic.gov/'],
    [{ region: 'eusc-de-east-1' }, 'https://kms.eusc-de-east-1.amazonaws.eu/'],
    [
      { region: 'us-east-1', endpoint: 'https://vpce-1.example.test' },
      'https://vpce-1.example.test/',
    ],
  ]
  it.each(places)('%o calls %s', async (options, url) => {
    const seen: string[] = []
    const fake = createFakeAws()
    const network = {
      ...fake.network,
      fetch: (to: string) => {
        seen.push(to)
        return Promise.reject(new TypeError('no network'))
      },
    }
    const kms = createAwsKms({ keyId: 'alias/app', credentials, network, ...options })
    expect(await codeOf(kms.generateDataKey({ context }))).toBe('ERR_KMS_UNAVAILABLE')
    expect(seen).toEqual([url])
  })

  it('says no to the half that it is not configured for', async () => {
    const { kms } = setUp({ usage: 'encrypt' })
    const { wraps } = await kms.generateDataKey({ context })
    expect(await codeOf(kms.unwrapDataKey(wraps, { context }))).toBe('ERR_KMS_UNSUPPORTED')
    expect(await codeOf(kms.rewrapDataKey(wraps, { context }))).toBe('ERR_KMS_UNSUPPORTED')
    expect(() => {
      throw new KmsError('ERR_KMS_UNSUPPORTED')
    }).toThrow()
  })
})
