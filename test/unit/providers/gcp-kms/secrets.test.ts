import { inspect } from 'node:util'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { encodeBase64, encodeUtf8 } from '../../../../src/bytes/index.ts'
import { EnvelopeCipher, isKmsError } from '../../../../src/index.ts'
import {
  type GcpCredentialsOption,
  gcpImpersonation,
  gcpMetadataServer,
  gcpWorkloadIdentity,
  gcpWorkloadIdentityFromAws,
} from '../../../../src/providers/gcp-kms/index.ts'
import { type Answer, START_MS, testPorts, whilePausesPass } from '../../credentials/aws/ports.ts'
import { keyName, over, version, withSum, wrapped } from './over.ts'
import { createGcpKms } from '../../../../src/providers/gcp-kms/index.ts'

/** Secrets that must never show, each a word of its own. */
const CANARY = {
  token: 'canaryAccessToken0123456789',
  parent: 'canaryParentToken0123456789',
  jwt: 'canaryHead.canaryClaims.canarySignature',
  awsSecret: 'canaryAwsSecret0123456789',
  dek: encodeUtf8('canaryDataKeyOf32Bytes0123456789'),
  plaintext: 'canaryPlaintext0123456789',
  aad: 'canaryAad0123456789',
}
const encodedDek = encodeBase64(CANARY.dek).slice(0, 40)
const found = (text: string) => /canary/i.test(text) || text.includes(encodedDek)

afterEach(() => {
  vi.restoreAllMocks()
})

const audience =
  '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/prov'

/** A server that answers everything right. */
const healthy: Answer = ({ url, body, method }) => {
  const headers = { 'metadata-flavor': 'Google' }
  if (url.includes('generateAccessToken')) {
    const expireTime = new Date(START_MS + 3_600_000).toISOString()
    return Response.json({ accessToken: CANARY.token, expireTime })
  }
  if (!url.includes('cloudkms'))
    return Response.json(
      { access_token: CANARY.token, expires_in: 3_600, token_type: 'Bearer' },
      { headers },
    )
  if (url.endsWith(':encrypt'))
    return Response.json({
      name: version(1),
      ...withSum('ciphertext', wrapped),
      verifiedPlaintextCrc32c: true,
      verifiedAdditionalAuthenticatedDataCrc32c: true,
    })
  if (url.endsWith(':decrypt'))
    return Response.json({ ...withSum('plaintext', CANARY.dek), usedPrimary: true })
  const key = { name: keyName, primary: { name: version(1) } }
  const isVersion = url.includes('cryptoKeyVersions') || (method === 'POST' && body === '{}')
  return Response.json(isVersion ? { name: version(1), state: 'ENABLED' } : key)
}

/** Servers that say back what they were sent, in every way. */
const sick: Readonly<Record<string, Answer>> = {
  'an error that quotes the request': (request) =>
    Response.json(
      {
        error: { status: 'INTERNAL', message: JSON.stringify([...request.headers]) + request.body },
      },
      { status: 500 },
    ),
  'HTML that quotes it': (request) =>
    new Response(`<html>${JSON.stringify([...request.headers])}${request.body}`),
  'a redirect that quotes it': (request) =>
    new Response(null, {
      status: 302,
      headers: { location: `https://x.example/?${encodeURIComponent(request.body)}` },
    }),
  'a wrong data key': () => Response.json(withSum('plaintext', CANARY.dek.slice(1))),
  'a refusal': (request) =>
    Response.json({ error: { status: 'UNAUTHENTICATED', message: request.body } }, { status: 401 }),
  'no connection': (request) => Promise.reject(new TypeError(`${request.url} ${request.body}`)),
}

type Ports = Pick<ReturnType<typeof testPorts>, 'runtime' | 'network'>
const sources: Readonly<Record<string, (ports: Ports) => GcpCredentialsOption>> = {
  'a token': () => ({ token: CANARY.token }),
  metadata: (ports) => gcpMetadataServer(ports),
  'workload identity': (ports) =>
    gcpWorkloadIdentity({ ...ports, audience, token: () => Promise.resolve(CANARY.jwt) }),
  'workload identity from AWS': (ports) =>
    gcpWorkloadIdentityFromAws({
      ...ports,
      audience,
      region: 'us-east-1',
      credentials: { accessKeyId: 'AKID', secretAccessKey: CANARY.awsSecret },
    }),
  impersonation: (ports) =>
    gcpImpersonation({
      ...ports,
      serviceAccount: 'a@b.iam.gserviceaccount.com',
      credentials: { token: CANARY.parent },
    }),
}

/** Uses everything, and gives all that could be seen of it. */
async function useAll(source: string, answer: Answer) {
  const seen: string[] = []
  const look = (...values: readonly unknown[]) => {
    for (const value of values)
      seen.push(
        inspect(value, { depth: 12, showHidden: true, getters: true }),
        String(value),
        JSON.stringify(value) ?? '',
      )
  }
  for (const name of ['log', 'error', 'warn', 'info', 'debug'] as const)
    vi.spyOn(console, name).mockImplementation((...values: unknown[]) => {
      look(...values)
    })
  const ports = testPorts(answer)
  const { runtime, network } = ports
  const credentials = sources[source]!({ runtime, network })
  const kms = createGcpKms({ keyName, credentials, runtime, network })
  const context = { 'edge-kms:dk': 'salt.1' }
  const cipher = new EnvelopeCipher({ kms })
  const uses = [
    () => cipher.encryptText(CANARY.plaintext, { aad: { row: CANARY.aad } }),
    async () => {
      const { plaintext, wraps } = await kms.generateDataKey({ context })
      look(plaintext, wraps, await kms.unwrapDataKey(wraps, { context }))
    },
    () => kms.currentVersion({}),
    () => kms.healthCheck({}),
  ]
  let failures = 0
  for (const use of uses) {
    try {
      look(await whilePausesPass(ports, Promise.resolve(use())))
    } catch (error) {
      failures += 1
      expect(isKmsError(error)).toBe(true)
      look(error)
    }
  }
  // A token and functions are the caller's own.
  if ('get' in credentials) look(credentials)
  look(kms, cipher, ...ports.sent.map(({ url }) => url))
  const sent = ports.sent.map(({ headers, body }) => `${JSON.stringify([...headers])}${body}`)
  return { seen: seen.join('\n'), sent: sent.join('\n'), failures }
}

describe('R12 GCP KMS: no secret comes out', () => {
  it.each(Object.keys(sources))('of %s that works', async (source) => {
    const { seen, sent, failures } = await useAll(source, healthy)
    expect([failures, found(seen)]).toEqual([0, false])
    // The canaries were there to be found: this is what was sent.
    expect(found(sent)).toBe(true)
  })

  const rows = Object.keys(sources).flatMap((source) =>
    Object.keys(sick).map((one) => [source, one] as const),
  )
  it.each(rows)('of %s, by %s', async (source, what) => {
    // The KMS alone is sick, so that tokens are held and sent; then everything is.
    const kmsOnly: Answer = (request, n) =>
      request.url.includes('cloudkms') ? sick[what]!(request, n) : healthy(request, n)
    for (const answer of [kmsOnly, sick[what]!]) {
      const { seen, failures } = await useAll(source, answer)
      expect([failures > 0, found(seen)]).toEqual([true, false])
    }
  })

  it('of a provider that was given a token', async () => {
    const { kms } = over(healthy)
    expect(found(inspect(kms, { depth: 12, showHidden: true }))).toBe(false)
  })
})
