import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import {
  createGcpKms,
  type GcpCredentialSource,
  gcpImpersonation,
  gcpMetadataServer,
  gcpWorkloadIdentity,
  gcpWorkloadIdentityFromAws,
} from '../../../../src/providers/gcp-kms/index.ts'
import { context, keyName } from '../../providers/gcp-kms/over.ts'
import {
  type Answer,
  codeOf,
  drain,
  START_MS,
  testPorts,
  type TestPorts,
  turn,
} from '../aws/ports.ts'

const audience =
  '//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/pool/providers/prov'
const serviceAccount = 'app@acme-prod.iam.gserviceaccount.com'
const jwt = 'aGVhZA.Y2FuYXJ5.c2lnbg'
const awsKeys = {
  accessKeyId: 'AKID',
  secretAccessKey: 'canary-aws',
  sessionToken: 'canary-session',
}

type Ports = Pick<TestPorts, 'runtime' | 'network'>
interface Source {
  readonly make: (ports: Ports) => GcpCredentialSource
  readonly answer: (token: string) => Response
}

const oauth = (token: string, more: object = {}) =>
  Response.json({ access_token: token, expires_in: 3_600, token_type: 'Bearer', ...more })
const fromMetadata = (token: string) =>
  Response.json(
    { access_token: token, expires_in: 3_600, token_type: 'Bearer' },
    { headers: { 'metadata-flavor': 'Google' } },
  )

const sources: Readonly<Record<string, Source>> = {
  'the metadata server': {
    make: (ports) => gcpMetadataServer(ports),
    answer: fromMetadata,
  },
  'workload identity': {
    make: (ports) => gcpWorkloadIdentity({ ...ports, audience, token: () => Promise.resolve(jwt) }),
    answer: oauth,
  },
  'workload identity from AWS': {
    make: (ports) =>
      gcpWorkloadIdentityFromAws({
        ...ports,
        audience,
        region: 'eu-central-1',
        credentials: awsKeys,
      }),
    answer: oauth,
  },
  impersonation: {
    make: (ports) =>
      gcpImpersonation({ ...ports, serviceAccount, credentials: { token: 'canary-parent' } }),
    answer: (token) =>
      Response.json({
        accessToken: token,
        expireTime: new Date(START_MS + 3_600_000).toISOString(),
      }),
  },
}
const ALL = Object.keys(sources)
/** No option is taken that nobody knows. */
const only = ({ runtime, network }: Ports): Ports => ({ runtime, network })
const over = (name: string, answer: Answer) => {
  const ports = testPorts(answer)
  return { ports, source: sources[name]!.make(only(ports)) }
}

describe('GCP: what is sent for a token', () => {
  it('to the metadata server', async () => {
    const { ports, source } = over('the metadata server', () => fromMetadata('ya29.a'))
    expect(await source.get({})).toEqual({ token: 'ya29.a', expiresAtMs: START_MS + 3_600_000 })
    const [sent] = ports.sent
    const path = '/computeMetadata/v1/instance/service-accounts/default/token'
    expect(sent?.url).toBe(`http://metadata.google.internal${path}`)
    expect(sent?.headers.get('metadata-flavor')).toBe('Google')
  })

  it('to STS with an OIDC token', async () => {
    const { ports, source } = over('workload identity', () => oauth('ya29.a'))
    expect((await source.get({})).token).toBe('ya29.a')
    const [sent] = ports.sent
    expect([sent?.url, sent?.headers.has('authorization')]).toEqual([
      'https://sts.googleapis.com/v1/token',
      false,
    ])
    expect(Object.fromEntries(new URLSearchParams(sent?.body))).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      audience,
      scope: 'https://www.googleapis.com/auth/cloud-platform',
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      subject_token: jwt,
    })
  })

  it('to STS with a signed GetCallerIdentity that is for this pool only', async () => {
    const { ports, source } = over('workload identity from AWS', () => oauth('ya29.a'))
    await source.get({})
    const form = new URLSearchParams(ports.sent[0]?.body)
    expect(form.get('subject_token_type')).toBe('urn:ietf:params:aws:token-type:aws4_request')
    const call = JSON.parse(decodeURIComponent(form.get('subject_token') ?? '')) as {
      url: string
      method: string
      headers: { key: string; value: string }[]
    }
    const headers = Object.fromEntries(call.headers.map(({ key, value }) => [key, value]))
    expect([call.method, call.url]).toEqual([
      'POST',
      'https://sts.eu-central-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15',
    ])
    expect(headers).toMatchObject({
      host: 'sts.eu-central-1.amazonaws.com',
      'x-goog-cloud-target-resource': audience,
      'x-amz-date': '20260101T000000Z',
      'x-amz-security-token': 'canary-session',
    })
    expect(headers['authorization']).toMatch(
      /SignedHeaders=host;x-amz-date;x-amz-security-token;x-goog-cloud-target-resource,/,
    )
  })

  it('to IAM Credentials to become a service account', async () => {
    const ports = testPorts(() => sources['impersonation']!.answer('ya29.a'))
    const source = gcpImpersonation({
      serviceAccount,
      credentials: { token: 'ya29.parent' },
      scopes: ['https://www.googleapis.com/auth/cloudkms'],
      lifetimeSeconds: 900,
      delegates: ['step@acme-prod.iam.gserviceaccount.com'],
      runtime: ports.runtime,
      network: ports.network,
    })
    expect(await source.get({})).toEqual({ token: 'ya29.a', expiresAtMs: START_MS + 3_600_000 })
    const [sent] = ports.sent
    expect(sent?.url).toBe(
      `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${serviceAccount}:generateAccessToken`,
    )
    expect(sent?.headers.get('authorization')).toBe('Bearer ya29.parent')
    expect(JSON.parse(sent?.body ?? '')).toEqual({
      scope: ['https://www.googleapis.com/auth/cloudkms'],
      lifetime: '900s',
      delegates: ['projects/-/serviceAccounts/step@acme-prod.iam.gserviceaccount.com'],
    })
  })
})

describe('GCP: tokens are kept and renewed', () => {
  it.each(ALL)('%s: one request for many, and again ahead of the end', async (name) => {
    const { ports, source } = over(name, (_, n) => sources[name]!.answer(`ya29.${String(n)}`))
    const tokens = await Promise.all([source.get({}), source.get({})])
    expect([tokens[0], ports.sent.length]).toEqual([tokens[1], 1])
    ports.advance(3_299_999)
    expect((await source.get({})).token).toBe('ya29.0')
    ports.advance(1)
    expect((await source.get({})).token).toBe('ya29.1')
  })

  it.each(ALL)('R22 %s: a refused token is renewed once within a call', async (name) => {
    let tokens = 0
    const ports = testPorts(({ url }) =>
      url.includes('cloudkms')
        ? Response.json({}, { status: 401 })
        : sources[name]!.answer(`ya29.${String((tokens += 1))}`),
    )
    const { runtime, network } = ports
    const credentials = sources[name]!.make(only(ports))
    const kms = createGcpKms({ keyName, credentials, runtime, network })
    expect(await codeOf(kms.generateDataKey({ context }))).toBe('ERR_KMS_UNAUTHENTICATED')
    const sent = ports.sent.filter(({ url }) => url.includes('cloudkms'))
    expect(sent.map(({ headers }) => headers.get('authorization'))).toEqual([
      'Bearer ya29.1',
      'Bearer ya29.2',
    ])
  })

  it('R22 AWS: a clock that is off is corrected once by the answer’s Date', async () => {
    const serverMs = START_MS + 1_200_000
    const headers = { date: new Date(serverMs).toUTCString() }
    const { ports, source } = over('workload identity from AWS', ({ body }) =>
      new URLSearchParams(body).get('subject_token')?.includes('20260101T002000Z')
        ? Response.json(
            { access_token: 'ya29.a', expires_in: 60, token_type: 'Bearer' },
            { headers },
          )
        : Response.json({ error: 'invalid_grant' }, { status: 400, headers }),
    )
    expect([(await source.get({})).token, ports.sent.length]).toEqual(['ya29.a', 2])
  })

  it('AWS: a clock that is a year off is not corrected', async () => {
    const headers = { date: new Date(START_MS + 365 * 86_400_000).toUTCString() }
    const answer: Answer = () => Response.json({ error: 'invalid_grant' }, { status: 400, headers })
    const { ports, source } = over('workload identity from AWS', answer)
    expect(await codeOf(source.get({}))).toBe('ERR_KMS_UNAUTHENTICATED')
    expect(ports.sent).toHaveLength(1)
  })
})

/** Each wrong answer of a token endpoint, and what the caller sees. */
const wrong: readonly (readonly [string, () => Response, string])[] = [
  ['HTML', () => new Response('<html>canary', { headers: flavor }), 'ERR_KMS_RESPONSE_INVALID'],
  ['no token', () => Response.json({ canary: 1 }, { headers: flavor }), 'ERR_KMS_RESPONSE_INVALID'],
  ['a redirect', () => new Response(null, { status: 302 }), 'ERR_KMS_RESPONSE_INVALID'],
  ['401', () => Response.json({}, { status: 401, headers: flavor }), 'ERR_KMS_UNAUTHENTICATED'],
  ['403', () => Response.json({}, { status: 403, headers: flavor }), 'ERR_KMS_ACCESS_DENIED'],
  ['429', () => Response.json({}, { status: 429, headers: flavor }), 'ERR_KMS_THROTTLED'],
  ['503', () => new Response('canary', { status: 503, headers: flavor }), 'ERR_KMS_UNAVAILABLE'],
  [
    'a body that is too long',
    () => new Response(' '.repeat(262_145), { headers: flavor }),
    'ERR_KMS_RESPONSE_INVALID',
  ],
]
const flavor = { 'metadata-flavor': 'Google' }

describe('R9 R12 GCP: answers of token endpoints', () => {
  const rows = ALL.flatMap((name) =>
    wrong.map(([what, answer, code]) => [name, what, answer, code] as const),
  )

  it.each(rows)('%s: %s', async (name, _what, answer, code) => {
    const { source, ports } = over(name, answer)
    const failed = source.get({}).catch((caught: unknown) => caught)
    if (name === 'the metadata server') await drain(ports)
    const error: unknown = await failed
    expect(await codeOf(Promise.reject(error as Error))).toBe(code)
    const shown = inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error)
    expect(shown).not.toMatch(/canary|Y2FuYXJ5/)
  })

  const oauthOnly = ['the metadata server', 'workload identity', 'workload identity from AWS']
  it.each<[string, object]>([
    ['a token with a line break', { access_token: 'a\r\nx: y' }],
    ['an empty token', { access_token: '' }],
    ['another kind of token', { token_type: 'mac' }],
    ['no kind', { token_type: undefined }],
    ['no life', { expires_in: undefined }],
    ['life as text', { expires_in: '3600' }],
    ['life 0', { expires_in: 0 }],
    ['life without an end', { expires_in: 1e300 }],
  ])('%s is refused', async (_what, change) => {
    const body = { access_token: 'ya29.a', expires_in: 3_600, token_type: 'Bearer', ...change }
    for (const name of oauthOnly) {
      const { source } = over(name, () => Response.json(body, { headers: flavor }))
      expect(await codeOf(source.get({}))).toBe('ERR_KMS_RESPONSE_INVALID')
    }
  })

  it.each<[object]>([
    [{ accessToken: 'a b', expireTime: '2026-01-01T01:00:00Z' }],
    [{ accessToken: 'ya29.a', expireTime: 'soon' }],
    [{ accessToken: 'ya29.a' }],
  ])('impersonation: %j is refused', async (body) => {
    const { source } = over('impersonation', () => Response.json(body))
    expect(await codeOf(source.get({}))).toBe('ERR_KMS_RESPONSE_INVALID')
  })

  it('what answers in the name of the metadata server must say that it is one', async () => {
    const { source } = over('the metadata server', () => oauth('ya29.a'))
    expect(await codeOf(source.get({}))).toBe('ERR_KMS_RESPONSE_INVALID')
  })

  it.each([
    ['invalid_grant', 'ERR_KMS_UNAUTHENTICATED'],
    ['invalid_client', 'ERR_KMS_UNAUTHENTICATED'],
    ['unauthorized_client', 'ERR_KMS_UNAUTHENTICATED'],
    ['access_denied', 'ERR_KMS_ACCESS_DENIED'],
    ['invalid_request', 'ERR_KMS_CONFIG'],
    ['invalid_scope', 'ERR_KMS_CONFIG'],
    ['invalid_target', 'ERR_KMS_CONFIG'],
    ['unsupported_grant_type', 'ERR_KMS_CONFIG'],
    ['server_error', 'ERR_KMS_UNAVAILABLE'],
    ['temporarily_unavailable', 'ERR_KMS_UNAVAILABLE'],
    ['constructor', 'ERR_KMS_RESPONSE_INVALID'],
    ['canary', 'ERR_KMS_RESPONSE_INVALID'],
  ])('R22 %s is %s', async (error, code) => {
    const body = { error, error_description: 'canary' }
    const { source } = over('workload identity', () => Response.json(body, { status: 400 }))
    const caught: unknown = await source.get({}).catch((one: unknown) => one)
    expect(await codeOf(Promise.reject(caught as Error))).toBe(code)
    expect(inspect(caught, { depth: 9 })).not.toContain('canary')
  })

  it.each(['', 'a.b', 'a.b.c.d', 'a.b.\nc', '{"canary":1}'])(
    'a token that is not a JWT is not sent: %j',
    async (token) => {
      const ports = testPorts(() => oauth('ya29.a'))
      const options = { ...only(ports), audience, token: () => Promise.resolve(token) }
      const error: unknown = await gcpWorkloadIdentity(options)
        .get({})
        .catch((caught: unknown) => caught)
      expect(await codeOf(Promise.reject(error as Error))).toBe('ERR_KMS_UNAUTHENTICATED')
      expect([ports.sent.length, inspect(error).includes('canary')]).toEqual([0, false])
    },
  )
})

describe('R22 GCP: the metadata server of a pod in its first seconds', () => {
  const bare = (status: number) => () => new Response('not ready', { status })

  it.each([404, 429, 500, 503])('%i without Metadata-Flavor is asked again', async (status) => {
    const ports = testPorts((request, n) =>
      n < 2 ? bare(status)() : fromMetadata(`ya29.${request.method}`),
    )
    const work = gcpMetadataServer(only(ports)).get({})
    await drain(ports)
    expect((await work).token).toBe('ya29.GET')
    expect(ports.sent).toHaveLength(3)
  })

  it.each([
    [404, 'ERR_KMS_UNAVAILABLE'],
    [429, 'ERR_KMS_THROTTLED'],
    [503, 'ERR_KMS_UNAVAILABLE'],
  ])('%i is %s after four requests, and can be retried', async (status, code) => {
    const ports = testPorts(bare(status))
    const failed: Promise<unknown> = gcpMetadataServer(only(ports))
      .get({})
      .catch((e: unknown) => e)
    await drain(ports)
    expect(await failed).toMatchObject({ code, status, retryable: true })
    expect(ports.sent).toHaveLength(4)
  })

  it.each([200, 403])(
    '%i without Metadata-Flavor is final: it is another server',
    async (status) => {
      const ports = testPorts(() => Response.json({ access_token: 'canary' }, { status }))
      expect(await codeOf(gcpMetadataServer(only(ports)).get({}))).toBe('ERR_KMS_RESPONSE_INVALID')
      expect(ports.sent).toHaveLength(1)
    },
  )

  it('waits 5 s for one answer', async () => {
    const ports = testPorts((_request, n) =>
      n === 0 ? new Promise(() => undefined) : fromMetadata('ya29.a'),
    )
    const work = gcpMetadataServer(only(ports)).get({})
    await turn()
    ports.advance(4_999)
    await turn()
    expect(ports.sent).toHaveLength(1)
    await drain(ports)
    expect((await work).token).toBe('ya29.a')
  })
})

describe('R9 GCP: configuration of sources', () => {
  const token = () => Promise.resolve(jwt)
  it.each<[string, () => unknown]>([
    ['another metadata server', () => gcpMetadataServer({ host: 'metadata.example' })],
    ['one with a path', () => gcpMetadataServer({ host: '127.0.0.1/x' })],
    ['one with a user', () => gcpMetadataServer({ host: 'a@127.0.0.1' })],
    ['a service account in another folder', () => gcpMetadataServer({ serviceAccount: '../x' })],
    ['a service account that is a folder', () => gcpMetadataServer({ serviceAccount: '..' })],
    ['another audience', () => gcpWorkloadIdentity({ audience: 'https://a.example', token })],
    [
      'an audience with more behind it',
      () => gcpWorkloadIdentity({ audience: `${audience}/x`, token }),
    ],
    ['plain http', () => gcpWorkloadIdentity({ audience, token, endpoint: 'http://127.0.0.1:1' })],
    [
      'no Region',
      () => gcpWorkloadIdentityFromAws({ audience, region: 'x/y', credentials: awsKeys }),
    ],
    [
      'no e-mail address',
      () => gcpImpersonation({ serviceAccount: 'a/b@c', credentials: { token: 'a' } }),
    ],
    [
      'a life of 59 seconds',
      () => gcpImpersonation({ serviceAccount, credentials: { token: 'a' }, lifetimeSeconds: 59 }),
    ],
    [
      'plain http',
      () =>
        gcpImpersonation({
          serviceAccount,
          credentials: { token: 'a' },
          endpoint: 'http://kms.example',
        }),
    ],
  ])('refuses %s', async (_what, make) => {
    expect(await codeOf(make)).toBe('ERR_KMS_CONFIG')
  })

  it('takes what is on this machine', async () => {
    const ports = testPorts(() => fromMetadata('ya29.a'))
    await gcpMetadataServer({ ...only(ports), host: '127.0.0.1:8080' }).get({})
    expect(ports.sent[0]?.url).toMatch(/^http:\/\/127\.0\.0\.1:8080\/computeMetadata/)
  })
})
