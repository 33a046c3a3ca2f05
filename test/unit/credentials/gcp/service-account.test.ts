import { decodeJwt, decodeProtectedHeader, exportPKCS8, generateKeyPair, jwtVerify } from 'jose'
import { inspect } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { createGcpKms, gcpServiceAccount } from '../../../../src/providers/gcp-kms/index.ts'
import { context, keyName } from '../../providers/gcp-kms/over.ts'
import { codeOf, START_MS, testPorts } from '../aws/ports.ts'

const client_email = 'app@acme-prod.iam.gserviceaccount.com'
const private_key_id = '0123456789abcdef'
let publicKey: CryptoKey
let private_key: string
const key = () => ({ type: 'service_account', client_email, private_key, private_key_id })

beforeAll(async () => {
  const pair = await generateKeyPair('RS256', { extractable: true })
  publicKey = pair.publicKey
  private_key = await exportPKCS8(pair.privateKey)
})

describe('GCP: a service account’s key', () => {
  it('signs a JWT for itself and one service, of an hour', async () => {
    const { runtime, network } = testPorts()
    const source = gcpServiceAccount({ key: JSON.stringify(key()), runtime, network })
    const { token, expiresAtMs } = await source.get({})
    const { payload, protectedHeader } = await jwtVerify(token, publicKey, {
      currentDate: new Date(START_MS),
    })
    const iat = START_MS / 1_000
    const aud = 'https://cloudkms.googleapis.com/'
    const exp = iat + 3_600
    expect(payload).toEqual({ iss: client_email, sub: client_email, aud, iat, exp })
    expect(protectedHeader).toEqual({ alg: 'RS256', typ: 'JWT', kid: private_key_id })
    expect(expiresAtMs).toBe(exp * 1_000)
  })

  it('is for a scope where that is asked for, without an audience', async () => {
    const scope = 'https://www.googleapis.com/auth/cloudkms'
    const claims = decodeJwt((await gcpServiceAccount({ key: key(), scope }).get({})).token)
    expect([claims['scope'], claims.aud]).toEqual([scope, undefined])
  })

  it('signs once for many, and again ahead of the end', async () => {
    const { runtime, network, advance } = testPorts()
    const source = gcpServiceAccount({ key: key(), runtime, network })
    const tokens = await Promise.all([source.get({}), source.get({}), source.get({})])
    expect(new Set(tokens).size).toBe(1)
    advance(3_300_000 - 1)
    expect(await source.get({})).toBe(tokens[0])
    advance(1)
    expect(await source.get({})).not.toBe(tokens[0])
  })

  it('R22 a clock that is off is corrected once, by the answer’s Date', async () => {
    const serverMs = START_MS + 1_200_000
    const ports = testPorts(({ headers }) => {
      const { iat = 0 } = decodeJwt((headers.get('authorization') ?? '').slice(7))
      const right = Math.abs(iat * 1_000 - serverMs) < 60_000
      return Response.json(
        right ? { name: keyName, primary: { name: `${keyName}/cryptoKeyVersions/1` } } : {},
        { status: right ? 200 : 401, headers: { date: new Date(serverMs).toUTCString() } },
      )
    })
    const { runtime, network } = ports
    const credentials = gcpServiceAccount({ key: key(), runtime, network })
    const kms = createGcpKms({ keyName, credentials, runtime, network })
    expect(await codeOf(kms.currentVersion({}))).toBe('no error')
    expect(await codeOf(kms.currentVersion({}))).toBe('no error')
    expect(ports.sent.length).toBe(3)
    // By our own clock the token lives for an hour from now.
    expect((await credentials.get({})).expiresAtMs).toBe(START_MS + 3_600_000)
  })

  it('a clock that is a year off is not corrected: one answer must not date tokens far ahead', async () => {
    const date = new Date(START_MS + 365 * 86_400_000).toUTCString()
    const ports = testPorts(() => Response.json({}, { status: 401, headers: { date } }))
    const { runtime, network } = ports
    const credentials = gcpServiceAccount({ key: key(), runtime, network })
    const kms = createGcpKms({ keyName, credentials, runtime, network })
    expect(await codeOf(kms.currentVersion({}))).toBe('ERR_KMS_UNAUTHENTICATED')
    const signedAt = ports.sent.map(
      ({ headers }) => decodeJwt((headers.get('authorization') ?? '').slice(7)).iat,
    )
    expect(signedAt).toEqual([START_MS / 1_000, START_MS / 1_000])
  })

  it('R22 refused for another reason it is signed once more, and then given up', async () => {
    const ports = testPorts(() => Response.json({}, { status: 401 }))
    const { runtime, network } = ports
    const credentials = gcpServiceAccount({ key: key(), runtime, network })
    const kms = createGcpKms({ keyName, credentials, runtime, network })
    expect(await codeOf(kms.generateDataKey({ context }))).toBe('ERR_KMS_UNAUTHENTICATED')
    expect(ports.sent.length).toBe(2)
    expect(
      decodeProtectedHeader(ports.sent[1]?.headers.get('authorization')?.slice(7) ?? '').alg,
    ).toBe('RS256')
  })

  it.each([
    ['no JSON', 'canary'],
    ['a list', '[]'],
    ['no e-mail', { client_email: undefined }],
    ['an e-mail with a line break', { client_email: 'a@b.example\ncanary' }],
    ['no private key', { private_key: undefined }],
    ['a private key that is none', { private_key: 'canary' }],
    ['a key of another form', { private_key: '-----BEGIN RSA PRIVATE KEY-----\ncanary\n' }],
    ['no key id', { private_key_id: undefined }],
    ['a key id with a quote', { private_key_id: '"canary' }],
  ])('R12 %s is refused at once, without its text', async (_what, change) => {
    const given = typeof change === 'string' ? change : { ...key(), ...change }
    let caught: unknown
    try {
      gcpServiceAccount({ key: given as string })
    } catch (error) {
      caught = error
    }
    expect(await codeOf(Promise.reject(caught as Error))).toBe('ERR_KMS_CONFIG')
    expect(inspect(caught, { depth: 9 })).not.toContain('canary')
  })

  it.each([
    ['text that is not JSON', 'canary', 'must be a JSON object, got text that is not one'],
    ['no e-mail', { client_email: 5 }, 'client_email must be an e-mail address, got a number'],
    ['no private key', { private_key: undefined }, 'got undefined'],
    ['PKCS #1', { private_key: '-----BEGIN RSA PRIVATE KEY-----\n' }, 'BEGIN RSA PRIVATE KEY)'],
    ['lost line breaks', { private_key: '-----BEGIN PRIVATE KEY-----\\ncanary' }, 'line breaks'],
    [
      'a path',
      { private_key: '/run/canary.pem' },
      'PEM of PKCS #8 (BEGIN PRIVATE KEY), got a string',
    ],
  ])(
    'says which field of a key file is wrong, what it must be and what it got: %s',
    (_, change, text) => {
      const given = typeof change === 'string' ? change : { ...key(), ...change }
      expect(() => gcpServiceAccount({ key: given as string })).toThrow(text)
      expect(() => gcpServiceAccount({ key: given as string })).not.toThrow('canary')
    },
  )

  it('R12 a private key that cannot be read is refused at first use, without its text', async () => {
    const body = Buffer.from('canary-canary-canary').toString('base64')
    const pem = `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`
    const source = gcpServiceAccount({ key: { ...key(), private_key: pem } })
    const error: unknown = await source.get({}).catch((caught: unknown) => caught)
    expect(await codeOf(Promise.reject(error as Error))).toBe('ERR_KMS_CONFIG')
    expect(inspect(error, { depth: 9 })).not.toMatch(new RegExp(`canary|${body}`))
  })

  it('refuses an audience beside a scope', async () => {
    const both = { key: key(), audience: 'a', scope: 'b' }
    expect(await codeOf(() => gcpServiceAccount(both))).toBe('ERR_KMS_CONFIG')
  })

  it('R12 shows neither key nor token', async () => {
    const source = gcpServiceAccount({ key: key() })
    const { token } = await source.get({})
    const shown = inspect(source, { depth: 9, showHidden: true }) + JSON.stringify(source)
    expect(shown).not.toContain(token.slice(0, 20))
    expect(shown).not.toContain(private_key.slice(40, 80))
  })
})
