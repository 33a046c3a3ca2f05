import { describe, expect, it } from 'vitest'
import { isKmsError, type KmsErrorCode } from '../../../../src/errors.ts'
import {
  containerCredentials,
  type ContainerCredentialsOptions,
} from '../../../../src/providers/aws-kms/index.ts'
import { type Answer, codeOf, drain, START_MS, testPorts, type TestPorts, turn } from './ports.ts'

const HOUR_MS = 3_600_000
const fullUri = 'http://169.254.170.23/v1/credentials'
const authorizationToken = 'canary-token'

const members = {
  AccessKeyId: 'ASIA0',
  SecretAccessKey: 'canary-secret',
  Token: 'canary-session',
  Expiration: new Date(START_MS + HOUR_MS).toISOString(),
}

function setUp(answer: Answer, options: ContainerCredentialsOptions = { fullUri }) {
  const ports = testPorts(answer)
  return { ports, source: containerCredentials({ ...options, ...portsOf(ports) }) }
}

const portsOf = ({ runtime, network }: TestPorts) => ({ runtime, network })

describe('R9 container credentials: where they are asked for', () => {
  it.each([
    ['http://169.254.170.2/v2/credentials/1'],
    ['http://169.254.170.23/v1/credentials'],
    ['http://[fd00:ec2::23]/v1/credentials'],
    ['http://localhost:1234/'],
    ['http://127.0.0.1:9001/x'],
    ['http://[::1]/x'],
    ['https://broker.example.test/credentials?for=app'],
  ])('%s', async (uri) => {
    const { ports, source } = setUp(() => Response.json(members), { fullUri: uri })
    await source.get({})
    expect(ports.sent).toMatchObject([{ url: uri, method: 'GET', body: '' }])
  })

  it('a relative URI is a path on the fixed address of ECS', async () => {
    const options = { relativeUri: '/v2/credentials/0f9b-1' }
    const { ports, source } = setUp(() => Response.json(members), options)
    await source.get({})
    expect(ports.sent[0]?.url).toBe('http://169.254.170.2/v2/credentials/0f9b-1')
  })

  it.each([
    {},
    { fullUri, relativeUri: '/v2' },
    { fullUri: '' },
    { fullUri: 'not a url' },
    { fullUri: 'http://attacker.example/' },
    { fullUri: 'http://169.254.169.254/latest/meta-data/' },
    { fullUri: 'http://169.254.170.2.attacker.example/' },
    { fullUri: 'http://169.254.170.230/' },
    { fullUri: 'http://169.254.170.20/' },
    { fullUri: 'http://169.254.170-23/' },
    { fullUri: 'http://169.254.170-2/' },
    { fullUri: 'http://127.0.0.1.attacker.example/' },
    { fullUri: 'http://127.0.0.1@attacker.example/' },
    { fullUri: 'http://localhost.attacker.example/' },
    { fullUri: 'https://user@broker.example.test/' },
    { fullUri: 'https://:password@broker.example.test/' },
    { fullUri: 'file:///etc/passwd' },
    { fullUri: 'ftp://127.0.0.1/' },
    { relativeUri: '' },
    { relativeUri: 'v2/credentials' },
    { relativeUri: '@attacker.example/' },
    { relativeUri: ':80@attacker.example/' },
    { relativeUri: '.attacker.example/' },
    { relativeUri: '/v2?x=1\n' },
    { relativeUri: '/v2#x' },
    { relativeUri: '/v2\r\nhost: attacker.example' },
  ])('refuses %o, and asks nobody', async (options) => {
    const ports = testPorts()
    const create = () => containerCredentials({ ...options, ...portsOf(ports) })
    expect(await codeOf(create)).toBe('ERR_KMS_CONFIG')
    expect(ports.sent).toEqual([])
  })
})

describe('container credentials: what is sent and held', () => {
  it('no token, no Authorization', async () => {
    const { ports, source } = setUp(() => Response.json(members))
    expect(await source.get({})).toEqual({
      accessKeyId: 'ASIA0',
      secretAccessKey: 'canary-secret',
      sessionToken: 'canary-session',
      expiresAtMs: START_MS + HOUR_MS,
    })
    expect(ports.sent[0]?.headers.has('authorization')).toBe(false)
  })

  it('the token is read anew at each refresh, and in the header alone', async () => {
    let reads = 0
    const options = {
      fullUri,
      authorizationToken: () => Promise.resolve(`canary-${String((reads += 1))}\n`),
    }
    const { ports, source } = setUp((_request, n) => {
      const Expiration = new Date(START_MS + (n + 1) * HOUR_MS).toISOString()
      return Response.json({ ...members, AccessKeyId: `ASIA${String(n)}`, Expiration })
    }, options)
    expect((await source.get({})).accessKeyId).toBe('ASIA0')
    await source.get({})
    ports.advance(HOUR_MS)
    expect((await source.get({})).accessKeyId).toBe('ASIA1')
    const tokens = ports.sent.map(({ headers }) => headers.get('authorization'))
    expect(tokens).toEqual(['canary-1', 'canary-2'])
    expect(ports.sent.map(({ url }) => url)).toEqual([fullUri, fullUri])
  })

  it.each(['canary\r\nx-other: 1', 'canary\u00e9', '', ' \n'])(
    'R12 the token %j is refused without its value, and nothing is sent',
    async (token) => {
      const options = { fullUri, authorizationToken: token }
      const { ports, source } = setUp(() => Response.json(members), options)
      const error: unknown = await source.get({}).catch((caught: unknown) => caught)
      expect(isKmsError(error, 'ERR_KMS_CONFIG')).toBe(true)
      expect(JSON.stringify(error)).not.toContain('canary')
      expect(ports.sent).toEqual([])
    },
  )

  it('a token that cannot be read is an outage, without the words of the error', async () => {
    const options = { fullUri, authorizationToken: () => Promise.reject(new Error('canary')) }
    const { ports, source } = setUp(() => Response.json(members), options)
    const failed: Promise<unknown> = source.get({}).catch((caught: unknown) => caught)
    await drain(ports)
    expect(isKmsError(await failed, 'ERR_KMS_UNAVAILABLE')).toBe(true)
    expect(JSON.stringify(await failed)).not.toContain('canary')
    expect(ports.sent).toEqual([])
  })
})

describe('R22 container credentials: answers', () => {
  type Row = readonly [what: string, body: string, status: number, code: KmsErrorCode]
  const text = (body: string, status = 200) => [body, status] as const
  const rows: readonly Row[] = [
    ['no JSON', ...text('<html>'), 'ERR_KMS_RESPONSE_INVALID'],
    ['an empty body', ...text(''), 'ERR_KMS_RESPONSE_INVALID'],
    ['null', ...text('null'), 'ERR_KMS_RESPONSE_INVALID'],
    ['a string', ...text('"canary"'), 'ERR_KMS_RESPONSE_INVALID'],
    ['a list', ...text('["canary"]'), 'ERR_KMS_RESPONSE_INVALID'],
    ['half a body', ...text(JSON.stringify(members).slice(0, 40)), 'ERR_KMS_RESPONSE_INVALID'],
    ['no members', ...text('{}'), 'ERR_KMS_RESPONSE_INVALID'],
    ...Object.keys(members).map(
      (name) =>
        [
          `no ${name}`,
          ...text(JSON.stringify({ ...members, [name]: undefined })),
          'ERR_KMS_RESPONSE_INVALID',
        ] satisfies Row,
    ),
    [
      'a time that is none',
      ...text(JSON.stringify({ ...members, Expiration: 'canary' })),
      'ERR_KMS_RESPONSE_INVALID',
    ],
    [
      'a secret that is a number',
      ...text(JSON.stringify({ ...members, SecretAccessKey: 7 })),
      'ERR_KMS_RESPONSE_INVALID',
    ],
    [
      'a key that would add a header',
      ...text(JSON.stringify({ ...members, AccessKeyId: 'canary\r\nx: y' })),
      'ERR_KMS_RESPONSE_INVALID',
    ],
    [
      'an empty secret',
      ...text(JSON.stringify({ ...members, SecretAccessKey: '' })),
      'ERR_KMS_RESPONSE_INVALID',
    ],
    ['status 400', ...text('{"code":"canary"}', 400), 'ERR_KMS_CONFIG'],
    ['status 401', ...text('{}', 401), 'ERR_KMS_UNAUTHENTICATED'],
    ['status 403', ...text('canary', 403), 'ERR_KMS_UNAUTHENTICATED'],
    ['status 404', ...text('canary', 404), 'ERR_KMS_CONFIG'],
    ['status 201', ...text(JSON.stringify(members), 201), 'ERR_KMS_RESPONSE_INVALID'],
    ['a huge body', ...text(' '.repeat(300_000)), 'ERR_KMS_RESPONSE_INVALID'],
  ]
  it.each(rows)('%s', async (_what, body, status, code) => {
    const { source } = setUp(() => new Response(body, { status }), { fullUri, authorizationToken })
    const error: unknown = await source.get({}).catch((caught: unknown) => caught)
    expect(isKmsError(error) ? error.code : error).toBe(code)
    expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain('canary')
  })

  it.each([301, 302, 307, 308])('redirect %i is refused and not followed', async (status) => {
    const { ports, source } = setUp(
      () => new Response(null, { status, headers: { location: 'http://attacker.example/' } }),
      { fullUri, authorizationToken },
    )
    expect(await codeOf(source.get({}))).toBe('ERR_KMS_RESPONSE_INVALID')
    expect(ports.sent).toHaveLength(1)
  })

  it.each<[number, KmsErrorCode]>([
    [429, 'ERR_KMS_THROTTLED'],
    [500, 'ERR_KMS_UNAVAILABLE'],
    [503, 'ERR_KMS_UNAVAILABLE'],
  ])('status %i is asked again, four times at most', async (status, code) => {
    const { ports, source } = setUp(() => new Response('canary', { status }))
    const failed = codeOf(source.get({}))
    await drain(ports)
    expect(await failed).toBe(code)
    expect(ports.sent).toHaveLength(4)
  })

  it('one that is not ready in the first seconds serves when it is', async () => {
    const { ports, source } = setUp((_request, n) =>
      n < 2 ? new Response('', { status: 503 }) : Response.json(members),
    )
    const work = source.get({})
    await drain(ports)
    expect((await work).accessKeyId).toBe('ASIA0')
  })

  it('a relative URI may have a query, as that of ECS Anywhere', async () => {
    const { ports, source } = setUp(() => Response.json(members), {
      relativeUri: '/v2/credentials?id=0f9b-1',
    })
    await source.get({})
    expect(ports.sent[0]?.url).toBe('http://169.254.170.2/v2/credentials?id=0f9b-1')
  })

  it('R21 one request that never comes is given up after 5 s', async () => {
    const { ports, source } = setUp((_request, n) =>
      n === 0 ? new Promise(() => undefined) : Response.json(members),
    )
    const work = source.get({})
    await turn()
    ports.advance(4_999)
    await turn()
    expect(ports.sent).toHaveLength(1)
    ports.advance(1)
    await drain(ports)
    expect((await work).accessKeyId).toBe('ASIA0')
  })

  it('R21 an endpoint that never answers ends after 30 s', async () => {
    const { ports, source } = setUp(() => new Promise(() => undefined))
    const work = codeOf(source.get({}))
    for (let second = 0; second < 30; second++) {
      await turn()
      ports.advance(1_000)
    }
    expect(await work).toBe('ERR_KMS_TIMEOUT')
    await turn()
    expect(ports.waiting).toBe(0)
  })
})
