import { inspect } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { encodeBase64Url, encodeUtf8 } from '../../../../src/bytes/index.ts'
import { isKmsError } from '../../../../src/errors.ts'
import {
  assumeRoleWithWebIdentity,
  type AwsCredentialSource,
  createAwsKms,
} from '../../../../src/providers/aws-kms/index.ts'
import { createFakeAws } from '../../../../adapters/fakes/index.ts'
import { type Answer, codeOf, START_MS, testPorts, type TestPorts, turn } from './ports.ts'

const HOUR_MS = 3_600_000
const region = 'us-east-1'
const roleArn = 'arn:aws:iam::111122223333:role/pod'
const issuer = 'https://issuer.example.test'
const p256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const context = { 'edge-kms:dk': 'salt.1' }

let pair: CryptoKeyPair
beforeAll(async () => {
  pair = await crypto.subtle.generateKey(p256, true, ['sign', 'verify'])
})

/** A token of the issuer, which lives for 10 minutes. */
async function newToken(nowMs: number, claims: object = {}): Promise<string> {
  const iat = Math.floor(nowMs / 1_000)
  const all = { iss: issuer, sub: 'pod', aud: 'sts.amazonaws.com', iat, exp: iat + 600, ...claims }
  const text = [{ alg: 'ES256' }, all]
    .map((part) => encodeBase64Url(encodeUtf8(JSON.stringify(part))))
    .join('.')
  const signature = await crypto.subtle.sign(p256, pair.privateKey, encodeUtf8(text))
  return `${text}.${encodeBase64Url(new Uint8Array(signature))}`
}

function sourceOver(
  answer: Answer,
  token: () => Promise<string>,
): [AwsCredentialSource, TestPorts] {
  const ports = testPorts(answer)
  const { runtime, network } = ports
  return [assumeRoleWithWebIdentity({ region, roleArn, token, runtime, network }), ports]
}

describe('web identity: against a server that checks tokens', () => {
  async function setUp() {
    const keys = [await crypto.subtle.exportKey('jwk', pair.publicKey)]
    const tokens: string[] = []
    const next = { claims: {} }
    const [source, ports] = sourceOver(
      ({ url, method, headers, body }) => fake.fetch(new Request(url, { method, headers, body })),
      async () => {
        const token = await newToken(ports.runtime.now(), next.claims)
        tokens.push(token)
        return token
      },
    )
    const fake = createFakeAws({
      now: () => ports.runtime.now(),
      keys: [{ alias: 'alias/app' }],
      identityProviders: [{ issuer, audiences: ['sts.amazonaws.com'], keys }],
      roles: [{ arn: roleArn, trust: { webIdentity: { issuer, subject: 'pod' } } }],
    })
    const { runtime, network } = ports
    const kms = createAwsKms({ keyId: 'alias/app', region, credentials: source, runtime, network })
    return { fake, kms, ports, source, tokens, next }
  }

  it('a new token is read for every refresh, though the first would have expired', async () => {
    const { fake, kms, ports, tokens } = await setUp()
    await kms.generateDataKey({ context })
    await kms.generateDataKey({ context })
    expect([tokens.length, fake.count('AssumeRoleWithWebIdentity')]).toEqual([1, 1])
    ports.advance(HOUR_MS - 300_000)
    await kms.generateDataKey({ context })
    expect([tokens.length, fake.count('AssumeRoleWithWebIdentity')]).toEqual([2, 2])
    expect(tokens[1]).not.toBe(tokens[0])
    expect(fake.calls.at(-1)?.caller).toBe('arn:aws:sts::111122223333:assumed-role/pod/edge-kms')
  })

  it('R12 the token goes in the body alone, unsigned', async () => {
    const { ports, source, tokens } = await setUp()
    await source.get({})
    const [request] = ports.sent
    expect(request?.url).toBe('https://sts.us-east-1.amazonaws.com/')
    expect(new URLSearchParams(request?.body).get('WebIdentityToken')).toBe(tokens[0])
    expect([...(request?.headers.keys() ?? [])].sort()).toEqual(['accept', 'content-type'])
  })

  it.each([
    [
      'an expired token',
      { exp: START_MS / 1_000 - 1 },
      'ExpiredTokenException',
      'ERR_KMS_UNAUTHENTICATED',
    ],
    ['another audience', { aud: 'other' }, 'InvalidIdentityToken', 'ERR_KMS_UNAUTHENTICATED'],
    [
      'another issuer',
      { iss: 'https://x.example' },
      'InvalidIdentityToken',
      'ERR_KMS_UNAUTHENTICATED',
    ],
    ['another subject', { sub: 'canary' }, 'AccessDenied', 'ERR_KMS_ACCESS_DENIED'],
  ])('%s is the error of STS, asked once', async (_what, claims, name, code) => {
    const { fake, source, next, tokens } = await setUp()
    next.claims = claims
    const error: unknown = await source.get({}).catch((caught: unknown) => caught)
    expect(error).toMatchObject({
      code,
      provider: 'aws-sts',
      operation: 'AssumeRoleWithWebIdentity',
    })
    expect(fake.calls.map((call) => call.error)).toEqual([name])
    expect(inspect(error)).not.toContain(tokens[0])
  })

  it('R22 credentials that KMS calls expired are renewed once, with a new token', async () => {
    const { fake, kms, tokens } = await setUp()
    await kms.generateDataKey({ context })
    fake.forgetCalls()
    fake.clock.advance(2 * HOUR_MS)
    // Tokens of a clock that is two hours behind are expired as well.
    expect(await codeOf(kms.generateDataKey({ context }))).toBe('ERR_KMS_UNAUTHENTICATED')
    expect(fake.count('AssumeRoleWithWebIdentity')).toBe(1)
    expect(tokens).toHaveLength(2)
  })
})

describe('web identity: tokens that are none', () => {
  it.each([
    '',
    'canary',
    'canary.b',
    'canary.b.c.d',
    'canary.b.\nc',
    'can ary.b.c',
    'a.canary=.c',
    '..',
  ])('R12 %j is refused without its value, and nothing is sent', async (token) => {
    const [source, ports] = sourceOver(
      () => Response.json({}),
      () => Promise.resolve(token),
    )
    const error: unknown = await source.get({}).catch((caught: unknown) => caught)
    expect(isKmsError(error, 'ERR_KMS_UNAUTHENTICATED')).toBe(true)
    expect(inspect(error)).not.toContain('canary')
    expect(ports.sent).toEqual([])
  })

  it('one that ends with a line break, as files do, is sent without it', async () => {
    const [source, ports] = sourceOver(
      () => Response.json({}),
      () => Promise.resolve('a.b.c\r\n'),
    )
    await source.get({}).catch(() => undefined)
    expect(new URLSearchParams(ports.sent[0]?.body).get('WebIdentityToken')).toBe('a.b.c')
  })

  it('one that cannot be had is an outage without the words of the error, and is asked for again', async () => {
    let reads = 0
    const [source] = sourceOver(
      () => Response.json({}),
      () => {
        reads += 1
        return Promise.reject(new Error('canary'))
      },
    )
    const error: unknown = await source.get({}).catch((caught: unknown) => caught)
    expect(isKmsError(error, 'ERR_KMS_UNAVAILABLE')).toBe(true)
    expect(inspect(error)).not.toContain('canary')
    expect(await codeOf(source.get({}))).toBe('ERR_KMS_UNAVAILABLE')
    expect(reads).toBe(2)
  })
})

describe('STS answers', () => {
  const members = {
    AccessKeyId: 'ASIA0',
    SecretAccessKey: 'canary-secret',
    SessionToken: 'canary-session',
    Expiration: START_MS / 1_000 + 3_600,
  }
  const inJson = (credentials: unknown) =>
    JSON.stringify({
      AssumeRoleWithWebIdentityResponse: {
        AssumeRoleWithWebIdentityResult: { Credentials: credentials },
      },
    })
  const inXml = (credentials: object, around = '') =>
    `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>${around}<Credentials>${Object.entries(
      credentials,
    )
      .map(([name, value]) => `<${name}>${String(value)}</${name}>`)
      .join(
        '',
      )}</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`
  const iso = { ...members, Expiration: '2026-01-01T01:00:00Z' }
  const ask = (body: string, status = 200) =>
    sourceOver(
      () => new Response(body, { status, headers: { 'x-amzn-requestid': 'r-1' } }),
      () => Promise.resolve('canary.b.c'),
    )[0].get({})

  it.each([
    ['JSON', inJson(members)],
    ['JSON with a time in words', inJson(iso)],
    ['XML', inXml(iso)],
    [
      'XML with credentials in what the caller chose',
      inXml(iso, '<SubjectFromWebIdentityToken>&lt;Credentials&gt;</SubjectFromWebIdentityToken>'),
    ],
  ])('%s', async (_what, body) => {
    expect(await ask(body)).toEqual({
      accessKeyId: 'ASIA0',
      secretAccessKey: 'canary-secret',
      sessionToken: 'canary-session',
      expiresAtMs: START_MS + HOUR_MS,
    })
  })

  const without = (name: string) => ({ ...members, [name]: undefined })
  it.each([
    ['nothing', ''],
    ['HTML', '<html><body>canary</body></html>'],
    ['null', 'null'],
    ['a list', '[]'],
    ['another action', inJson(members).replaceAll('WithWebIdentity', '')],
    ['null inside', '{"AssumeRoleWithWebIdentityResponse":null}'],
    ['text inside', '{"AssumeRoleWithWebIdentityResponse":"canary"}'],
    ['no credentials', inJson(null)],
    ['credentials that are a list', inJson(['canary'])],
    ...Object.keys(members).map((name) => [`no ${name}`, inJson(without(name))]),
    ['a secret that is an object', inJson({ ...members, SecretAccessKey: { a: 'canary' } })],
    ['a time that is none', inJson({ ...members, Expiration: 'canary' })],
    ['an empty time', inJson({ ...members, Expiration: '' })],
    ['a blank time', inJson({ ...members, Expiration: ' ' })],
    ['no end of time', inJson({ ...members, Expiration: 'Infinity' })],
    ['no end of time in XML', inXml({ ...members, Expiration: 'Infinity' })],
    ['a key that would add a header', inJson({ ...members, AccessKeyId: 'canary\r\nx: y' })],
    ['a token that would add a header', inJson({ ...members, SessionToken: 'canary\nx' })],
    ['an empty secret', inJson({ ...members, SecretAccessKey: '' })],
    ['half of the XML', inXml(iso).slice(0, -120)],
    ['XML with an entity', inXml({ ...iso, SecretAccessKey: 'canary&amp;' })],
    ['XML with an element inside', inXml({ ...iso, SecretAccessKey: '<b>canary</b>' })],
    ['XML that names each twice', inXml(iso).replaceAll('Credentials>', 'credentials>')],
    ['a huge body', inJson(members) + ' '.repeat(300_000)],
  ])('R12 %s is a typed error without the body', async (_what, body) => {
    const error: unknown = await ask(body).catch((caught: unknown) => caught)
    expect(isKmsError(error) ? error.code : error).toBe('ERR_KMS_RESPONSE_INVALID')
    expect(inspect(error)).not.toContain('canary')
  })

  it.each([
    [
      '<ErrorResponse><Error><Type>Sender</Type><Code>IDPRejectedClaim</Code><Message>canary</Message></Error></ErrorResponse>',
      403,
      'ERR_KMS_UNAUTHENTICATED',
    ],
    [
      '{"Error":{"Code":"IDPCommunicationError","Message":"canary","Type":"Sender"},"RequestId":"r"}',
      400,
      'ERR_KMS_UNAVAILABLE',
    ],
    ['{"Error":{"Code":"RegionDisabledException","Message":"canary"}}', 403, 'ERR_KMS_CONFIG'],
    ['{"Error":{"Code":"canary 1","Message":"canary"}}', 400, 'ERR_KMS_RESPONSE_INVALID'],
    ['{"Error":"canary"}', 403, 'ERR_KMS_ACCESS_DENIED'],
    ['{"Error":null}', 500, 'ERR_KMS_UNAVAILABLE'],
    ['<html>canary', 502, 'ERR_KMS_UNAVAILABLE'],
    ['\u0000\ufffd', 429, 'ERR_KMS_THROTTLED'],
    ['', 400, 'ERR_KMS_RESPONSE_INVALID'],
  ])('R22 %s with %i is %s', async (body, status, code) => {
    const error: unknown = await ask(body, status).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code, status, requestId: 'r-1', provider: 'aws-sts' })
    expect(inspect(error)).not.toContain('canary')
  })

  it('R21 one that never comes is a timeout, and a redirect is refused', async () => {
    const [hanging, ports] = sourceOver(
      () => new Promise(() => undefined),
      () => Promise.resolve('a.b.c'),
    )
    const work = codeOf(hanging.get({}))
    await turn()
    ports.advance(2_000)
    expect(await work).toBe('ERR_KMS_TIMEOUT')
    const headers = { location: 'https://attacker.example/' }
    const [elsewhere, { sent }] = sourceOver(
      () => new Response(null, { status: 307, headers }),
      () => Promise.resolve('a.b.c'),
    )
    expect(await codeOf(elsewhere.get({}))).toBe('ERR_KMS_RESPONSE_INVALID')
    expect(sent).toHaveLength(1)
  })
})
