import { beforeAll, describe, expect, it } from 'vitest'
import { encodeBase64Url } from '../../../../src/bytes/index.ts'
import { createFakeAws, type FakeAws } from '../../../../adapters/fakes/index.ts'
import { credentialsOf, kms, send } from './client.ts'

const NOW_SECONDS = 1_767_225_600
const issuer = 'https://issuer.example.test'
const claims = {
  iss: issuer,
  sub: 'pod',
  aud: 'sts.amazonaws.com',
  iat: NOW_SECONDS,
  exp: NOW_SECONDS + 60,
}
const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
const p256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const roleArn = (name: string) => `arn:aws:iam::111122223333:role/${name}`

const makeRsa = () =>
  crypto.subtle.generateKey(
    { ...rsa, modulusLength: 2_048, publicExponent: new Uint8Array([1, 0, 1]) },
    true,
    ['sign', 'verify'],
  )

let rsaKey: CryptoKeyPair
let ecKey: CryptoKeyPair
let stranger: CryptoKeyPair
let fake: FakeAws

const jwk = async ({ publicKey }: CryptoKeyPair, kid: string) => ({
  ...(await crypto.subtle.exportKey('jwk', publicKey)),
  kid,
  use: 'sig',
})

beforeAll(async () => {
  rsaKey = await makeRsa()
  ecKey = await crypto.subtle.generateKey(p256, true, ['sign', 'verify'])
  stranger = await makeRsa()
  fake = createFakeAws({
    now: () => NOW_SECONDS * 1_000,
    keys: [{ alias: 'alias/app' }],
    identityProviders: [
      {
        issuer,
        audiences: ['sts.amazonaws.com', 'second'],
        keys: [await jwk(rsaKey, 'r1'), await jwk(ecKey, 'e1')],
      },
      { issuer: 'https://other.example.test', audiences: ['sts.amazonaws.com'], keys: [] },
    ],
    roles: [
      { arn: roleArn('any'), trust: { webIdentity: { issuer } } },
      { arn: roleArn('pod'), trust: { webIdentity: { issuer, subject: 'pod' } } },
      { arn: roleArn('second'), trust: { webIdentity: { issuer, audience: 'second' } } },
      { arn: roleArn('elsewhere'), trust: { webIdentity: { issuer: 'https://else.example' } } },
      { arn: roleArn('users'), trust: { principals: ['*'] } },
    ],
  })
})

const encode = (value: unknown) => encodeBase64Url(new TextEncoder().encode(JSON.stringify(value)))

async function token(
  change: Readonly<Record<string, unknown>> = {},
  header: Readonly<Record<string, unknown>> = { alg: 'RS256', kid: 'r1' },
  key: CryptoKeyPair = header['alg'] === 'ES256' ? ecKey : rsaKey,
): Promise<string> {
  const text = `${encode(header)}.${encode({ ...claims, ...change })}`
  const algorithm = key === ecKey ? p256 : rsa
  const signed = new TextEncoder().encode(text)
  const signature = await crypto.subtle.sign(algorithm, key.privateKey, signed)
  return `${text}.${encodeBase64Url(new Uint8Array(signature))}`
}

const assume = (
  WebIdentityToken: string,
  name = 'any',
  more: Record<string, string> = {},
  accept = 'application/json',
) =>
  send(
    fake,
    new Request('https://sts.us-east-1.amazonaws.com/', {
      method: 'POST',
      headers: { accept },
      body: new URLSearchParams({
        Action: 'AssumeRoleWithWebIdentity',
        Version: '2011-06-15',
        RoleArn: roleArn(name),
        RoleSessionName: 'session',
        WebIdentityToken,
        ...more,
      }),
    }),
  )

describe('fake AWS STS: AssumeRoleWithWebIdentity', () => {
  it('hands out credentials for a good token, without a signature', async () => {
    const answer = await assume(await token())
    const credentials = credentialsOf(answer, 'AssumeRoleWithWebIdentity')
    const { status } = await kms(fake, 'DescribeKey', { KeyId: 'alias/app' }, { credentials })
    expect(status).toBe(200)
    expect(answer.text).toContain('"SubjectFromWebIdentityToken":"pod"')
  })

  it('writes into XML what a token says, and no element of its making', async () => {
    const { text } = await assume(await token({ sub: '</x>&amp;' }), 'any', {}, '*/*')
    expect(text).toContain(
      '<SubjectFromWebIdentityToken>&lt;/x&gt;&amp;amp;</SubjectFromWebIdentityToken>',
    )
  })

  it.each<[string, () => Promise<string>]>([
    ['ES256', () => token({}, { alg: 'ES256', kid: 'e1' })],
    ['a header without kid', () => token({}, { alg: 'RS256' })],
    ['one audience of several', () => token({ aud: ['else', 'second'] })],
  ])('takes a token with %s', async (_name, make) => {
    expect((await assume(await make())).status).toBe(200)
  })

  it.each<[string, () => string | Promise<string>, string]>([
    ['what is not a token', () => 'nothing', 'InvalidIdentityToken'],
    ['two parts', async () => (await token()).replace(/\.[^.]*$/, ''), 'InvalidIdentityToken'],
    ['four parts', async () => `${await token()}.e30`, 'InvalidIdentityToken'],
    [
      'a body that is not JSON',
      async () => (await token()).replace(/\.[^.]*/, '.eA'),
      'InvalidIdentityToken',
    ],
    [
      'another body',
      async () => (await token()).replace(/\.[^.]*/, `.${encode({ ...claims, sub: 'x' })}`),
      'InvalidIdentityToken',
    ],
    [
      'the signature of a stranger',
      () => token({}, { alg: 'RS256', kid: 'r1' }, stranger),
      'InvalidIdentityToken',
    ],
    ['an unknown kid', () => token({}, { alg: 'RS256', kid: 'r2' }), 'InvalidIdentityToken'],
    ['no algorithm', () => token({}, { alg: 'none', kid: 'r1' }), 'InvalidIdentityToken'],
    [
      'a key for another algorithm',
      () => token({}, { alg: 'ES256', kid: 'r1' }, rsaKey),
      'InvalidIdentityToken',
    ],
    [
      'an empty signature',
      async () => (await token()).replace(/[^.]*$/, ''),
      'InvalidIdentityToken',
    ],
    ['an unknown issuer', () => token({ iss: 'https://evil.example' }), 'InvalidIdentityToken'],
    [
      'the issuer of other keys',
      () => token({ iss: 'https://other.example.test' }),
      'InvalidIdentityToken',
    ],
    ['another audience', () => token({ aud: 'else' }), 'InvalidIdentityToken'],
    ['no audience', () => token({ aud: undefined }), 'InvalidIdentityToken'],
    ['no subject', () => token({ sub: undefined }), 'InvalidIdentityToken'],
    ['no end', () => token({ exp: undefined }), 'InvalidIdentityToken'],
    ['no beginning', () => token({ iat: undefined }), 'InvalidIdentityToken'],
    ['a beginning in an hour', () => token({ nbf: NOW_SECONDS + 3_600 }), 'InvalidIdentityToken'],
    ['an end that is now', () => token({ exp: NOW_SECONDS }), 'ExpiredTokenException'],
    ['too little text', () => 'abc', 'ValidationError'],
  ])('refuses %s', async (_name, make, error) => {
    expect(await assume(await make())).toMatchObject({ status: 400, error })
  })

  it.each([
    ['pod', {}, undefined],
    ['pod', { sub: 'other' }, 'AccessDenied'],
    ['second', {}, 'AccessDenied'],
    ['second', { aud: 'second' }, undefined],
    ['elsewhere', {}, 'AccessDenied'],
    ['users', {}, 'AccessDenied'],
    ['none', {}, 'AccessDenied'],
  ])('asks the trust policy of %s about %j', async (name, change, error) => {
    expect((await assume(await token(change), name)).error).toBe(error)
  })

  it.each([[{ DurationSeconds: '899' }], [{ DurationSeconds: '3601' }], [{ RoleSessionName: '' }]])(
    'refuses %j',
    async (more) => {
      const answer = await assume(await token(), 'any', more)
      expect(answer).toMatchObject({ status: 400, error: 'ValidationError' })
    },
  )
})
