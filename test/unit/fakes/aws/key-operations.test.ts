import { describe, expect, it } from 'vitest'
import { createFakeAws, type FakeAws } from '../../../../adapters/fakes/index.ts'
import { type Answered, base64, encrypted, kms, opened } from './client.ts'

const DAY_MS = 86_400_000
const unknown = '11111111-2222-4333-8444-555555555555'

const metadata = ({ json }: Answered) =>
  (json['KeyMetadata'] ?? json['ReplicaKeyMetadata']) as Record<string, unknown>

const describeKey = async (fake: FakeAws, KeyId: string, region = fake.region) =>
  metadata(await kms(fake, 'DescribeKey', { KeyId }, { region }))

/** Returns the errors of every use of a key. */
async function uses(fake: FakeAws, KeyId: string, CiphertextBlob: string) {
  const { arn } = fake.createKey()
  const calls: [string, Record<string, unknown>][] = [
    ['Encrypt', { KeyId, Plaintext: base64('x') }],
    ['GenerateDataKey', { KeyId, KeySpec: 'AES_256' }],
    ['Decrypt', { KeyId, CiphertextBlob }],
    ['Decrypt', { CiphertextBlob }],
    ['ReEncrypt', { CiphertextBlob, DestinationKeyId: arn }],
    ['ReEncrypt', { CiphertextBlob: await encrypted(fake, arn), DestinationKeyId: KeyId }],
    ['RotateKeyOnDemand', { KeyId }],
  ]
  const errors = new Set<string | undefined>()
  for (const [operation, input] of calls) errors.add((await kms(fake, operation, input)).error)
  return [...errors]
}

describe('fake AWS KMS: key states', () => {
  it('does nothing with a disabled key', async () => {
    const fake = createFakeAws()
    const { arn: KeyId } = fake.createKey()
    const blob = await encrypted(fake, KeyId)
    await kms(fake, 'DisableKey', { KeyId })
    expect(await describeKey(fake, KeyId)).toMatchObject({ KeyState: 'Disabled', Enabled: false })
    expect(await uses(fake, KeyId, blob)).toEqual(['DisabledException'])
    expect((await kms(fake, 'CancelKeyDeletion', { KeyId })).error).toBe('KMSInvalidStateException')
    await kms(fake, 'EnableKey', { KeyId })
    expect(await uses(fake, KeyId, blob)).toEqual([undefined])
  })

  it('does nothing with a key that is to be deleted, and has none afterwards', async () => {
    const fake = createFakeAws()
    const { arn: KeyId } = fake.createKey()
    const blob = await encrypted(fake, KeyId)
    const answer = await kms(fake, 'ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
    expect(answer.json).toMatchObject({
      KeyId,
      KeyState: 'PendingDeletion',
      PendingWindowInDays: 7,
    })
    expect(await uses(fake, KeyId, blob)).toEqual(['KMSInvalidStateException'])
    for (const operation of ['EnableKey', 'DisableKey', 'ScheduleKeyDeletion']) {
      expect((await kms(fake, operation, { KeyId })).error).toBe('KMSInvalidStateException')
    }
    fake.clock.advance(7 * DAY_MS - 60_000)
    expect(await describeKey(fake, KeyId)).toMatchObject({ KeyState: 'PendingDeletion' })
    fake.clock.advance(60_000)
    expect(await uses(fake, KeyId, blob)).toEqual(['NotFoundException', 'AccessDeniedException'])
  })

  it('is disabled after a deletion that was called off', async () => {
    const fake = createFakeAws()
    const { arn: KeyId } = fake.createKey()
    await kms(fake, 'ScheduleKeyDeletion', { KeyId })
    expect((await kms(fake, 'CancelKeyDeletion', { KeyId })).json).toEqual({ KeyId })
    fake.clock.advance(31 * DAY_MS)
    expect(await describeKey(fake, KeyId)).toMatchObject({ KeyState: 'Disabled' })
  })

  it('has no material for an external key before the import', async () => {
    const fake = createFakeAws()
    const created = metadata(await kms(fake, 'CreateKey', { Origin: 'EXTERNAL' }))
    expect(created).toMatchObject({ KeyState: 'PendingImport', Origin: 'EXTERNAL' })
    const input = { KeyId: created['Arn'], Plaintext: base64('x') }
    expect((await kms(fake, 'Encrypt', input)).error).toBe('KMSInvalidStateException')
    expect((await kms(fake, 'EnableKey', input)).error).toBe('KMSInvalidStateException')
  })

  it.each([6, 31, 7.5])('takes no window of %d days', async (PendingWindowInDays) => {
    const fake = createFakeAws()
    const input = { KeyId: fake.createKey().arn, PendingWindowInDays }
    const { error } = await kms(fake, 'ScheduleKeyDeletion', input)
    expect(error).toBe(
      PendingWindowInDays === 7.5 ? 'SerializationException' : 'ValidationException',
    )
  })
})

describe('fake AWS KMS: keys and aliases', () => {
  const fake = createFakeAws()

  it('describes a key as AWS does', async () => {
    const created = metadata(await kms(fake, 'CreateKey', { Description: 'mine' }))
    const KeyId = created['KeyId'] as string
    expect(created).toEqual(await describeKey(fake, KeyId))
    expect(created).toMatchObject({
      AWSAccountId: '111122223333',
      Arn: `arn:aws:kms:us-east-1:111122223333:key/${KeyId}`,
      Description: 'mine',
      EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
      KeyManager: 'CUSTOMER',
      KeySpec: 'SYMMETRIC_DEFAULT',
      KeyState: 'Enabled',
      KeyUsage: 'ENCRYPT_DECRYPT',
      MultiRegion: false,
    })
  })

  it.each([
    [{ KeySpec: 'DES' }],
    [{ KeySpec: 'HMAC_256' }],
    [{ KeySpec: 'HMAC_256', KeyUsage: 'ENCRYPT_DECRYPT' }],
    [{ Origin: 'ELSEWHERE' }],
  ])('makes no key of %j', async (input) => {
    expect((await kms(fake, 'CreateKey', input)).error).toBe('ValidationException')
  })

  it('writes ARNs of the partition', async () => {
    const china = createFakeAws({ region: 'cn-north-1' })
    expect(china.createKey().arn).toMatch(/^arn:aws-cn:kms:cn-north-1:111122223333:key\//)
    const host = 'kms.cn-north-1.amazonaws.com.cn'
    expect((await kms(china, 'CreateKey', {}, { host })).status).toBe(200)
  })

  it('makes, moves and drops an alias', async () => {
    const [a, b] = [fake.createKey(), fake.createKey()]
    const AliasName = 'alias/one'
    const alias = (operation: string, TargetKeyId?: string, name = AliasName) =>
      kms(fake, operation, { AliasName: name, TargetKeyId })
    const arn = async () => (await describeKey(fake, AliasName))['Arn']
    expect((await alias('UpdateAlias', a.keyId)).error).toBe('NotFoundException')
    expect((await alias('CreateAlias', a.keyId)).status).toBe(200)
    expect(await arn()).toBe(a.arn)
    expect((await alias('CreateAlias', b.keyId)).error).toBe('AlreadyExistsException')
    expect((await alias('UpdateAlias', b.arn)).status).toBe(200)
    expect(await arn()).toBe(b.arn)
    expect((await alias('CreateAlias', unknown, 'alias/two')).error).toBe('NotFoundException')
    expect((await alias('CreateAlias', a.keyId, 'one')).error).toBe('ValidationException')
    expect((await alias('CreateAlias', a.keyId, 'alias/ß')).error).toBe('ValidationException')
    expect((await alias('CreateAlias', a.keyId, 'alias/aws/s3')).error).toBe(
      'InvalidAliasNameException',
    )
    await kms(fake, 'ScheduleKeyDeletion', { KeyId: a.keyId })
    expect((await alias('UpdateAlias', a.keyId)).error).toBe('KMSInvalidStateException')
    expect((await alias('DeleteAlias')).status).toBe(200)
    expect((await alias('DeleteAlias')).error).toBe('NotFoundException')
    expect((await kms(fake, 'DescribeKey', { KeyId: AliasName })).error).toBe('NotFoundException')
  })

  it('lists keys and aliases by pages', async () => {
    const fake = createFakeAws()
    const made = [fake.createKey({ alias: 'alias/a' }), fake.createKey(), fake.createKey()]
    const first = (await kms(fake, 'ListKeys', { Limit: 2 })).json
    expect(first).toMatchObject({ Truncated: true })
    const Marker = first['NextMarker']
    const second = (await kms(fake, 'ListKeys', { Limit: 2, Marker })).json
    const listed = [...(first['Keys'] as object[]), ...(second['Keys'] as object[])]
    expect(listed).toEqual(made.map(({ keyId, arn }) => ({ KeyId: keyId, KeyArn: arn })))
    expect(second).toMatchObject({ Truncated: false })
    const keyId = made[0]?.keyId
    const alias = { AliasName: 'alias/a', TargetKeyId: keyId }
    expect((await kms(fake, 'ListAliases', { KeyId: keyId })).json['Aliases']).toMatchObject([
      alias,
    ])
    expect((await kms(fake, 'ListAliases', { KeyId: made[1]?.keyId })).json['Aliases']).toEqual([])
    expect((await kms(fake, 'ListKeys', { Limit: 0 })).error).toBe('ValidationException')
  })

  it.each(['ListKeys', 'ListAliases'])(
    '%s refuses a marker that no page has',
    async (operation) => {
      for (const Marker of ['0', '-1', '01', 'next', '1e3', '9'.repeat(20)]) {
        expect((await kms(fake, operation, { Marker })).error).toBe('InvalidMarkerException')
      }
      expect((await kms(fake, operation, { Marker: '' })).error).toBe('ValidationException')
    },
  )

  it('changes the description of a key that stays', async () => {
    const fake = createFakeAws()
    const { arn: KeyId } = fake.createKey({ description: 'old' })
    const update = async (Description?: string) =>
      (await kms(fake, 'UpdateKeyDescription', { KeyId, Description })).error
    expect(await update('new')).toBeUndefined()
    expect(await describeKey(fake, KeyId)).toMatchObject({ Description: 'new' })
    expect(await update('')).toBeUndefined()
    expect(await update('x'.repeat(8_193))).toBe('ValidationException')
    expect(await update()).toBe('ValidationException')
    await kms(fake, 'ScheduleKeyDeletion', { KeyId })
    expect(await update('late')).toBe('KMSInvalidStateException')
    expect(await describeKey(fake, KeyId)).toMatchObject({ Description: '' })
  })

  it('enables and disables automatic rotation of keys that can have it', async () => {
    const fake = createFakeAws()
    const { keyId: KeyId } = fake.createKey()
    const status = async () => (await kms(fake, 'GetKeyRotationStatus', { KeyId })).json
    expect(await status()).toMatchObject({ KeyRotationEnabled: false })
    await kms(fake, 'EnableKeyRotation', { KeyId, RotationPeriodInDays: 180 })
    expect(await status()).toMatchObject({ KeyRotationEnabled: true, RotationPeriodInDays: 180 })
    await kms(fake, 'DisableKeyRotation', { KeyId })
    expect(await status()).toMatchObject({ KeyRotationEnabled: false })
    const short = { KeyId, RotationPeriodInDays: 89 }
    expect((await kms(fake, 'EnableKeyRotation', short)).error).toBe('ValidationException')
    const external = (await kms(fake, 'CreateKey', { Origin: 'EXTERNAL' })).json['KeyMetadata']
    const imported = (external as { KeyId: string }).KeyId
    const refused = await kms(fake, 'EnableKeyRotation', { KeyId: imported })
    expect(refused.status).toBe(400)
  })

  it('keeps an alias to its region', async () => {
    fake.createKey({ alias: 'alias/here' })
    const input = { KeyId: 'alias/here' }
    const there = await kms(fake, 'DescribeKey', input, { region: 'eu-west-1' })
    expect(there.error).toBe('NotFoundException')
  })

  it.each(['EnableKey', 'DisableKey', 'RotateKeyOnDemand', 'GetKeyRotationStatus'])(
    '%s takes no alias, and says what is not an ARN',
    async (operation) => {
      fake.createKey({ alias: `alias/${operation}` })
      const error = async (KeyId: string) => (await kms(fake, operation, { KeyId })).error
      expect(await error(`alias/${operation}`)).toBe('NotFoundException')
      expect(await error(unknown)).toBe('NotFoundException')
      expect(await error('arn:aws:kms:us-east-1:1:key/1')).toBe('InvalidArnException')
    },
  )
})

describe('fake AWS KMS: rotation', () => {
  it('opens old ciphertexts, and encrypts under new material', async () => {
    const fake = createFakeAws()
    const { arn: KeyId } = fake.createKey()
    const material = async (CiphertextBlob: string) =>
      (await kms(fake, 'Decrypt', { CiphertextBlob })).json['KeyMaterialId']
    const before = await encrypted(fake, KeyId)
    expect((await kms(fake, 'RotateKeyOnDemand', { KeyId })).json).toEqual({ KeyId })
    const after = await encrypted(fake, KeyId)
    expect(await material(before)).not.toBe(await material(after))
    const { CurrentKeyMaterialId } = await describeKey(fake, KeyId)
    expect(await material(after)).toBe(CurrentKeyMaterialId)
    const status = await kms(fake, 'GetKeyRotationStatus', { KeyId })
    expect(status.json).toEqual({ KeyId, KeyRotationEnabled: false })
  })

  it('has a limit of 25', async () => {
    const fake = createFakeAws()
    const { arn: KeyId } = fake.createKey()
    for (let i = 0; i < 25; i++) {
      expect((await kms(fake, 'RotateKeyOnDemand', { KeyId })).status).toBe(200)
    }
    expect((await kms(fake, 'RotateKeyOnDemand', { KeyId })).error).toBe('LimitExceededException')
  })

  it('is for symmetric keys with material of AWS', async () => {
    const fake = createFakeAws()
    const { arn: KeyId } = fake.createKey({ keySpec: 'RSA_2048', keyUsage: 'SIGN_VERIFY' })
    for (const operation of ['RotateKeyOnDemand', 'GetKeyRotationStatus']) {
      expect((await kms(fake, operation, { KeyId })).error).toBe('UnsupportedOperationException')
    }
  })
})

describe('fake AWS KMS: multi-Region keys', () => {
  const there = { region: 'eu-west-1' }

  async function related() {
    const fake = createFakeAws()
    const { keyId: KeyId, arn } = fake.createKey({ multiRegion: true })
    const answer = await kms(fake, 'ReplicateKey', { KeyId, ReplicaRegion: there.region })
    return { fake, KeyId, arn, replica: metadata(answer) }
  }

  it('share their id and their material', async () => {
    const { fake, KeyId, arn, replica } = await related()
    expect(KeyId).toMatch(/^mrk-[0-9a-f]{32}$/)
    const other = arn.replace('us-east-1', 'eu-west-1')
    expect(replica).toMatchObject({ KeyId, Arn: other, MultiRegion: true })
    expect(replica['MultiRegionConfiguration']).toEqual({
      MultiRegionKeyType: 'REPLICA',
      PrimaryKey: { Arn: arn, Region: 'us-east-1' },
      ReplicaKeys: [{ Arn: other, Region: 'eu-west-1' }],
    })
    await kms(fake, 'RotateKeyOnDemand', { KeyId })
    const here = await encrypted(fake, KeyId, { a: '1' })
    const input = { CiphertextBlob: here, EncryptionContext: { a: '1' } }
    expect(await opened(fake, input, there)).toBe('secret')
    expect(await opened(fake, { ...input, KeyId: other }, there)).toBe('secret')
    expect(await opened(fake, { ...input, KeyId: arn }, there)).toBe('NotFoundException')
    const back = { CiphertextBlob: await encrypted(fake, KeyId, {}, there), KeyId: arn }
    expect(await opened(fake, back)).toBe('secret')
  })

  it('are made of the primary, once for each region', async () => {
    const { fake, KeyId } = await related()
    const replicate = async (id: string, ReplicaRegion: string, options = {}) =>
      (await kms(fake, 'ReplicateKey', { KeyId: id, ReplicaRegion }, options)).error
    expect(await replicate(KeyId, 'eu-west-1')).toBe('AlreadyExistsException')
    expect(await replicate(KeyId, 'us-east-1')).toBe('AlreadyExistsException')
    expect(await replicate(KeyId, 'mars-north-1')).toBe('ValidationException')
    expect(await replicate(KeyId, 'us-west-2', there)).toBe('UnsupportedOperationException')
    expect(await replicate(fake.createKey().arn, 'us-west-2')).toBe('UnsupportedOperationException')
    const rotated = await kms(fake, 'RotateKeyOnDemand', { KeyId }, there)
    expect(rotated.error).toBe('UnsupportedOperationException')
  })

  it('have states of their own, but a primary outlives its replicas', async () => {
    const { fake, KeyId } = await related()
    const state = async (region = fake.region) =>
      (await describeKey(fake, KeyId, region))['KeyState']
    await kms(fake, 'DisableKey', { KeyId })
    expect([await state(), await state('eu-west-1')]).toEqual(['Disabled', 'Enabled'])
    const deletion = { KeyId, PendingWindowInDays: 7 }
    const answer = await kms(fake, 'ScheduleKeyDeletion', deletion)
    expect(answer.json).toMatchObject({ KeyState: 'PendingReplicaDeletion' })
    fake.clock.advance(30 * DAY_MS)
    expect(await state()).toBe('PendingReplicaDeletion')
    await kms(fake, 'ScheduleKeyDeletion', deletion, there)
    fake.clock.advance(8 * DAY_MS)
    expect(await state()).toBe('PendingDeletion')
    fake.clock.advance(7 * DAY_MS)
    expect((await kms(fake, 'DescribeKey', { KeyId })).error).toBe('NotFoundException')
  })

  it('of one region are not elsewhere', async () => {
    const fake = createFakeAws()
    const CiphertextBlob = await encrypted(fake, fake.createKey().arn)
    expect(await opened(fake, { CiphertextBlob }, there)).toBe('AccessDeniedException')
  })
})

describe('fake AWS KMS: keys of another account', () => {
  const theirs = '999988887777'
  const fake = createFakeAws({
    keys: [{ alias: 'alias/mine' }],
    accessKeys: [
      { accessKeyId: 'A', secretAccessKey: 's' },
      { accessKeyId: 'B', secretAccessKey: 's', accountId: theirs },
    ],
  })
  const stranger = { credentials: { accessKeyId: 'B', secretAccessKey: 's' } }
  const shared = fake.createKey({ sharedWith: [theirs], alias: 'alias/shared' })
  const own = fake.createKey()

  it('are used by ARN or alias ARN where they are shared', async () => {
    const aliasArn = shared.arn.replace(/key\/.*/, 'alias/shared')
    for (const KeyId of [shared.arn, aliasArn]) {
      const CiphertextBlob = await encrypted(fake, KeyId, {}, stranger)
      expect(await opened(fake, { CiphertextBlob, KeyId }, stranger)).toBe('secret')
      expect(await opened(fake, { CiphertextBlob }, stranger)).toBe('secret')
    }
  })

  it.each([
    ['by id', shared.keyId, 'NotFoundException'],
    ['by alias', 'alias/shared', 'NotFoundException'],
    ['not shared', own.arn, 'AccessDeniedException'],
    ['unknown', own.arn.replace(own.keyId, unknown), 'AccessDeniedException'],
  ])('are not found or denied: %s', async (_name, KeyId, error) => {
    const answer = await kms(fake, 'Encrypt', { KeyId, Plaintext: base64('x') }, stranger)
    expect(answer.error).toBe(error)
  })

  it('are not administered', async () => {
    const error = async (operation: string) =>
      (await kms(fake, operation, { KeyId: shared.arn }, stranger)).error
    expect(await error('DescribeKey')).toBeUndefined()
    expect(await error('DisableKey')).toBe('AccessDeniedException')
    expect(await error('RotateKeyOnDemand')).toBe('AccessDeniedException')
    const CiphertextBlob = await encrypted(fake, own.arn)
    expect(await opened(fake, { CiphertextBlob }, stranger)).toBe('AccessDeniedException')
  })
})
