import { describe, expect, it } from 'vitest'
import { createFakeAws, type FakeAws } from '../../../../adapters/fakes/index.ts'
import { handSigned, type Oddities } from './hand-signed.ts'
import { type CallOptions, kms, kmsRequest, send, sts, stsRequest } from './client.ts'

const fake = createFakeAws({ keys: [{ alias: 'alias/app' }], now: () => 1_767_225_600_000 })
const input = { KeyId: 'alias/app' }
const whoAmI = { Action: 'GetCallerIdentity' }

/** The same request with other headers or another body than were signed. */
async function changed(
  request: Promise<Request>,
  change: (headers: Headers) => void,
  body?: string,
): Promise<Request> {
  const original = await request
  const headers = new Headers(original.headers)
  change(headers)
  return new Request(original.url, {
    method: 'POST',
    headers,
    body: body ?? (await original.clone().text()),
  })
}

const authorization = (replace: (text: string) => string) => (headers: Headers) => {
  headers.set('authorization', replace(headers.get('authorization') ?? ''))
}

describe('fake AWS: signatures', () => {
  it.each<[string, CallOptions]>([
    ['the host of a region', {}],
    ['another region', { region: 'eu-central-1' }],
    ['a FIPS endpoint', { host: 'kms-fips.us-east-1.amazonaws.com' }],
    ['a dual-stack endpoint', { host: 'kms.us-east-1.api.aws' }],
    ['loopback', { host: '127.0.0.1:4566' }],
    ['loopback for another region', { host: '127.0.0.1:4566', region: 'eu-west-1' }],
    ['headers with spaces', { headers: { 'x-amz-meta': '  a   b  ' } }],
  ])('accepts what aws4fetch signs for %s', async (_name, options) => {
    const { status } = await kms(fake, 'CreateKey', {}, options)
    expect(status).toBe(200)
  })

  it('accepts what aws4fetch signs with a query and a path', async () => {
    const { AwsV4Signer } = await import('aws4fetch')
    const url = `https://sts.us-east-1.amazonaws.com/a b/%C3%A9?Action=GetCallerIdentity&Version=2011-06-15&b=1&a=%2F&a=(`
    const datetime = '20260101T000000Z'
    const signed = await new AwsV4Signer({ url, ...fake.credentials, datetime }).sign()
    const answer = await send(fake, new Request(signed.url, { headers: signed.headers }))
    expect(answer.status).toBe(200)
  })

  it.each<[string, CallOptions]>([
    ['wrong secret', { credentials: { ...fake.credentials, secretAccessKey: 'wrong' } }],
    ['another service', { scopeService: 's3' }],
    ['another region than the host', { scopeRegion: 'eu-west-1' }],
    ['a region that does not exist', { host: 'localhost', scopeRegion: 'mars-north-1' }],
    ['a clock 5 minutes and a second behind', { aheadMs: -301_000 }],
    ['a clock 5 minutes and a second ahead', { aheadMs: 301_000 }],
  ])('refuses a request with %s', async (_name, options) => {
    const answer = await kms(fake, 'DescribeKey', input, options)
    expect(answer).toMatchObject({ status: 400, error: 'InvalidSignatureException' })
    const scope = { ...options, ...(options.scopeService && { scopeService: 'kms' }) }
    const ofSts = await sts(fake, whoAmI, scope)
    expect(ofSts).toMatchObject({ status: 403, error: 'SignatureDoesNotMatch' })
  })

  it.each([-299_000, 299_000])('takes a clock that is %d ms off', async (aheadMs) => {
    expect((await kms(fake, 'DescribeKey', input, { aheadMs })).status).toBe(200)
  })

  it.each([
    ['signature expired', -1_200_000, 'Signature expired: '],
    ['signature not yet current', 1_200_000, 'Signature not yet current: '],
  ])('says %s, and what time it is', async (_name, aheadMs, start) => {
    const answer = await kms(fake, 'DescribeKey', input, { aheadMs })
    expect(String(answer.json['message']).startsWith(start)).toBe(true)
    expect(Date.parse(answer.headers.get('date') ?? '')).toBe(fake.clock.now())
  })

  it.each<[string, (headers: Headers) => void, string | undefined, string]>([
    ['another body', () => undefined, '{"KeyId": "alias/app"}', 'InvalidSignatureException'],
    [
      'another target',
      (headers) => {
        headers.set('x-amz-target', 'TrentService.DisableKey')
      },
      undefined,
      'InvalidSignatureException',
    ],
    [
      'a header that is not signed',
      (headers) => {
        headers.set('x-amz-more', '1')
      },
      undefined,
      'InvalidSignatureException',
    ],
    [
      'another date',
      (headers) => {
        headers.set('x-amz-date', '20260101T000001Z')
      },
      undefined,
      'InvalidSignatureException',
    ],
    [
      'the date of another day',
      (headers) => {
        headers.set('x-amz-date', '20251231T235959Z')
      },
      undefined,
      'InvalidSignatureException',
    ],
    [
      'no date',
      (headers) => {
        headers.delete('x-amz-date')
      },
      undefined,
      'IncompleteSignatureException',
    ],
    [
      'a date that is none',
      (headers) => {
        headers.set('x-amz-date', 'soon')
      },
      undefined,
      'IncompleteSignatureException',
    ],
    [
      'no Authorization',
      (headers) => {
        headers.delete('authorization')
      },
      undefined,
      'MissingAuthenticationTokenException',
    ],
    [
      'another scheme',
      (headers) => {
        headers.set('authorization', 'Bearer x')
      },
      undefined,
      'IncompleteSignatureException',
    ],
    [
      'no signature',
      authorization((text) => text.replace(/, Signature=.*/, '')),
      undefined,
      'IncompleteSignatureException',
    ],
    [
      'half a credential',
      authorization((text) => text.replace('/aws4_request', '')),
      undefined,
      'IncompleteSignatureException',
    ],
    [
      'another terminator',
      authorization((text) => text.replace('/aws4_request', '/aws5_request')),
      undefined,
      'InvalidSignatureException',
    ],
    [
      'an unsigned host',
      authorization((text) => text.replace('SignedHeaders=host;', 'SignedHeaders=')),
      undefined,
      'InvalidSignatureException',
    ],
    [
      'a longer signature',
      authorization((text) => `${text}0`),
      undefined,
      'InvalidSignatureException',
    ],
    [
      'its headers in another order',
      authorization((text) => text.replace('host;x-amz-date', 'x-amz-date;host')),
      undefined,
      'InvalidSignatureException',
    ],
  ])('refuses a request with %s', async (_name, change, body, error) => {
    const request = changed(kmsRequest(fake, 'DescribeKey', input), change, body)
    expect(await send(fake, request)).toMatchObject({ status: 400, error })
  })

  it('accepts what a signer made by hand signs', async () => {
    expect((await send(fake, handSigned(fake))).status).toBe(200)
  })

  it.each<[string, Oddities]>([
    ['for another day', { date: '20251231' }],
    ['with another terminator', { terminator: 'aws5_request' }],
    ['without the host', { signedHeaders: ['x-amz-date', 'x-amz-target'] }],
    ['without the target', { signedHeaders: ['host', 'x-amz-date'] }],
    ['in no order', { signedHeaders: ['x-amz-date', 'host', 'x-amz-target'] }],
  ])('refuses a right signature %s', async (_name, oddities) => {
    const answer = await send(fake, handSigned(fake, oddities))
    expect(answer).toMatchObject({ status: 400, error: 'InvalidSignatureException' })
  })

  it('names the errors of STS as the query protocol does', async () => {
    const drop = (name: string) =>
      changed(stsRequest(fake, whoAmI), (headers) => {
        headers.delete(name)
      })
    expect(await send(fake, drop('authorization'))).toMatchObject({
      status: 403,
      error: 'MissingAuthenticationToken',
    })
    expect(await send(fake, drop('x-amz-date'))).toMatchObject({
      status: 400,
      error: 'IncompleteSignature',
    })
  })

  it('tells apart an unknown key, and a long-lived key with a session token', async () => {
    const bad = [
      { ...fake.credentials, accessKeyId: 'AKIAUNKNOWN' },
      { ...fake.credentials, sessionToken: 'bogus' },
    ]
    for (const credentials of bad) {
      const ofKms = await kms(fake, 'DescribeKey', input, { credentials })
      expect(ofKms).toMatchObject({ status: 400, error: 'UnrecognizedClientException' })
      const ofSts = await sts(fake, whoAmI, { credentials })
      expect(ofSts).toMatchObject({ status: 403, error: 'InvalidClientTokenId' })
    }
  })
})

describe('fake AWS: policies', () => {
  const user = (policy: { allow?: string[]; deny?: string[] }): FakeAws =>
    createFakeAws({
      keys: [{ alias: 'alias/app' }],
      accessKeys: [{ accessKeyId: 'AKIAUSER', secretAccessKey: 's', policy }],
    })

  it.each<[string, { allow?: string[]; deny?: string[] }, number]>([
    ['nothing said', {}, 200],
    ['the action', { allow: ['kms:DescribeKey'] }, 200],
    ['a pattern, in another case', { allow: ['KMS:describe*'] }, 200],
    ['another action', { allow: ['kms:Encrypt'] }, 400],
    ['a longer action', { allow: ['kms:DescribeKeys'] }, 400],
    ['nothing', { allow: [] }, 400],
    ['a denial that wins', { allow: ['*'], deny: ['kms:Describe*'] }, 400],
    ['a dot that is a dot', { allow: ['kms.DescribeKey'] }, 400],
  ])('%s', async (_name, policy, status) => {
    const answer = await kms(user(policy), 'DescribeKey', input)
    expect(answer.status).toBe(status)
    expect(answer.error).toBe(status === 200 ? undefined : 'AccessDeniedException')
  })

  it('lets everyone ask who they are', async () => {
    const answer = await sts(user({ deny: ['*'] }), whoAmI)
    expect(answer.text).toContain('<Arn>arn:aws:iam::111122223333:user/app</Arn>')
  })

  it('takes grant tokens that it knows, for what they permit', async () => {
    const aws = createFakeAws({
      keys: [{ alias: 'alias/app' }],
      accessKeys: [{ accessKeyId: 'A', secretAccessKey: 's', policy: { allow: [] } }],
      grants: { 'token-1': ['GenerateDataKey'] },
    })
    const call = (operation: string, GrantTokens: readonly unknown[]) =>
      kms(aws, operation, { ...input, KeySpec: 'AES_256', GrantTokens })
    expect((await call('GenerateDataKey', ['token-1'])).status).toBe(200)
    expect((await call('GenerateDataKey', [])).error).toBe('AccessDeniedException')
    expect((await call('DescribeKey', ['token-1'])).error).toBe('AccessDeniedException')
    expect((await call('GenerateDataKey', ['other'])).error).toBe('InvalidGrantTokenException')
    expect((await call('GenerateDataKey', [1])).error).toBe('SerializationException')
    expect((await call('GenerateDataKey', Array<string>(11).fill('token-1'))).error).toBe(
      'ValidationException',
    )
  })
})
