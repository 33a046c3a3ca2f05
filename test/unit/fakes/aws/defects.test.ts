import { describe, expect, it } from 'vitest'
import {
  createFakeAws,
  FAKE_AWS_DEFECTS,
  type FakeAwsDefect,
} from '../../../../adapters/fakes/index.ts'
import { base64, credentialsOf, encrypted, kms, opened, sts } from './client.ts'

const role = 'arn:aws:iam::111122223333:role/app'
const KeyId = 'alias/a'

const create = (defect?: FakeAwsDefect) =>
  createFakeAws({
    keys: [{ alias: 'alias/a' }, { alias: 'alias/b' }],
    roles: [{ arn: role, trust: { principals: ['*'] } }],
    ...(defect !== undefined && { defects: [defect] }),
  })
type Fake = ReturnType<typeof create>

/** For each defect, whether a server has it, as a client can tell. */
const signs: Readonly<Record<FakeAwsDefect, (fake: Fake) => Promise<boolean>>> = {
  'ignores-context': async (fake) => {
    const CiphertextBlob = await encrypted(fake, KeyId, { a: '1' })
    return (await opened(fake, { CiphertextBlob, EncryptionContext: { x: 'y' } })) === 'secret'
  },
  'concatenates-context': async (fake) => {
    const CiphertextBlob = await encrypted(fake, KeyId, { a: 'bc' })
    const open = (EncryptionContext: object) => opened(fake, { CiphertextBlob, EncryptionContext })
    return (await open({ ab: 'c' })) === 'secret' && (await open({ ab: 'd' })) !== 'secret'
  },
  'ignores-key-state': async (fake) => {
    const { arn } = fake.createKey()
    await kms(fake, 'DisableKey', { KeyId: arn })
    return (await kms(fake, 'Encrypt', { KeyId: arn, Plaintext: base64('x') })).status === 200
  },
  'ignores-decrypt-key-id': async (fake) => {
    const CiphertextBlob = await encrypted(fake, KeyId)
    return (await opened(fake, { CiphertextBlob, KeyId: 'alias/b' })) === 'secret'
  },
  'ignores-source-key-id': async (fake) => {
    const CiphertextBlob = await encrypted(fake, KeyId)
    const input = { CiphertextBlob, SourceKeyId: 'alias/b', DestinationKeyId: 'alias/b' }
    return (await kms(fake, 'ReEncrypt', input)).status === 200
  },
  'answers-alias-for-arn': async (fake) => {
    const { json } = await kms(fake, 'GenerateDataKey', { KeyId, KeySpec: 'AES_256' })
    return json['KeyId'] === KeyId
  },
  'dry-run-performs': async (fake) => {
    const input = { KeyId, KeySpec: 'AES_256', DryRun: true }
    return (await kms(fake, 'GenerateDataKey', input)).status === 200
  },
  'accepts-any-signature': async (fake) => {
    const credentials = { ...fake.credentials, secretAccessKey: 'wrong' }
    return (await kms(fake, 'DescribeKey', { KeyId }, { credentials })).status === 200
  },
  'accepts-expired-credentials': async (fake) => {
    const parameters = { Action: 'AssumeRole', RoleArn: role, RoleSessionName: 'session' }
    const answer = await sts(fake, parameters, { headers: { accept: 'application/json' } })
    fake.clock.advance(3_600_000)
    const credentials = credentialsOf(answer, 'AssumeRole')
    return (await kms(fake, 'DescribeKey', { KeyId }, { credentials })).status === 200
  },
  'accepts-any-web-identity': async (fake) => {
    const parameters = { RoleArn: role, RoleSessionName: 'session', WebIdentityToken: 'anything' }
    return (await sts(fake, { Action: 'AssumeRoleWithWebIdentity', ...parameters })).status === 200
  },
}

describe('fake AWS: seeded faults', () => {
  it('are ten', () => {
    expect(Object.keys(signs)).toEqual(FAKE_AWS_DEFECTS)
    expect(FAKE_AWS_DEFECTS).toHaveLength(10)
  })

  it.each(FAKE_AWS_DEFECTS)('%s: only where it was asked for', async (defect) => {
    expect(await signs[defect](create(defect))).toBe(true)
    expect(await signs[defect](create())).toBe(false)
    for (const other of FAKE_AWS_DEFECTS) {
      // A context that is ignored opens whatever a concatenated one opens, and more.
      if (other !== defect) expect(await signs[defect](create(other)), other).toBe(false)
    }
  })
})
