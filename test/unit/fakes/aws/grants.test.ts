import { describe, expect, it } from 'vitest'
import { createFakeAws, type FakeAws } from '../../../../adapters/fakes/index.ts'
import { createAwsKms } from '../../../../src/providers/aws-kms/index.ts'
import { base64, credentialsOf, encrypted, kms, opened, sts } from './client.ts'

const account = '111122223333'
const other = '999988887777'
const user = (name: string, id = account) => `arn:aws:iam::${id}:user/${name}`
const none = { allow: [] }

/** An administrator, users without any permission, and a role that anybody may assume. */
const world = () =>
  createFakeAws({
    accessKeys: [
      { accessKeyId: 'ADMIN', secretAccessKey: 's', userName: 'admin' },
      { accessKeyId: 'APP', secretAccessKey: 's', userName: 'app', policy: none },
      { accessKeyId: 'JOB', secretAccessKey: 's', userName: 'job', policy: none },
      { accessKeyId: 'FAR', secretAccessKey: 's', userName: 'far', accountId: other },
    ],
    roles: [
      {
        arn: `arn:aws:iam::${account}:role/jobs/nightly`,
        trust: { principals: ['*'] },
        policy: none,
      },
    ],
  })

const as = (accessKeyId: string) => ({ credentials: { accessKeyId, secretAccessKey: 's' } })

async function grant(
  fake: FakeAws,
  KeyId: string,
  input: Readonly<Record<string, unknown>>,
  options = {},
) {
  const { json, error } = await kms(
    fake,
    'CreateGrant',
    { KeyId, GranteePrincipal: user('app'), Operations: ['Decrypt'], ...input },
    options,
  )
  return { id: json['GrantId'] as string, token: json['GrantToken'] as string, error }
}

describe('fake AWS KMS: what a grant permits', () => {
  it('permits its grantee its operations on its key, until it is revoked', async () => {
    const fake = world()
    const [{ arn: KeyId }, { arn: elsewhere }] = [fake.createKey(), fake.createKey()]
    const [CiphertextBlob, foreign] = [
      await encrypted(fake, KeyId),
      await encrypted(fake, elsewhere),
    ]
    const denied = 'AccessDeniedException'
    expect(await opened(fake, { CiphertextBlob }, as('APP'))).toBe(denied)
    const { id, token } = await grant(fake, KeyId, {})
    expect(id).toMatch(/^[0-9a-f]{64}$/)
    expect(await opened(fake, { CiphertextBlob }, as('APP'))).toBe('secret')
    expect(await opened(fake, { CiphertextBlob, GrantTokens: [token] }, as('APP'))).toBe('secret')
    expect(await opened(fake, { CiphertextBlob }, as('JOB'))).toBe(denied)
    expect(await opened(fake, { CiphertextBlob, GrantTokens: [token] }, as('JOB'))).toBe(denied)
    expect(await opened(fake, { CiphertextBlob: foreign }, as('APP'))).toBe(denied)
    const encrypts = { KeyId, Plaintext: base64('x') }
    expect((await kms(fake, 'Encrypt', encrypts, as('APP'))).error).toBe(denied)

    expect((await kms(fake, 'RevokeGrant', { KeyId, GrantId: id })).status).toBe(200)
    expect(await opened(fake, { CiphertextBlob }, as('APP'))).toBe(denied)
    const stale = await opened(fake, { CiphertextBlob, GrantTokens: [token] }, as('APP'))
    expect(stale).toBe('InvalidGrantTokenException')
  })

  it('never overrules a denial in the policy of the caller', async () => {
    const fake = createFakeAws({
      accessKeys: [
        { accessKeyId: 'ADMIN', secretAccessKey: 's' },
        { accessKeyId: 'APP', secretAccessKey: 's', policy: { deny: ['kms:Decrypt'] } },
      ],
      grants: { told: ['Decrypt'] },
    })
    const { arn: KeyId } = fake.createKey()
    await grant(fake, KeyId, {})
    const input = { CiphertextBlob: await encrypted(fake, KeyId), GrantTokens: ['told'] }
    expect(await opened(fake, input, as('APP'))).toBe('AccessDeniedException')
  })

  it('covers the sessions of a role', async () => {
    const fake = world()
    const { arn: KeyId } = fake.createKey()
    const RoleArn = `arn:aws:iam::${account}:role/jobs/nightly`
    const assumed = { Action: 'AssumeRole', RoleArn, RoleSessionName: 'run' }
    const answer = await sts(fake, assumed, { headers: { accept: 'application/json' } })
    const session = { credentials: credentialsOf(answer, 'AssumeRole') }
    const CiphertextBlob = await encrypted(fake, KeyId)
    await grant(fake, KeyId, { GranteePrincipal: RoleArn.replace('nightly', 'night') })
    expect(await opened(fake, { CiphertextBlob }, session)).toBe('AccessDeniedException')
    await grant(fake, KeyId, { GranteePrincipal: RoleArn })
    expect(await opened(fake, { CiphertextBlob }, session)).toBe('secret')
  })

  it('lets another account in, and there only principals whose own policy permits it', async () => {
    const fake = createFakeAws({
      accessKeys: [
        { accessKeyId: 'ADMIN', secretAccessKey: 's' },
        { accessKeyId: 'FAR', secretAccessKey: 's', accountId: other },
        { accessKeyId: 'POOR', secretAccessKey: 's', accountId: other, policy: none },
      ],
    })
    const { arn: KeyId } = fake.createKey()
    const CiphertextBlob = await encrypted(fake, KeyId)
    expect(await opened(fake, { CiphertextBlob, KeyId }, as('FAR'))).toBe('AccessDeniedException')
    await grant(fake, KeyId, { GranteePrincipal: `arn:aws:iam::${other}:root` })
    expect(await opened(fake, { CiphertextBlob, KeyId }, as('FAR'))).toBe('secret')
    expect(await opened(fake, { CiphertextBlob, KeyId }, as('POOR'))).toBe('AccessDeniedException')
  })

  it.each([
    ['subset', { EncryptionContextSubset: { Tenant: 'acme' } }, ['secret', 'secret', 'no']],
    ['equals', { EncryptionContextEquals: { tenant: 'acme' } }, ['secret', 'no', 'no']],
  ])(
    'holds only for an encryption context that meets its constraint: %s',
    async (_name, Constraints, expected) => {
      const fake = world()
      const { arn: KeyId } = fake.createKey()
      await grant(fake, KeyId, { Constraints, Operations: ['Decrypt', 'DescribeKey'] })
      const seen = []
      for (const context of [
        { tenant: 'acme' },
        { tenant: 'acme', row: '1' },
        { tenant: 'ACME' },
      ]) {
        const CiphertextBlob = await encrypted(fake, KeyId, context)
        const input = { CiphertextBlob, EncryptionContext: context }
        const answer = await opened(fake, input, as('APP'))
        seen.push(answer === 'AccessDeniedException' ? 'no' : answer)
      }
      expect(seen).toEqual(expected)
      // DescribeKey has no encryption context, so the constraint does not count.
      expect((await kms(fake, 'DescribeKey', { KeyId }, as('APP'))).status).toBe(200)
    },
  )

  it('looks at each side of ReEncrypt by itself', async () => {
    const fake = world()
    const [{ arn: from }, { arn: to }] = [fake.createKey(), fake.createKey()]
    const subset = (a: string) => ({ EncryptionContextSubset: { a } })
    await grant(fake, from, { Operations: ['ReEncryptFrom'], Constraints: subset('1') })
    await grant(fake, to, { Operations: ['ReEncryptTo'], Constraints: subset('2') })
    const CiphertextBlob = await encrypted(fake, from, { a: '1' })
    const moved = async (a: string) => {
      const contexts = { SourceEncryptionContext: { a: '1' }, DestinationEncryptionContext: { a } }
      const input = { CiphertextBlob, DestinationKeyId: to, ...contexts }
      return (await kms(fake, 'ReEncrypt', input, as('APP'))).error
    }
    expect(await moved('2')).toBeUndefined()
    expect(await moved('1')).toBe('AccessDeniedException')
  })

  it('lets a grantee pass on no more than it has', async () => {
    const fake = world()
    const { arn: KeyId } = fake.createKey()
    const Constraints = { EncryptionContextSubset: { tenant: 'acme' } }
    await grant(fake, KeyId, { Operations: ['Decrypt', 'CreateGrant'], Constraints })
    const pass = async (input: Readonly<Record<string, unknown>>) =>
      (
        await grant(
          fake,
          KeyId,
          { GranteePrincipal: user('job'), Constraints, ...input },
          as('APP'),
        )
      ).error
    expect(await pass({})).toBeUndefined()
    const stricter = { EncryptionContextEquals: { tenant: 'acme', row: '1' } }
    expect(await pass({ Constraints: stricter })).toBeUndefined()
    expect(await pass({ Operations: ['Encrypt'] })).toBe('AccessDeniedException')
    expect(await pass({ Constraints: undefined })).toBe('AccessDeniedException')
    const looser = { EncryptionContextSubset: { row: '1' } }
    expect(await pass({ Constraints: looser })).toBe('AccessDeniedException')
  })

  it('lets a grantee whose context is fixed pass on the same fixed context only', async () => {
    const fake = world()
    const { arn: KeyId } = fake.createKey()
    const equals = (tenant: string) => ({ EncryptionContextEquals: { tenant } })
    const Operations = ['Decrypt', 'CreateGrant']
    await grant(fake, KeyId, { Operations, Constraints: equals('acme') })
    const pass = async (Constraints: object) =>
      (await grant(fake, KeyId, { GranteePrincipal: user('job'), Constraints }, as('APP'))).error
    expect(await pass(equals('acme'))).toBeUndefined()
    expect(await pass(equals('other'))).toBe('AccessDeniedException')
    const looser = { EncryptionContextSubset: { tenant: 'acme' } }
    expect(await pass(looser)).toBe('AccessDeniedException')
  })
})

describe('fake AWS KMS: making and listing grants', () => {
  it('makes no second grant for a retry by name, but a second token', async () => {
    const fake = world()
    const { arn: KeyId } = fake.createKey()
    const first = await grant(fake, KeyId, { Name: 'n', Operations: ['Encrypt', 'Decrypt'] })
    const again = await grant(fake, KeyId, { Name: 'n', Operations: ['Decrypt', 'Encrypt'] })
    expect(again.id).toBe(first.id)
    expect(again.token).not.toBe(first.token)
    expect((await grant(fake, KeyId, { Name: 'n' })).id).not.toBe(first.id)
    expect((await grant(fake, KeyId, {})).id).not.toBe((await grant(fake, KeyId, {})).id)
  })

  it.each([
    ['no operation', { Operations: [] }, 'ValidationException'],
    ['no operations', { Operations: undefined }, 'ValidationException'],
    ['an operation that none may grant', { Operations: ['DisableKey'] }, 'ValidationException'],
    ['an operation of another kind of key', { Operations: ['Sign'] }, 'ValidationException'],
    ['a principal that is not an ARN', { GranteePrincipal: 'app' }, 'InvalidArnException'],
    [
      'a service as retiring principal',
      { RetiringPrincipal: 's3.amazonaws.com' },
      'InvalidArnException',
    ],
    ['a bad name', { Name: 'a b' }, 'ValidationException'],
    ['an unknown token', { GrantTokens: ['x'] }, 'InvalidGrantTokenException'],
    [
      'nine pairs',
      { Constraints: { EncryptionContextSubset: Object.fromEntries([...'123456789'].entries()) } },
      'ValidationException',
    ],
    [
      'a long value',
      { Constraints: { EncryptionContextEquals: { a: 'x'.repeat(385) } } },
      'ValidationException',
    ],
    ['constraints that are a list', { Constraints: [] }, 'SerializationException'],
    ['a dry run', { DryRun: true }, 'DryRunOperationException'],
  ])('refuses %s', async (_name, input, error) => {
    const fake = world()
    const { arn: KeyId } = fake.createKey()
    expect((await grant(fake, KeyId, input)).error).toBe(error)
    expect((await kms(fake, 'ListGrants', { KeyId })).json['Grants']).toEqual([])
  })

  it('needs an enabled key, and a key with an encryption context for constraints', async () => {
    const fake = world()
    const { arn: KeyId } = fake.createKey()
    await kms(fake, 'DisableKey', { KeyId })
    expect((await grant(fake, KeyId, {})).error).toBe('DisabledException')
    const { arn: signing } = fake.createKey({ keySpec: 'RSA_2048', keyUsage: 'SIGN_VERIFY' })
    const sign = { Operations: ['Sign'] }
    const Constraints = { EncryptionContextSubset: { a: '1' } }
    expect((await grant(fake, signing, { ...sign, Constraints })).error).toBe('ValidationException')
    expect((await grant(fake, signing, sign)).error).toBeUndefined()
    expect((await grant(fake, signing, sign, as('APP'))).error).toBe('AccessDeniedException')
  })

  it('lists by key, id, grantee and retiring principal, in pages', async () => {
    const fake = world()
    const { arn: KeyId } = fake.createKey()
    const Constraints = { EncryptionContextSubset: { a: '1' } }
    const RetiringPrincipal = user('job')
    const a = await grant(fake, KeyId, { Name: 'one', Constraints, RetiringPrincipal })
    const b = await grant(fake, KeyId, { GranteePrincipal: user('job') })
    const ids = async (operation: string, input: object) =>
      ((await kms(fake, operation, input)).json['Grants'] as { GrantId: string }[]).map(
        ({ GrantId }) => GrantId,
      )
    const first = (await kms(fake, 'ListGrants', { KeyId, Limit: 1 })).json
    expect(first['Grants']).toEqual([
      {
        KeyId,
        GrantId: a.id,
        Name: 'one',
        CreationDate: expect.any(Number) as number,
        GranteePrincipal: user('app'),
        RetiringPrincipal,
        IssuingAccount: `arn:aws:iam::${account}:root`,
        Operations: ['Decrypt'],
        Constraints,
      },
    ])
    const Marker = first['NextMarker']
    expect(await ids('ListGrants', { KeyId, Limit: 1, Marker })).toEqual([b.id])
    expect(await ids('ListGrants', { KeyId, GrantId: b.id })).toEqual([b.id])
    expect(await ids('ListGrants', { KeyId, GranteePrincipal: user('app') })).toEqual([a.id])
    expect(await ids('ListRetirableGrants', { RetiringPrincipal })).toEqual([a.id])
    expect(await ids('ListGrants', { KeyId: fake.createKey().arn })).toEqual([])
    const far = { RetiringPrincipal: user('far', other) }
    expect((await kms(fake, 'ListRetirableGrants', far)).error).toBe('AccessDeniedException')
    const tooMany = { KeyId, Limit: 101 }
    expect((await kms(fake, 'ListGrants', tooMany)).error).toBe('ValidationException')
    expect((await kms(fake, 'ListGrants', { KeyId }, as('APP'))).error).toBe(
      'AccessDeniedException',
    )
  })
})

describe('fake AWS KMS: ending a grant', () => {
  it('is retired by the principal that the grant names, by token or by id', async () => {
    const fake = world()
    const { arn: KeyId } = fake.createKey()
    const input = { RetiringPrincipal: user('job') }
    const [a, b] = [await grant(fake, KeyId, input), await grant(fake, KeyId, input)]
    const retire = async (by: object, caller: string) =>
      (await kms(fake, 'RetireGrant', by, as(caller))).error
    expect(await retire({ GrantToken: a.token }, 'APP')).toBe('AccessDeniedException')
    const dryRun = { GrantToken: a.token, DryRun: true }
    expect(await retire(dryRun, 'JOB')).toBe('DryRunOperationException')
    expect(await retire({ GrantToken: a.token }, 'JOB')).toBeUndefined()
    expect(await retire({ GrantToken: a.token }, 'JOB')).toBe('InvalidGrantTokenException')
    expect(await retire({ KeyId, GrantId: b.id }, 'JOB')).toBeUndefined()
    expect(await retire({ KeyId, GrantId: b.id }, 'JOB')).toBe('NotFoundException')
    expect(await retire({ GrantId: b.id }, 'JOB')).toBe('ValidationException')
  })

  it('is retired by its grantee only if it permits that, and by the account that made it', async () => {
    const fake = world()
    const { arn: KeyId } = fake.createKey()
    const plain = await grant(fake, KeyId, {})
    const mine = await grant(fake, KeyId, { Operations: ['Decrypt', 'RetireGrant'] })
    const retire = async (GrantToken: string, caller: string) =>
      (await kms(fake, 'RetireGrant', { GrantToken }, as(caller))).error
    expect(await retire(plain.token, 'APP')).toBe('AccessDeniedException')
    expect(await retire(plain.token, 'FAR')).toBe('AccessDeniedException')
    expect(await retire(mine.token, 'APP')).toBeUndefined()
    expect(await retire(plain.token, 'ADMIN')).toBeUndefined()
  })

  it('is revoked by whoever may revoke, and by its id only', async () => {
    const fake = world()
    const { arn: KeyId } = fake.createKey()
    const { id: GrantId } = await grant(fake, KeyId, {})
    const revoke = async (input: object, options = {}) =>
      (await kms(fake, 'RevokeGrant', { KeyId, ...input }, options)).error
    expect(await revoke({ GrantId }, as('APP'))).toBe('AccessDeniedException')
    expect(await revoke({ GrantId: 'x' })).toBe('InvalidGrantIdException')
    expect(await revoke({ GrantId: '0'.repeat(64) })).toBe('NotFoundException')
    expect(await revoke({ GrantId, KeyId: fake.createKey().arn })).toBe('NotFoundException')
    expect(await revoke({ GrantId, DryRun: true })).toBe('DryRunOperationException')
    expect(await revoke({ GrantId })).toBeUndefined()
    expect(await revoke({ GrantId })).toBe('NotFoundException')
  })
})

describe('fake AWS KMS: our provider under a grant', () => {
  it.each([
    ['EncryptionContextSubset', undefined],
    ['EncryptionContextEquals', 'ERR_KMS_ACCESS_DENIED'],
  ])('meets %s as docs/providers/aws-kms.md says', async (constraint, expected) => {
    const fake = world()
    const { arn: keyId } = fake.createKey()
    const context = { tenant: 'acme' }
    const Operations = ['GenerateDataKey', 'Decrypt']
    await grant(fake, keyId, { Operations, Constraints: { [constraint]: context } })
    const { network } = fake
    const service = createAwsKms({ keyId, ...as('APP'), network })
    const call = { context: { ...context, 'edge-kms:dk': 'A' } }
    const code = async () => {
      const { wraps, plaintext } = await service.generateDataKey(call)
      const opened = await service.unwrapDataKey(wraps, call)
      expect(opened.plaintext.expose()).toEqual(plaintext.expose())
    }
    const failed = await code().catch((error: unknown) => (error as { code: string }).code)
    expect(failed).toBe(expected)
  })
})
