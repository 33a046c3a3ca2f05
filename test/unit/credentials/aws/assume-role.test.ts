import { describe, expect, it } from 'vitest'
import {
  assumeRole,
  type AssumeRoleOptions,
  assumeRoleWithWebIdentity,
  createAwsKms,
} from '../../../../src/providers/aws-kms/index.ts'
import { createFakeAws, type FakeAws, type FakeAwsRole } from '../../../../adapters/fakes/index.ts'
import { codeOf, START_MS, testPorts } from './ports.ts'

const HOUR_MS = 3_600_000
const region = 'us-east-1'
const context = { 'edge-kms:dk': 'salt.1' }
const arnOf = (name: string) => `arn:aws:iam::111122223333:role/${name}`
const sessionOf = (name: string, session: string) =>
  `arn:aws:sts::111122223333:assumed-role/${name}/${session}`

const role = (name: string, more: Partial<FakeAwsRole> = {}): FakeAwsRole => ({
  arn: arnOf(name),
  trust: { principals: ['111122223333'] },
  ...more,
})

/** A server and a client with one clock and no real timers. */
function setUp() {
  const ports = testPorts(({ url, method, headers, body }) =>
    fake.fetch(new Request(url, { method, headers, body })),
  )
  const fake: FakeAws = createFakeAws({
    now: () => ports.runtime.now(),
    keys: [{ alias: 'alias/app' }],
    roles: [
      role('first', { policy: { allow: ['sts:AssumeRole'] } }),
      role('second', {
        trust: { principals: [sessionOf('first', 'one')] },
        policy: { allow: ['kms:*'] },
      }),
      role('secret', { trust: { principals: ['*'], externalId: 'id-1' } }),
      role('long', { maxSessionSeconds: 43_200 }),
    ],
  })
  const { runtime, network } = ports
  const assume = (options: Partial<AssumeRoleOptions> & { readonly roleArn: string }) =>
    assumeRole({ region, credentials: fake.credentials, runtime, network, ...options })
  const kmsBy = (credentials: ReturnType<typeof assume>) =>
    createAwsKms({ keyId: 'alias/app', region, credentials, runtime, network })
  return { fake, ports, assume, kmsBy }
}

describe('assume role', () => {
  it('signs to KMS as the session of the role, one STS call an hour', async () => {
    const { fake, ports, assume, kmsBy } = setUp()
    const kms = kmsBy(assume({ roleArn: arnOf('long'), sessionName: 'worker@7' }))
    await Promise.all([kms.generateDataKey({ context }), kms.generateDataKey({ context })])
    expect(fake.calls.at(-1)?.caller).toBe(sessionOf('long', 'worker@7'))
    ports.advance(HOUR_MS - 300_001)
    await kms.generateDataKey({ context })
    expect(fake.count('AssumeRole')).toBe(1)
    ports.advance(1)
    await kms.generateDataKey({ context })
    expect(fake.count('AssumeRole')).toBe(2)
  })

  it('R12 asks STS of the region by POST; nothing that is secret is in the URL', async () => {
    const { ports, assume } = setUp()
    await assume({ roleArn: arnOf('long') }).get({})
    const [request] = ports.sent
    expect(request).toMatchObject({ url: 'https://sts.us-east-1.amazonaws.com/', method: 'POST' })
    expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
      Action: 'AssumeRole',
      Version: '2011-06-15',
      RoleArn: arnOf('long'),
      RoleSessionName: 'edge-kms',
    })
  })

  it('sends external id, source identity, duration and tags where they are given', async () => {
    const { ports, assume } = setUp()
    const options = {
      roleArn: arnOf('secret'),
      externalId: 'id-1',
      sourceIdentity: 'job-7',
      durationSeconds: 900,
      tags: { team: 'a&b', stage: 'prod' },
    }
    const { expiresAtMs } = await assume(options).get({})
    expect(expiresAtMs).toBe(START_MS + 900_000)
    expect(Object.fromEntries(new URLSearchParams(ports.sent[0]?.body))).toMatchObject({
      ExternalId: 'id-1',
      SourceIdentity: 'job-7',
      DurationSeconds: '900',
      'Tags.member.1.Key': 'team',
      'Tags.member.1.Value': 'a&b',
      'Tags.member.2.Key': 'stage',
      'Tags.member.2.Value': 'prod',
    })
    expect(await codeOf(assume({ ...options, externalId: 'id-2' }).get({}))).toBe(
      'ERR_KMS_ACCESS_DENIED',
    )
    const { externalId: _left, ...without } = options
    expect(await codeOf(assume(without).get({}))).toBe('ERR_KMS_ACCESS_DENIED')
  })

  it('chains: the second role is assumed as the session of the first', async () => {
    const { fake, ports, assume, kmsBy } = setUp()
    const first = assume({ roleArn: arnOf('first'), sessionName: 'one', durationSeconds: 900 })
    const kms = kmsBy(assume({ roleArn: arnOf('second'), sessionName: 'two', credentials: first }))
    const callers = () =>
      fake.calls.map(({ operation, caller }) => `${operation} ${String(caller)}`)
    await kms.generateDataKey({ context })
    expect(callers()).toEqual([
      'AssumeRole arn:aws:iam::111122223333:user/app',
      `AssumeRole ${sessionOf('first', 'one')}`,
      `DescribeKey ${sessionOf('second', 'two')}`,
      `GenerateDataKey ${sessionOf('second', 'two')}`,
    ])
    // Each is renewed by its own end: here both, for the first lived 15 minutes only.
    fake.forgetCalls()
    ports.advance(HOUR_MS)
    await kms.generateDataKey({ context })
    expect([fake.count('AssumeRole'), fake.count('GenerateDataKey')]).toEqual([2, 1])
    // The first role alone may not use the key, and the user may not assume the second.
    expect(await codeOf(kmsBy(first).generateDataKey({ context }))).toBe('ERR_KMS_ACCESS_DENIED')
    expect(await codeOf(assume({ roleArn: arnOf('second') }).get({}))).toBe('ERR_KMS_ACCESS_DENIED')
  })

  it('a chained role for more than an hour is refused by AWS, as configuration', async () => {
    const { assume } = setUp()
    const first = assume({ roleArn: arnOf('long') })
    const long = { roleArn: arnOf('long'), durationSeconds: 3_601 }
    expect(await codeOf(assume({ ...long, credentials: first }).get({}))).toBe('ERR_KMS_CONFIG')
    expect((await assume(long).get({})).expiresAtMs).toBe(START_MS + 3_601_000)
  })

  it('R22 credentials of a chain that AWS calls expired are renewed once, at their own level', async () => {
    const { fake, assume, kmsBy } = setUp()
    const first = assume({ roleArn: arnOf('first'), sessionName: 'one' })
    const kms = kmsBy(assume({ roleArn: arnOf('second'), credentials: first }))
    await kms.generateDataKey({ context })
    fake.forgetCalls()
    // The server's clock runs ahead of what was promised; the client's does not.
    fake.clock.advance(2 * HOUR_MS)
    const code = await codeOf(kms.generateDataKey({ context }))
    // Signatures that old are refused for their age first, and the clock is corrected.
    expect(code).toBe('no error')
    const operations = fake.calls.map(({ operation, error }) =>
      `${operation} ${error ?? ''}`.trim(),
    )
    expect(operations).toEqual([
      'GenerateDataKey InvalidSignatureException',
      'GenerateDataKey ExpiredTokenException',
      'AssumeRole SignatureDoesNotMatch',
      'AssumeRole ExpiredToken',
      'AssumeRole SignatureDoesNotMatch',
      'AssumeRole',
      'AssumeRole',
      'GenerateDataKey',
    ])
  })

  it('its own credentials may be refused: that is the error', async () => {
    const { fake, assume } = setUp()
    const credentials = { ...fake.credentials, accessKeyId: 'AKIANOBODYKNOWSTHIS0' }
    const source = assume({ roleArn: arnOf('long'), credentials })
    expect(await source.get({}).catch((error: unknown) => error)).toMatchObject({
      code: 'ERR_KMS_UNAUTHENTICATED',
      provider: 'aws-sts',
      operation: 'AssumeRole',
      status: 403,
    })
    expect(fake.count()).toBe(1)
  })
})

describe('R9 assume role: configuration', () => {
  const roleArn = arnOf('long')
  const bad: readonly (readonly [string, object])[] = [
    ['no role', { roleArn: '' }],
    ['a user', { roleArn: 'arn:aws:iam::111122223333:user/app' }],
    ['a role without an account', { roleArn: 'arn:aws:iam:::role/app' }],
    ['a line break', { roleArn: `${roleArn}\n` }],
    ['another parameter in the ARN', { roleArn: `${roleArn}&DurationSeconds=1` }],
    ['a short session name', { roleArn, sessionName: 'x' }],
    ['a long session name', { roleArn, sessionName: 'x'.repeat(65) }],
    ['a blank in the session name', { roleArn, sessionName: 'a b' }],
    ['too short a session', { roleArn, durationSeconds: 899 }],
    ['too long a session', { roleArn, durationSeconds: 43_201 }],
    ['half a second', { roleArn, durationSeconds: 900.5 }],
    ['no number', { roleArn, durationSeconds: Number.NaN }],
    ['a region that is a host', { roleArn, region: 'us-east-1.attacker.example/' }],
    ['an endpoint by http', { roleArn, endpoint: 'http://sts.example.test' }],
    ['an endpoint with a query', { roleArn, endpoint: 'https://sts.example.test/?a' }],
    ['two endpoints', { roleArn, endpoint: 'https://sts.example.test', fips: true }],
  ]
  it.each(bad)('%s is refused', async (_what, options) => {
    const credentials = { accessKeyId: 'AKID', secretAccessKey: 'secret' }
    const whole = { region, roleArn, credentials, ...options }
    expect(await codeOf(() => assumeRole(whole))).toBe('ERR_KMS_CONFIG')
    const token = () => Promise.resolve('a.b.c')
    expect(await codeOf(() => assumeRoleWithWebIdentity({ ...whole, token }))).toBe(
      'ERR_KMS_CONFIG',
    )
  })

  it.each([
    [{ region: 'cn-north-1' }, 'https://sts.cn-north-1.amazonaws.com.cn/'],
    [{ fips: true }, 'https://sts-fips.us-east-1.amazonaws.com/'],
    [{ region: 'us-gov-west-1', fips: true }, 'https://sts.us-gov-west-1.amazonaws.com/'],
    [{ region: 'us-gov-east-1', fips: true }, 'https://sts.us-gov-east-1.amazonaws.com/'],
    [
      { region: 'us-gov-west-1', fips: true, dualStack: true },
      'https://sts-fips.us-gov-west-1.api.aws/',
    ],
    [{ dualStack: true }, 'https://sts.us-east-1.api.aws/'],
    [{ endpoint: 'https://vpce.example.test/sts/' }, 'https://vpce.example.test/sts/'],
  ])('%o asks %s', async (options, url) => {
    const { ports, assume } = setUp()
    await codeOf(assume({ roleArn, ...options }).get({}))
    expect(ports.sent[0]?.url).toBe(url)
  })
})
