import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { encodeBase64, encodeBase64Url, encodeUtf8 } from '../../../../src/bytes/index.ts'
import { EnvelopeCipher, isKmsError } from '../../../../src/index.ts'
import {
  assumeRole,
  assumeRoleWithWebIdentity,
  type AwsCredentialsOption,
  containerCredentials,
  createAwsKms,
} from '../../../../src/providers/aws-kms/index.ts'
import {
  type Answer,
  START_MS,
  testPorts,
  type TestPorts,
  whilePausesPass,
} from '../../credentials/aws/ports.ts'

const keyId = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
const region = 'us-east-1'
const roleArn = 'arn:aws:iam::111122223333:role/app'
const context = { tenant: 'acme' }

/** Secrets that must never show, each a word of its own. */
const CANARY = {
  secret: 'canarySecretAccessKey/0123456789+abcdef',
  token: 'canarySessionToken0123456789',
  roleSecret: 'canaryRoleSecret0123456789',
  roleToken: 'canaryRoleToken0123456789',
  header: 'canaryContainerToken0123456789',
  jwt: 'canaryHead.canaryClaims.canarySignature',
  dek: encodeUtf8('canaryDataKeyOf32Bytes0123456789'),
  plaintext: 'canaryPlaintext0123456789',
  aad: 'canaryAad0123456789',
}
const words = [
  ...Object.values(CANARY).filter((one) => typeof one === 'string'),
  encodeBase64(CANARY.dek).slice(0, 40),
  encodeBase64Url(CANARY.dek).slice(0, 40),
  Buffer.from(CANARY.dek).toString('hex'),
  [...CANARY.dek].join(', '),
  [...CANARY.dek].join(),
]
/** The canaries that a text holds. */
const found = (text: string) => [
  ...words.filter((word) => text.includes(word)),
  ...(/canary/i.test(text) ? ['canary'] : []),
]

const seen: string[] = []
const look = (...values: readonly unknown[]) => {
  for (const value of values) {
    seen.push(inspect(value, { depth: 12, showHidden: true, getters: true }), String(value))
    seen.push(JSON.stringify(value) ?? '')
  }
}
beforeEach(() => {
  seen.length = 0
  for (const name of ['log', 'error', 'warn', 'info', 'debug', 'trace'] as const)
    vi.spyOn(console, name).mockImplementation((...values: unknown[]) => {
      look(...values)
    })
})
afterEach(() => {
  vi.restoreAllMocks()
})

const credentialsBlock = {
  AccessKeyId: 'ASIA0',
  SecretAccessKey: CANARY.roleSecret,
  SessionToken: CANARY.roleToken,
  Expiration: START_MS / 1_000 + 3_600,
}

/** A server that answers everything right. */
const healthy: Answer = ({ url, body, headers }) => {
  if (url.startsWith('http:')) {
    const { SessionToken: Token, ...rest } = credentialsBlock
    return Response.json({ ...rest, Token, Expiration: '2026-01-01T01:00:00Z' })
  }
  const action = /^Action=(\w+)/.exec(body)?.[1]
  if (action !== undefined) {
    const result = { [`${action}Result`]: { Credentials: credentialsBlock } }
    return Response.json({ [`${action}Response`]: result })
  }
  const CiphertextBlob = encodeBase64(new Uint8Array(180).fill(7))
  const Plaintext = encodeBase64(CANARY.dek)
  const decrypts = headers.get('x-amz-target') === 'TrentService.Decrypt'
  return Response.json({ KeyId: keyId, Plaintext, ...(!decrypts && { CiphertextBlob }) })
}

const echo = (request: Parameters<Answer>[0]) => `${request.body} ${inspect([...request.headers])}`
/** Servers that are not well, and say what they were sent. */
const sick: Readonly<Record<string, Answer>> = {
  'an error with all that was sent': (request) =>
    Response.json({ __type: 'AccessDeniedException', message: echo(request) }, { status: 400 }),
  'a name that is what was sent': (request) =>
    new Response('{}', {
      status: 400,
      headers: { 'x-amzn-errortype': request.headers.get('x-amz-security-token') ?? 'x' },
    }),
  'a request id that is what was sent': (request) =>
    new Response(echo(request), {
      status: 500,
      headers: { 'x-amzn-requestid': `${echo(request).slice(0, 60)} <` },
    }),
  'a page with all that was sent': (request) => new Response(echo(request), { status: 502 }),
  'a success that is none': (request) => new Response(echo(request)),
  'a redirect with all that was sent': (request) =>
    new Response(null, {
      status: 307,
      headers: { location: `https://x.example/?${encodeURIComponent(echo(request))}` },
    }),
  'no connection': (request) => {
    throw new TypeError(echo(request), {
      cause: Object.assign(new Error(echo(request)), { code: echo(request) }),
    })
  },
}

const sources: Readonly<Record<string, (ports: TestPorts) => AwsCredentialsOption>> = {
  static: () => ({
    accessKeyId: 'AKID',
    secretAccessKey: CANARY.secret,
    sessionToken: CANARY.token,
  }),
  function: () => () =>
    Promise.resolve({
      accessKeyId: 'AKID',
      secretAccessKey: CANARY.secret,
      sessionToken: CANARY.token,
    }),
  container: ({ runtime, network }) =>
    containerCredentials({
      relativeUri: '/v2',
      authorizationToken: CANARY.header,
      runtime,
      network,
    }),
  'web identity': ({ runtime, network }) =>
    assumeRoleWithWebIdentity({
      region,
      roleArn,
      token: () => Promise.resolve(CANARY.jwt),
      runtime,
      network,
    }),
  role: ({ runtime, network }) =>
    assumeRole({
      region,
      roleArn,
      credentials: {
        accessKeyId: 'AKID',
        secretAccessKey: CANARY.secret,
        sessionToken: CANARY.token,
      },
      runtime,
      network,
    }),
}

/** Makes every use of a provider, and looks at all that comes out but the data itself. */
async function useAll(source: (ports: TestPorts) => AwsCredentialsOption, answer: Answer) {
  const ports = testPorts(answer)
  const { runtime, network } = ports
  const credentials = source(ports)
  const kms = createAwsKms({ keyId, credentials, runtime, network })
  const cipher = new EnvelopeCipher({ kms, cache: false })
  const options = { context, aad: { row: CANARY.aad } }
  const uses = [
    () => cipher.encryptText(CANARY.plaintext, options),
    async () => {
      const { plaintext, wraps } = await kms.generateDataKey({ context })
      look(plaintext, wraps, await kms.unwrapDataKey(wraps, { context }))
      look(await kms.wrapDataKey(plaintext, { context }))
      return 'done'
    },
    () => kms.healthCheck({}),
    () => kms.rotateKey({}),
  ]
  let failures = 0
  for (const use of uses) {
    try {
      look(await whilePausesPass<unknown>(ports, use()))
    } catch (error) {
      failures += 1
      expect(isKmsError(error)).toBe(true)
      look(error)
    }
  }
  // Static credentials and functions are the caller's own.
  if ('get' in credentials) look(credentials)
  look(kms, cipher)
  seen.push(...ports.sent.map(({ url }) => url))
  return { failures, ports }
}

describe('R12 AWS KMS: no secret comes out', () => {
  it.each(Object.entries(sources))('of %s credentials that work', async (_name, source) => {
    const { failures, ports } = await useAll(source, healthy)
    expect(failures).toBe(0)
    expect(seen.length).toBeGreaterThan(20)
    expect(found(seen.join('\n'))).toEqual([])
    // The canaries were there to be found: this is what was sent.
    const sent = ports.sent.map((request) => echo(request)).join('\n')
    expect(sent).toMatch(/canary/)
  })

  const rows = Object.keys(sources).flatMap((source) =>
    Object.keys(sick).map((one) => [source, one] as const),
  )
  it.each(rows)('of %s credentials, by %s', async (source, what) => {
    // KMS alone is sick, so that credentials are held and sent.
    const answer: Answer = (request, n) =>
      request.headers.has('x-amz-target') ? sick[what]!(request, n) : healthy(request, n)
    const { failures } = await useAll(sources[source]!, answer)
    expect(failures).toBeGreaterThan(0)
    expect(found(seen.join('\n'))).toEqual([])
    seen.length = 0
    // And everything is.
    await useAll(sources[source]!, sick[what]!)
    expect(found(seen.join('\n'))).toEqual([])
  })
})
