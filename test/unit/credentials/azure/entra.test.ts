import { inspect } from 'node:util'
import { generateKeyPair, exportJWK, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import {
  azureClientCertificate,
  type AzureClientCertificateOptions,
  azureClientSecret,
  type AzureCredentialSource,
  azureFederatedToken,
} from '../../../../src/providers/azure-key-vault/index.ts'
import { createFakeAzure } from '../../../../adapters/fakes/index.ts'
import { codeOf, START_MS, testPorts } from '../aws/ports.ts'
import { testCertificate } from './certificate.ts'

const tenantId = '72f0a1c4-0000-4000-8000-000000000001'
const clientId = '72f0a1c4-0000-4000-8000-000000000002'
const clientSecret = 'canary~secret+/&='
const resource = 'https://vault.azure.net'
const granted = () =>
  Response.json({ token_type: 'Bearer', expires_in: 3_599, access_token: 'canary-token' })

const formOf = (body: string) => Object.fromEntries(new URLSearchParams(body))

describe('Entra ID: client secret', () => {
  it('is one POST with the grant, and the secret in its body alone', async () => {
    const ports = testPorts(granted)
    const { runtime, network } = ports
    const source = azureClientSecret({ tenantId, clientId, clientSecret, runtime, network })
    expect(await source.get({ resource })).toEqual({
      token: 'canary-token',
      expiresAtMs: START_MS + 3_599_000,
    })
    const [sent] = ports.sent
    expect(sent?.url).toBe(`https://login.microsoftonline.com/${tenantId}/oauth2/v2.0/token`)
    expect([sent?.method, sent?.headers.get('content-type')]).toEqual([
      'POST',
      'application/x-www-form-urlencoded; charset=utf-8',
    ])
    expect(formOf(sent?.body ?? '')).toEqual({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      scope: 'https://vault.azure.net/.default',
    })
    expect(JSON.stringify([...(sent?.headers ?? [])])).not.toContain('canary')
  })

  it.each([
    [{ cloud: 'china' }, 'https://login.partner.microsoftonline.cn'],
    [{ cloud: 'us-government' }, 'https://login.microsoftonline.us'],
    [{ authority: 'https://login.example.test/' }, 'https://login.example.test'],
    [{ authority: 'http://127.0.0.1:8080', allowHttpLoopback: true }, 'http://127.0.0.1:8080'],
  ] as const)('R9 of %o is asked for at %s', async (options, origin) => {
    const ports = testPorts(granted)
    const { runtime, network } = ports
    const source = azureClientSecret({
      tenantId: 'acme.onmicrosoft.com',
      clientId,
      clientSecret,
      runtime,
      network,
      ...options,
    })
    await source.get({ resource })
    expect(ports.sent[0]?.url).toBe(`${origin}/acme.onmicrosoft.com/oauth2/v2.0/token`)
  })

  it.each([
    { tenantId: undefined },
    { tenantId: 'common' },
    { tenantId: '../canary' },
    { tenantId: 'a.b/../canary' },
    { tenantId: `${'a'.repeat(250)}.test` },
    { clientId: 'canary' },
    { clientId: undefined },
    { clientSecret: '' },
    { clientSecret: undefined },
    { cloud: 'canary' },
    { cloud: 'toString' },
    { authority: 'http://login.example.test' },
    { authority: 'http://127.0.0.1:8080' },
    { authority: 'https://u:canary@login.example.test' },
  ])('refuses %o, and says nothing of its value', (options) => {
    const given = { tenantId, clientId, clientSecret, ...options }
    let caught: unknown
    try {
      azureClientSecret(given as Parameters<typeof azureClientSecret>[0])
    } catch (error) {
      caught = error
    }
    expect(caught).toMatchObject({ code: 'ERR_KMS_CONFIG' })
    expect(inspect(caught)).not.toContain('canary')
  })

  it('of another application is refused by the fake', async () => {
    const fake = createFakeAzure()
    const { network, credentials } = fake
    const wrong = azureClientSecret({ ...credentials, clientSecret: 'wrong', network })
    expect(await codeOf(wrong.get({ resource }))).toBe('ERR_KMS_UNAUTHENTICATED')
    const right = azureClientSecret({ ...credentials, network })
    expect((await right.get({ resource })).token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
  })
})

describe('Entra ID: certificate', () => {
  const own = testCertificate()

  function setUp(change: Partial<AzureClientCertificateOptions> = {}) {
    const { thumbprint, key } = own
    const fake = createFakeAzure({
      tenantId,
      applications: [{ clientId, certificates: [{ thumbprint, key }] }],
    })
    const { certificate, privateKey } = own
    const options = { tenantId, clientId, certificate, privateKey, network: fake.network }
    return azureClientCertificate({ ...options, ...change })
  }

  it('proves the application to the fake, which verifies it', async () => {
    expect((await setUp().get({ resource })).expiresAtMs).toBeGreaterThan(Date.now())
  })

  it('the assertion is PS256, names the certificate, and is short-lived and used once', async () => {
    const ports = testPorts(granted)
    const { runtime, network } = ports
    const source = setUp({ runtime, network })
    await source.get({ resource })
    await source.get({ resource: 'https://managedhsm.azure.net' })
    const parts = ports.sent.map(({ body }) => {
      const form = formOf(body)
      expect(form['client_assertion_type']).toBe(
        'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      )
      expect(form).not.toHaveProperty('client_secret')
      return (form['client_assertion'] ?? '')
        .split('.')
        .slice(0, 2)
        .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as object)
    })
    const seconds = START_MS / 1_000
    expect(parts[0]).toMatchObject([
      { alg: 'PS256', typ: 'JWT', 'x5t#S256': own.thumbprint },
      {
        iss: clientId,
        sub: clientId,
        aud: `https://login.microsoftonline.com/${tenantId}/oauth2/v2.0/token`,
        iat: seconds,
        nbf: seconds,
        exp: seconds + 300,
      },
    ])
    const ids = parts.map(([, claims]) => (claims as { jti: string }).jti)
    expect(new Set(ids).size).toBe(2)
  })

  it('of another key or another certificate is refused by the fake', async () => {
    const other = testCertificate()
    for (const change of [{ privateKey: other.privateKey }, { certificate: other.certificate }])
      expect(await codeOf(setUp(change).get({ resource }))).toBe('ERR_KMS_UNAUTHENTICATED')
  })

  it.each([
    { certificate: '' },
    { certificate: 'canary' },
    { certificate: '-----BEGIN CERTIFICATE-----\ncanary\n-----END CERTIFICATE-----' },
    { privateKey: '' },
    { privateKey: '-----BEGIN RSA PRIVATE KEY-----\ncanary\n-----END RSA PRIVATE KEY-----' },
    { privateKey: undefined },
  ])('refuses %o at once', (change) => {
    let caught: unknown
    try {
      setUp(change as Partial<AzureClientCertificateOptions>)
    } catch (error) {
      caught = error
    }
    expect(caught).toMatchObject({ code: 'ERR_KMS_CONFIG' })
    expect(inspect(caught)).not.toContain('canary')
  })

  it('refuses a private key that is none at its first use, without its bytes', async () => {
    const privateKey = '-----BEGIN PRIVATE KEY-----\ncanary==\n-----END PRIVATE KEY-----'
    const caught: unknown = await setUp({ privateKey })
      .get({ resource })
      .catch((error: unknown) => error)
    expect(caught).toMatchObject({ code: 'ERR_KMS_CONFIG' })
    expect(inspect(caught, { showHidden: true, depth: 9 })).not.toContain('canary')
  })
})

describe('Entra ID: federated token', () => {
  const issuer = 'https://issuer.example.test'
  const subject = 'system:serviceaccount:app:app'

  async function setUp(claims: { aud?: string; sub?: string; exp?: string } = {}) {
    const { publicKey, privateKey } = await generateKeyPair('RS256')
    const fake = createFakeAzure({
      tenantId,
      applications: [
        { clientId, federations: [{ issuer, subject, keys: [await exportJWK(publicKey)] }] },
      ],
    })
    const token = () =>
      new SignJWT()
        .setProtectedHeader({ alg: 'RS256' })
        .setIssuer(issuer)
        .setSubject(claims.sub ?? subject)
        .setAudience(claims.aud ?? 'api://AzureADTokenExchange')
        .setExpirationTime(claims.exp ?? '1h')
        .sign(privateKey)
    const { network } = fake
    return { fake, source: azureFederatedToken({ tenantId, clientId, token, network }) }
  }

  it('is exchanged, and read anew at each renewal', async () => {
    const { source, fake } = await setUp()
    const first = await source.get({ resource })
    source.refused(first)
    expect(await source.get({ resource })).not.toEqual(first)
    expect(fake.count('token')).toBe(2)
  })

  it.each([{ aud: 'other' }, { sub: 'other' }, { exp: '1s ago' }])(
    'with %o is refused by the fake',
    async (claims) => {
      const { source } = await setUp(claims)
      expect(await codeOf(source.get({ resource }))).toBe('ERR_KMS_UNAUTHENTICATED')
    },
  )

  it.each(['', 'canary', 'canary.canary', 'a.b.c.d', 'canary.b\r\nx.c', 7])(
    'R12 %j is refused without its value, and nothing is sent',
    async (token) => {
      const ports = testPorts(granted)
      const { runtime, network } = ports
      const source: AzureCredentialSource = azureFederatedToken({
        tenantId,
        clientId,
        token: () => Promise.resolve(token as string),
        runtime,
        network,
      })
      const caught: unknown = await source.get({ resource }).catch((error: unknown) => error)
      expect(caught).toMatchObject({ code: 'ERR_KMS_UNAUTHENTICATED' })
      expect(inspect(caught)).not.toContain('canary')
      expect(ports.sent).toEqual([])
    },
  )

  it('must be a function', () => {
    const options = { tenantId, clientId, token: 'a.b.c' as unknown as () => Promise<string> }
    expect(() => azureFederatedToken(options)).toThrow()
  })
})
