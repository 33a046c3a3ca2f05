import { describe, expect, it } from 'vitest'
import {
  createFakeAws,
  type FakeAwsOptions,
  type FakeAwsRole,
} from '../../../../adapters/fakes/index.ts'
import { credentialsOf, kms, sts } from './client.ts'

const role = (name: string, more: Partial<FakeAwsRole> = {}): FakeAwsRole => ({
  arn: `arn:aws:iam::111122223333:role/${name}`,
  trust: { principals: ['111122223333'] },
  ...more,
})
const json = { headers: { accept: 'application/json' } }
const RoleSessionName = 'session-1'

const create = (options: FakeAwsOptions = {}) =>
  createFakeAws({
    keys: [{ alias: 'alias/app' }],
    roles: [
      role('app', { policy: { allow: ['kms:*', 'sts:*'] } }),
      role('long', { maxSessionSeconds: 43_200 }),
      role('secret', { trust: { principals: ['*'], externalId: 'id-1' } }),
      role('others', { trust: { principals: ['999988887777'] } }),
    ],
    ...options,
  })
type Fake = ReturnType<typeof create>
type Parameters = Readonly<Record<string, string>>

const assume = (fake: Fake, name: string, more: Parameters = {}, options: object = json) =>
  sts(fake, { Action: 'AssumeRole', RoleArn: role(name).arn, RoleSessionName, ...more }, options)

describe('fake AWS STS: AssumeRole', () => {
  it('hands out credentials that sign calls until they expire', async () => {
    const fake = create({ now: () => 1_767_225_600_000 })
    const answer = await assume(fake, 'app', { DurationSeconds: '900' })
    const credentials = credentialsOf(answer, 'AssumeRole')
    expect(credentials.accessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/)
    const describeKey = () => kms(fake, 'DescribeKey', { KeyId: 'alias/app' }, { credentials })
    const whoAmI = () => sts(fake, { Action: 'GetCallerIdentity' }, { credentials })
    expect((await describeKey()).status).toBe(200)
    expect((await whoAmI()).text).toContain(
      '<Arn>arn:aws:sts::111122223333:assumed-role/app/session-1</Arn>',
    )
    fake.clock.advance(899_000)
    expect((await describeKey()).status).toBe(200)
    fake.clock.advance(1_000)
    expect(await describeKey()).toMatchObject({ status: 400, error: 'ExpiredTokenException' })
    expect(await whoAmI()).toMatchObject({ status: 403, error: 'ExpiredToken' })
  })

  it('hands out credentials that are nothing without their own token', async () => {
    const fake = create()
    const one = credentialsOf(await assume(fake, 'app'), 'AssumeRole')
    const two = credentialsOf(await assume(fake, 'app'), 'AssumeRole')
    const { sessionToken: _left, ...without } = one
    for (const credentials of [without, { ...one, sessionToken: two.sessionToken }]) {
      const { error } = await kms(fake, 'DescribeKey', { KeyId: 'alias/app' }, { credentials })
      expect(error).toBe('UnrecognizedClientException')
    }
  })

  it('answers in XML, and in JSON where that is asked for', async () => {
    const fake = create({ now: () => 1_767_225_600_123 })
    const inXml = await assume(fake, 'app', {}, {})
    expect(inXml.headers.get('content-type')).toBe('text/xml')
    expect(inXml.text).toMatch(
      /^<AssumeRoleResponse xmlns="https:\/\/sts\.amazonaws\.com\/doc\/2011-06-15\/"><AssumeRoleResult><Credentials><AccessKeyId>ASIA/,
    )
    expect(inXml.text).toContain('<Expiration>2026-01-01T01:00:00Z</Expiration>')
    const inJson = await assume(fake, 'app')
    expect(inJson.json).toMatchObject({
      AssumeRoleResponse: {
        AssumeRoleResult: {
          Credentials: { Expiration: 1_767_229_200 },
          AssumedRoleUser: { Arn: 'arn:aws:sts::111122223333:assumed-role/app/session-1' },
        },
        ResponseMetadata: { RequestId: inJson.headers.get('x-amzn-requestid') },
      },
    })
    const refused = await assume(fake, 'none')
    expect(refused.json).toMatchObject({
      Error: { Code: 'AccessDenied', Type: 'Sender' },
      RequestId: refused.headers.get('x-amzn-requestid'),
    })
    expect((await assume(fake, 'none', {}, {})).text).toMatch(
      /^<ErrorResponse xmlns="[^"]+"><Error><Type>Sender<\/Type><Code>AccessDenied<\/Code>/,
    )
  })

  it.each<[string, string, Parameters, string | undefined]>([
    ['an unknown role', 'none', {}, 'AccessDenied'],
    ['a role that trusts others', 'others', {}, 'AccessDenied'],
    ['no external id', 'secret', {}, 'AccessDenied'],
    ['another external id', 'secret', { ExternalId: 'id-2' }, 'AccessDenied'],
    ['the external id', 'secret', { ExternalId: 'id-1' }, undefined],
    ['too short', 'app', { DurationSeconds: '899' }, 'ValidationError'],
    ['too long for anyone', 'long', { DurationSeconds: '43201' }, 'ValidationError'],
    ['too long for this role', 'app', { DurationSeconds: '3601' }, 'ValidationError'],
    ['long', 'long', { DurationSeconds: '43200' }, undefined],
    ['a short name', 'app', { RoleSessionName: 'x' }, 'ValidationError'],
    ['a name with a space', 'app', { RoleSessionName: 'x y' }, 'ValidationError'],
    ['no ARN', 'app', { RoleArn: 'app' }, 'ValidationError'],
    ['an unknown version', 'app', { Version: '2010-01-01' }, 'InvalidAction'],
    ['an unknown action', 'app', { Action: 'AssumeAll' }, 'InvalidAction'],
    ['no action', 'app', { Action: '' }, 'MissingAction'],
  ])('%s', async (_name, name, more, error) => {
    expect((await assume(create(), name, more)).error).toBe(error)
  })

  it('needs the permission of the caller, and chains for an hour at most', async () => {
    const fake = create({
      accessKeys: [
        { accessKeyId: 'A', secretAccessKey: 's' },
        { accessKeyId: 'B', secretAccessKey: 's', policy: { allow: ['kms:*'] } },
      ],
    })
    const weak = { ...json, credentials: { accessKeyId: 'B', secretAccessKey: 's' } }
    expect((await assume(fake, 'app', {}, weak)).error).toBe('AccessDenied')
    const credentials = credentialsOf(await assume(fake, 'app'), 'AssumeRole')
    const chained = (DurationSeconds: string) =>
      assume(fake, 'long', { DurationSeconds }, { ...json, credentials })
    expect((await chained('3600')).error).toBeUndefined()
    expect((await chained('3601')).error).toBe('ValidationError')
  })

  it('passes a source identity on', async () => {
    const { text } = await assume(create(), 'app', { SourceIdentity: 'alice' }, {})
    expect(text).toContain('<SourceIdentity>alice</SourceIdentity>')
  })
})
