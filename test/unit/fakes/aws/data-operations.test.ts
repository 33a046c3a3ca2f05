import { describe, expect, it } from 'vitest'
import { createFakeAws } from '../../../../adapters/fakes/index.ts'
import { base64, encrypted, kms, opened, unbase64 } from './client.ts'

const fake = createFakeAws({ keys: [{ alias: 'alias/app' }] })
const key = fake.createKey()
const other = fake.createKey()
const rsa = fake.createKey({ keySpec: 'RSA_2048', keyUsage: 'ENCRYPT_DECRYPT' })
const signing = fake.createKey({ keySpec: 'ECC_NIST_P256', keyUsage: 'SIGN_VERIFY' })
const mac = fake.createKey({ keySpec: 'HMAC_256', keyUsage: 'GENERATE_VERIFY_MAC' })
const unknown = '11111111-2222-4333-8444-555555555555'
const ofZeros = (bytes: number) => base64('\0'.repeat(bytes))

describe('fake AWS KMS: Encrypt and Decrypt', () => {
  it('opens what it encrypted, and names key and material', async () => {
    const CiphertextBlob = await encrypted(fake, key.keyId, { a: '1' })
    const answer = await kms(fake, 'Decrypt', { CiphertextBlob, EncryptionContext: { a: '1' } })
    expect(answer.headers.get('content-type')).toBe('application/x-amz-json-1.1')
    expect(answer.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/)
    expect(answer.headers.get('content-length')).toBe(String(answer.text.length))
    expect(answer.json).toEqual({
      KeyId: key.arn,
      EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      KeyMaterialId: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
      Plaintext: base64('secret'),
    })
  })

  it('encrypts afresh each time, and never shows the plaintext', async () => {
    const [a, b] = [await encrypted(fake, key.arn), await encrypted(fake, key.arn)]
    expect(a).not.toBe(b)
    expect(new TextDecoder().decode(unbase64(a))).not.toContain('secret')
  })

  it.each([
    ['other value', { a: '2' }],
    ['other case', { A: '1' }],
    ['none', {}],
    ['one more', { a: '1', b: '' }],
    ['joined the same', { a1: '' }],
    ['as one pair', { a: '1', '': '' }],
  ])('binds the context: %s', async (_name, EncryptionContext) => {
    const CiphertextBlob = await encrypted(fake, key.arn, { a: '1' })
    expect(await opened(fake, { CiphertextBlob, EncryptionContext })).toBe(
      'InvalidCiphertextException',
    )
  })

  it('does not care in which order a context is sent', async () => {
    const CiphertextBlob = await encrypted(fake, key.arn, {
      a: '1',
      'ü\u{10000}': '',
      '\uffff': '2',
    })
    const EncryptionContext = { '\uffff': '2', 'ü\u{10000}': '', a: '1' }
    expect(await opened(fake, { CiphertextBlob, EncryptionContext })).toBe('secret')
  })

  it('refuses a ciphertext with any bit flipped, or any length but its own', async () => {
    const blob = unbase64(await encrypted(fake, key.arn))
    const refused = async (bytes: Uint8Array) => {
      const CiphertextBlob = btoa(String.fromCharCode(...bytes))
      return opened(fake, { CiphertextBlob, KeyId: key.arn })
    }
    for (let i = 0; i < blob.length; i++) {
      const flipped = Uint8Array.from(blob)
      flipped[i] = (flipped[i] as number) ^ 1
      expect(await refused(flipped), `byte ${i}`).toBe('InvalidCiphertextException')
      if (i > 0)
        expect(await refused(blob.slice(0, i)), `cut at ${i}`).toBe('InvalidCiphertextException')
    }
    expect(await refused(Uint8Array.of(...blob, 0))).toBe('InvalidCiphertextException')
  })

  it('demands the key that is named', async () => {
    const CiphertextBlob = await encrypted(fake, key.arn)
    const open = (KeyId?: string) => opened(fake, { CiphertextBlob, KeyId })
    expect(await open()).toBe('secret')
    expect(await open(key.keyId)).toBe('secret')
    expect(await open(other.arn)).toBe('IncorrectKeyException')
    expect(await open('alias/app')).toBe('IncorrectKeyException')
    expect(await open(mac.arn)).toBe('IncorrectKeyException')
    expect(await open(unknown)).toBe('NotFoundException')
    expect(await open('alias/none')).toBe('NotFoundException')
  })

  it('does not open a ciphertext of a key that is not here', async () => {
    const stranger = createFakeAws({ keys: [{ alias: 'alias/app' }] })
    const CiphertextBlob = await encrypted(stranger, 'alias/app')
    expect(await opened(fake, { CiphertextBlob })).toBe('AccessDeniedException')
    expect(await opened(fake, { CiphertextBlob, KeyId: key.arn })).toBe('IncorrectKeyException')
  })

  it('answers the ARN whatever the key was asked for by', async () => {
    const { keyId, arn } = fake.createKey({ alias: 'alias/names' })
    const names = [keyId, arn, 'alias/names', arn.replace(/key\/.*/, 'alias/names')]
    for (const KeyId of names) {
      const { json } = await kms(fake, 'Encrypt', { KeyId, Plaintext: base64('x') })
      expect(json['KeyId']).toBe(arn)
    }
  })

  it.each<[string, string, Record<string, unknown>, string]>([
    ['no key', 'Encrypt', { Plaintext: 'eA==' }, 'ValidationException'],
    ['no plaintext', 'Encrypt', { KeyId: key.arn }, 'ValidationException'],
    ['an empty plaintext', 'Encrypt', { KeyId: key.arn, Plaintext: '' }, 'ValidationException'],
    [
      '4,097 bytes',
      'Encrypt',
      { KeyId: key.arn, Plaintext: ofZeros(4_097) },
      'ValidationException',
    ],
    ['no base64', 'Encrypt', { KeyId: key.arn, Plaintext: 'e' }, 'SerializationException'],
    ['a number', 'Encrypt', { KeyId: 1, Plaintext: 'eA==' }, 'SerializationException'],
    [
      'a long KeyId',
      'Encrypt',
      { KeyId: 'k'.repeat(2_049), Plaintext: 'eA==' },
      'ValidationException',
    ],
    ['an unknown key', 'Encrypt', { KeyId: unknown, Plaintext: 'eA==' }, 'NotFoundException'],
    ['what is not a key id', 'Encrypt', { KeyId: 'key', Plaintext: 'eA==' }, 'NotFoundException'],
    [
      'an ARN of another region',
      'Encrypt',
      { KeyId: key.arn.replace('us-east-1', 'eu-west-1'), Plaintext: 'eA==' },
      'NotFoundException',
    ],
    [
      'an ARN of another partition',
      'Encrypt',
      { KeyId: key.arn.replace('aws', 'aws-cn'), Plaintext: 'eA==' },
      'NotFoundException',
    ],
    [
      'an unknown algorithm',
      'Encrypt',
      { KeyId: key.arn, Plaintext: 'eA==', EncryptionAlgorithm: 'AES' },
      'ValidationException',
    ],
    [
      'an algorithm of RSA',
      'Encrypt',
      { KeyId: key.arn, Plaintext: 'eA==', EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' },
      'InvalidKeyUsageException',
    ],
    ['an RSA key', 'Encrypt', { KeyId: rsa.arn, Plaintext: 'eA==' }, 'InvalidKeyUsageException'],
    [
      'a signing key',
      'Encrypt',
      { KeyId: signing.arn, Plaintext: 'eA==' },
      'InvalidKeyUsageException',
    ],
    [
      'a data key under RSA',
      'GenerateDataKey',
      { KeyId: rsa.arn, KeySpec: 'AES_256' },
      'InvalidKeyUsageException',
    ],
    [
      'a context of a number',
      'Encrypt',
      { KeyId: key.arn, Plaintext: 'eA==', EncryptionContext: { a: 1 } },
      'SerializationException',
    ],
    [
      'a context that is a list',
      'Encrypt',
      { KeyId: key.arn, Plaintext: 'eA==', EncryptionContext: [] },
      'SerializationException',
    ],
    [
      'half a character',
      'Encrypt',
      { KeyId: key.arn, Plaintext: 'eA==', EncryptionContext: { a: '\ud800' } },
      'SerializationException',
    ],
    [
      'a context of 8,193 bytes',
      'Encrypt',
      { KeyId: key.arn, Plaintext: 'eA==', EncryptionContext: { é: 'x'.repeat(8_191) } },
      'ValidationException',
    ],
    ['no ciphertext', 'Decrypt', { KeyId: key.arn }, 'ValidationException'],
    [
      '6,145 bytes of ciphertext',
      'Decrypt',
      { CiphertextBlob: ofZeros(6_145) },
      'ValidationException',
    ],
    ['an unknown operation', 'Steal', {}, 'UnknownOperationException'],
    [
      'DryRun that is not a flag',
      'Encrypt',
      { KeyId: key.arn, Plaintext: 'eA==', DryRun: 'yes' },
      'SerializationException',
    ],
  ])('refuses %s', async (_name, operation, input, error) => {
    const answer = await kms(fake, operation, input)
    expect(answer).toMatchObject({ status: 400, error })
  })

  it.each(['', '[]', 'null', '{', '"x"', '\ufeff{}'])('refuses the body %j', async (body) => {
    const error = body === '' ? 'ValidationException' : 'SerializationException'
    expect(await kms(fake, 'Encrypt', body)).toMatchObject({ status: 400, error })
  })

  it('takes what is just inside the limits', async () => {
    const EncryptionContext = { é: 'x'.repeat(8_190) }
    const input = { KeyId: key.arn, Plaintext: ofZeros(4_096), EncryptionContext }
    const { json } = await kms(fake, 'Encrypt', input)
    expect(unbase64(json['CiphertextBlob']).length).toBeLessThanOrEqual(6_144)
    const { CiphertextBlob } = json
    expect(await opened(fake, { CiphertextBlob, EncryptionContext })).toHaveLength(4_096)
  })
})

describe('fake AWS KMS: GenerateDataKey', () => {
  const generate = (input: Record<string, unknown>, operation = 'GenerateDataKey') =>
    kms(fake, operation, { KeyId: key.arn, ...input })

  it.each([
    [{ KeySpec: 'AES_256' }, 32],
    [{ KeySpec: 'AES_128' }, 16],
    [{ NumberOfBytes: 1 }, 1],
    [{ NumberOfBytes: 1_024 }, 1_024],
  ])('%j makes %d bytes that the ciphertext opens to', async (input, length) => {
    const { json } = await generate(input)
    expect(unbase64(json['Plaintext'])).toHaveLength(length)
    const opens = await kms(fake, 'Decrypt', { CiphertextBlob: json['CiphertextBlob'] })
    expect(opens.json['Plaintext']).toBe(json['Plaintext'])
  })

  it.each([
    [{}],
    [{ KeySpec: 'AES_256', NumberOfBytes: 32 }],
    [{ KeySpec: 'AES_512' }],
    [{ NumberOfBytes: 0 }],
    [{ NumberOfBytes: 1_025 }],
  ])('refuses %j', async (input) => {
    expect((await generate(input)).error).toBe('ValidationException')
  })

  it('keeps the plaintext where none is wanted', async () => {
    const answer = await generate({ KeySpec: 'AES_256' }, 'GenerateDataKeyWithoutPlaintext')
    expect(Object.keys(answer.json)).toEqual(['CiphertextBlob', 'KeyId', 'KeyMaterialId'])
    expect(answer.text).not.toContain('laintext')
  })
})

describe('fake AWS KMS: ReEncrypt', () => {
  const reEncrypt = async (change: Record<string, unknown> = {}) =>
    kms(fake, 'ReEncrypt', {
      CiphertextBlob: await encrypted(fake, key.arn, { from: '1' }),
      SourceKeyId: key.arn,
      SourceEncryptionContext: { from: '1' },
      DestinationKeyId: other.arn,
      DestinationEncryptionContext: { to: '2' },
      ...change,
    })

  it('moves a ciphertext to another key and context', async () => {
    const { json } = await reEncrypt()
    expect(json).toMatchObject({ KeyId: other.arn, SourceKeyId: key.arn })
    const CiphertextBlob = json['CiphertextBlob']
    const open = (EncryptionContext: object) =>
      opened(fake, { CiphertextBlob, KeyId: other.arn, EncryptionContext })
    expect(await open({ to: '2' })).toBe('secret')
    expect(await open({ from: '1' })).toBe('InvalidCiphertextException')
  })

  it.each<[string, Record<string, unknown>, string | undefined]>([
    ['without SourceKeyId', { SourceKeyId: undefined }, undefined],
    ['to the same key', { DestinationKeyId: key.keyId }, undefined],
    ['from another key', { SourceKeyId: other.arn }, 'IncorrectKeyException'],
    ['from an unknown key', { SourceKeyId: unknown }, 'NotFoundException'],
    ['to an unknown key', { DestinationKeyId: unknown }, 'NotFoundException'],
    ['to nowhere', { DestinationKeyId: undefined }, 'ValidationException'],
    ['to a signing key', { DestinationKeyId: signing.arn }, 'InvalidKeyUsageException'],
    ['with another context', { SourceEncryptionContext: {} }, 'InvalidCiphertextException'],
  ])('%s', async (_name, change, error) => {
    expect((await reEncrypt(change)).error).toBe(error)
  })

  it('needs both permissions', async () => {
    for (const deny of ['kms:ReEncryptFrom', 'kms:ReEncryptTo']) {
      const aws = createFakeAws({
        keys: [{ alias: 'alias/app' }],
        accessKeys: [{ accessKeyId: 'A', secretAccessKey: 's', policy: { deny: [deny] } }],
      })
      const CiphertextBlob = await encrypted(aws, 'alias/app')
      for (const SourceKeyId of [undefined, 'alias/app']) {
        const input = { CiphertextBlob, SourceKeyId, DestinationKeyId: 'alias/app' }
        expect((await kms(aws, 'ReEncrypt', input)).error).toBe('AccessDeniedException')
      }
    }
  })
})

describe('fake AWS KMS: DryRun', () => {
  const aws = createFakeAws({
    keys: [{ alias: 'alias/app' }],
    accessKeys: [
      { accessKeyId: 'A', secretAccessKey: 's' },
      { accessKeyId: 'B', secretAccessKey: 's', policy: { allow: ['kms:Encrypt'] } },
    ],
  })
  const weak = { credentials: { accessKeyId: 'B', secretAccessKey: 's' } }
  const KeyId = 'alias/app'

  it('says that the call would have succeeded, and answers nothing', async () => {
    const CiphertextBlob = await encrypted(aws, KeyId)
    const calls: [string, Record<string, unknown>][] = [
      ['Encrypt', { KeyId, Plaintext: 'eA==' }],
      ['GenerateDataKey', { KeyId, KeySpec: 'AES_256' }],
      ['GenerateDataKeyWithoutPlaintext', { KeyId, KeySpec: 'AES_256' }],
      ['Decrypt', { KeyId, CiphertextBlob }],
      ['ReEncrypt', { DestinationKeyId: KeyId, CiphertextBlob }],
      ['Decrypt', { KeyId, DryRunModifiers: ['IGNORE_CIPHERTEXT'] }],
    ]
    for (const [operation, input] of calls) {
      const { json, error } = await kms(aws, operation, { ...input, DryRun: true })
      expect(error, operation).toBe('DryRunOperationException')
      expect(Object.keys(json)).toEqual(['__type', 'message'])
    }
  })

  it('says why the call would have failed', async () => {
    const CiphertextBlob = await encrypted(aws, KeyId)
    const DryRun = true
    expect(await opened(aws, { KeyId, CiphertextBlob, DryRun }, weak)).toBe('AccessDeniedException')
    expect(await opened(aws, { KeyId, CiphertextBlob: 'eA==', DryRun })).toBe(
      'InvalidCiphertextException',
    )
    expect(await opened(aws, { KeyId: unknown, CiphertextBlob, DryRun })).toBe('NotFoundException')
    const DryRunModifiers = ['IGNORE_CIPHERTEXT']
    expect(await opened(aws, { DryRunModifiers, DryRun })).toBe('ValidationException')
    expect(await opened(aws, { DryRunModifiers, KeyId })).toBe('ValidationException')
  })
})

describe('fake AWS KMS: random bytes', () => {
  it.each([1, 32, 1_024])('makes %d of them', async (NumberOfBytes) => {
    const fake = createFakeAws()
    const make = async () =>
      (await kms(fake, 'GenerateRandom', { NumberOfBytes })).json['Plaintext']
    expect(unbase64(await make())).toHaveLength(NumberOfBytes)
    if (NumberOfBytes > 1) expect(await make()).not.toBe(await make())
  })

  it.each([
    [{}, 'ValidationException'],
    [{ NumberOfBytes: 0 }, 'ValidationException'],
    [{ NumberOfBytes: 1_025 }, 'ValidationException'],
    [{ NumberOfBytes: '32' }, 'SerializationException'],
    [{ NumberOfBytes: 32, CustomKeyStoreId: 'cks-1' }, 'CustomKeyStoreNotFoundException'],
    [{ NumberOfBytes: 32, Recipient: {} }, 'UnsupportedOperationException'],
  ])('refuses %j', async (input, error) => {
    expect((await kms(createFakeAws(), 'GenerateRandom', input)).error).toBe(error)
  })

  it('asks for the permission', async () => {
    const fake = createFakeAws({
      accessKeys: [{ accessKeyId: 'A', secretAccessKey: 's', policy: { allow: ['kms:Encrypt'] } }],
    })
    const { error } = await kms(fake, 'GenerateRandom', { NumberOfBytes: 32 })
    expect(error).toBe('AccessDeniedException')
  })
})
