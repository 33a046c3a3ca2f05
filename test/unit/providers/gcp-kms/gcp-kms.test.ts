import { describe, expect, it } from 'vitest'
import { KeyVersions } from '../../../../src/providers/gcp-kms/key-versions.ts'
import type { GcpKmsApi } from '../../../../src/providers/gcp-kms/kms-api.ts'
import { crc32c, decodeBase64, encodeUtf8 } from '../../../../src/bytes/index.ts'
import { isKmsError } from '../../../../src/errors.ts'
import { createGcpKms, type GcpKmsOptions } from '../../../../src/providers/gcp-kms/index.ts'
import { type Answer, codeOf, testPorts } from '../../credentials/aws/ports.ts'
import { aad, context, keyName, over, version, withSum, wrap, wrapped } from './over.ts'

const DEK = encodeUtf8('0123456789abcdef0123456789abcdef')
const body = (text: string) => JSON.parse(text) as Record<string, string>

/** Answers by the end of the path. */
const routes =
  (table: Readonly<Record<string, unknown>>): Answer =>
  ({ url, method }) => {
    const found = Object.entries(table).find(([end]) => `${method} ${url}`.endsWith(end))
    const status = 404
    return found === undefined
      ? Response.json({ error: { code: status, status: 'NOT_FOUND' } }, { status })
      : Response.json(found[1])
  }

const encrypted = (n: number) => ({
  name: version(n),
  ...withSum('ciphertext', wrapped),
  verifiedPlaintextCrc32c: true,
  verifiedAdditionalAuthenticatedDataCrc32c: true,
})
const decrypted = (usedPrimary: boolean) => ({ ...withSum('plaintext', DEK), usedPrimary })

describe('R10 GCP KMS: what is sent', () => {
  it('Encrypt: bytes, context and the checksums of both', async () => {
    const { kms, ports } = over(routes({ ':encrypt': encrypted(3) }))
    const { plaintext, wraps } = await kms.generateDataKey({ context })
    expect(wraps).toEqual([{ ...wrap, kekVersion: '3' }])
    const [sent] = ports.sent
    expect(sent?.headers.get('authorization')).toBe('Bearer ya29.canary-token')
    expect(body(sent?.body ?? '')).toEqual({
      ...withSum('plaintext', plaintext.expose()),
      ...withSum('additionalAuthenticatedData', aad),
    })
  })

  it('Decrypt: the same for the ciphertext', async () => {
    const { kms, ports } = over(routes({ ':decrypt': decrypted(true) }))
    const opened = await kms.unwrapDataKey([wrap], { context })
    expect([opened.plaintext.expose(), opened.current, opened.by]).toEqual([DEK, true, wrap])
    const sent = body(ports.sent[0]?.body ?? '')
    expect(sent).toEqual({
      ...withSum('ciphertext', wrapped),
      ...withSum('additionalAuthenticatedData', aad),
    })
    expect(crc32c(decodeBase64(sent['ciphertext'] ?? '') ?? new Uint8Array(0))).toBe(
      Number(sent['ciphertextCrc32c']),
    )
  })

  it('GenerateRandomBytes only where it is asked for, combined with local bytes', async () => {
    const theirs = new Uint8Array(32).fill(0xf0)
    const table = { ':encrypt': encrypted(1), ':generateRandomBytes': withSum('data', theirs) }
    const { kms, ports } = over(routes(table), {
      randomBytes: 'hsm',
      runtime: { now: () => 0, randomFill: (bytes) => bytes.fill(0x0f) },
    })
    const { plaintext } = await kms.generateDataKey({ context })
    expect(plaintext.expose()).toEqual(new Uint8Array(32).fill(0xff))
    const [first, second] = ports.sent
    expect(first?.url).toMatch(
      /\/v1\/projects\/acme-prod\/locations\/europe-west3:generateRandomBytes$/,
    )
    expect(body(first?.body ?? '')).toEqual({ lengthBytes: 32, protectionLevel: 'HSM' })
    expect(second?.url).toMatch(/:encrypt$/)
  })

  it.each([
    ['of 31 bytes', withSum('data', new Uint8Array(31))],
    ['without a checksum', { data: withSum('data', new Uint8Array(32))['data'] }],
    ['with another checksum', { ...withSum('data', new Uint8Array(32)), dataCrc32c: '1' }],
  ])('GenerateRandomBytes: an answer %s is refused', async (_what, answer) => {
    const { kms, ports } = over(routes({ ':generateRandomBytes': answer }), { randomBytes: 'hsm' })
    expect(await codeOf(kms.generateDataKey({ context }))).toBe('ERR_KMS_RESPONSE_INVALID')
    expect(ports.sent.length).toBe(1)
  })
})

describe('W3.25 GCP KMS: a wrap’s version', () => {
  const forged = { ...wrap, kekVersion: '17' }

  it('that Cloud KMS does not have is refused where its answer contradicts', async () => {
    const { kms, ports } = over(routes({ ':encrypt': encrypted(1), ':decrypt': decrypted(true) }))
    await kms.generateDataKey({ context })
    expect(await codeOf(kms.unwrapDataKey([forged], { context }))).toBe('ERR_DECRYPT_FAILED')
    expect(await codeOf(kms.unwrapDataKey([wrap], { context }))).toBe('no error')
    expect(ports.sent.map(({ url }) => url.slice(url.lastIndexOf('/')))).toEqual([
      '/data:encrypt',
      '/data:decrypt',
      '/17',
      '/data:decrypt',
    ])
  })

  it('that it has is taken, and asked for once: servers disagree for a while on the primary', async () => {
    const { kms, ports } = over(
      routes({
        ':encrypt': encrypted(1),
        ':decrypt': decrypted(true),
        '/cryptoKeyVersions/2': { name: version(2), state: 'ENABLED' },
      }),
    )
    await kms.generateDataKey({ context })
    const newer = { ...wrap, kekVersion: '2' }
    for (let i = 0; i < 3; i++)
      expect(await codeOf(kms.unwrapDataKey([newer], { context }))).toBe('no error')
    expect(ports.sent.filter(({ method }) => method === 'GET')).toHaveLength(1)
  })

  it('is taken where there is no permission to ask for it', async () => {
    const answers = routes({ ':encrypt': encrypted(1), ':decrypt': decrypted(true) })
    const { kms } = over((request, n) =>
      request.method === 'GET' ? Response.json({}, { status: 403 }) : answers(request, n),
    )
    await kms.generateDataKey({ context })
    expect(await codeOf(kms.unwrapDataKey([forged], { context }))).toBe('no error')
  })

  it('is asked for once where that is denied, however many versions an attacker names', async () => {
    const answers = routes({ ':encrypt': encrypted(1), ':decrypt': decrypted(true) })
    const { kms, ports } = over((request, n) =>
      request.method === 'GET' ? Response.json({}, { status: 403 }) : answers(request, n),
    )
    await kms.generateDataKey({ context })
    for (let n = 100; n < 200; n++)
      await kms.unwrapDataKey([{ ...wrap, kekVersion: String(n) }], { context })
    expect(ports.sent.filter(({ method }) => method === 'GET')).toHaveLength(1)
  })

  it.each([true, undefined])(
    'is remembered only where Cloud KMS has named it: %s',
    async (answer) => {
      const api = { knowsVersion: () => Promise.resolve(answer) } as unknown as GcpKmsApi
      const known = new Set<string>()
      const versions = new KeyVersions(api, testPorts().network, known)
      versions.see('1')
      for (let n = 100; n < 105; n++) await versions.compare(String(n), true, {})
      expect(known.size).toBe(answer === true ? 6 : 1)
    },
  )

  it.each(['', '0', '01', '1.0', '-1', 'a', '1/..', '2147483648', '12345678901'])(
    'W3.21, W3.34 %j is not a version: no call',
    async (kekVersion) => {
      const { kms, ports } = over(() => Response.json({}))
      const odd = { ...wrap, kekVersion }
      expect(kms.canUnwrap(odd)).toBe(false)
      expect(await codeOf(kms.unwrapDataKey([odd], { context }))).toBe('ERR_ENVELOPE_UNKNOWN_KEY')
      expect(ports.sent).toEqual([])
    },
  )
})

describe('R8 W3.24 GCP KMS: hostile wraps', () => {
  it.each([
    'https://attacker.example/key',
    '//attacker.example',
    `${keyName}/cryptoKeyVersions/1`,
    `${keyName}/`,
    `${keyName}2`,
    keyName.toUpperCase(),
    keyName.replace('acme-prod', 'attacker'),
    '../../key',
    '',
  ])('no call for a wrap of %j', async (kekId) => {
    const { kms, ports } = over(() => Response.json({}))
    const hostile = [{ ...wrap, kekId }]
    expect(await codeOf(kms.unwrapDataKey(hostile, { context }))).toBe('ERR_ENVELOPE_UNKNOWN_KEY')
    expect(await codeOf(kms.rewrapDataKey(hostile, { context }))).toBe('ERR_ENVELOPE_UNKNOWN_KEY')
    expect(ports.sent).toEqual([])
  })
})

describe('GCP KMS: rotation', () => {
  const created = (state: string) => ({ name: version(2), state })
  const promoted = { name: keyName, primary: { name: version(2), state: 'ENABLED' } }

  it('makes a version and promotes it', async () => {
    const table = { '/cryptoKeyVersions': created('ENABLED'), ':updatePrimaryVersion': promoted }
    const { kms, ports } = over(routes(table))
    expect(await kms.rotateKey({})).toEqual([
      { provider: 'gcp-kms', kekId: keyName, kekVersion: '2' },
    ])
    expect(ports.sent.map((one) => one.body)).toEqual(['{}', '{"cryptoKeyVersionId":"2"}'])
  })

  it('waits for a version that is still being made', async () => {
    let asked = 0
    const { kms, ports } = over((request, n) => {
      if (request.method === 'GET')
        return Response.json(created((asked += 1) < 3 ? 'PENDING_GENERATION' : 'ENABLED'))
      const table = {
        '/cryptoKeyVersions': created('PENDING_GENERATION'),
        ':updatePrimaryVersion': promoted,
      }
      return routes(table)(request, n)
    })
    let done = false
    const work = kms.rotateKey({}).finally(() => (done = true))
    for (let i = 0; i < 100 && !done; i++) {
      await new Promise((resolve) => setTimeout(resolve))
      // Only the pause between two questions is rung, never a deadline.
      if (ports.waiting > 0 && ports.sent.length === 1 + asked) ports.advance(500)
    }
    await work
    expect([asked, ports.sent.at(-1)?.url.endsWith(':updatePrimaryVersion')]).toEqual([3, true])
  })

  it('of a key whose new version cannot be used is an error, and nothing is promoted', async () => {
    const { kms, ports } = over(routes({ '/cryptoKeyVersions': created('GENERATION_FAILED') }))
    expect(await codeOf(kms.rotateKey({}))).toBe('ERR_KMS_UNAVAILABLE')
    expect(ports.sent.length).toBe(1)
  })

  it('that promotes another version is not believed', async () => {
    const table = {
      '/cryptoKeyVersions': created('ENABLED'),
      ':updatePrimaryVersion': { name: keyName, primary: { name: version(1) } },
    }
    expect(await codeOf(over(routes(table)).kms.rotateKey({}))).toBe('ERR_KMS_RESPONSE_INVALID')
  })
})

describe('GCP KMS: health', () => {
  const refuse = (status: number, name: string) => () =>
    Response.json({ error: { code: status, status: name } }, { status })

  it.each([
    ['both', 'encrypt,decrypt'],
    ['encrypt', 'encrypt'],
    ['decrypt', 'decrypt'],
  ] as const)('of %s asks for %s', async (usage, calls) => {
    const table = { ':encrypt': encrypted(1), ':decrypt': decrypted(true) }
    const { kms, ports } = over(routes(table), { usage })
    expect((await kms.healthCheck({})).healthy).toBe(true)
    expect(ports.sent.map(({ url }) => url.slice(url.lastIndexOf(':') + 1)).join()).toBe(calls)
  })

  it('of a reader: being told that junk does not open is enough, anything else is not', async () => {
    const check = async (status: number, name: string) =>
      (await over(refuse(status, name), { usage: 'decrypt' }).kms.healthCheck({})).checks[0]?.code
    expect(await check(400, 'INVALID_ARGUMENT')).toBe(undefined)
    expect(await check(403, 'PERMISSION_DENIED')).toBe('ERR_KMS_ACCESS_DENIED')
    expect(await check(404, 'NOT_FOUND')).toBe('ERR_KMS_KEY_NOT_FOUND')
  })
})

describe('R9 GCP KMS: configuration', () => {
  const credentials = { token: 'ya29.token-canary' }
  const bad: readonly (readonly [string, object])[] = [
    ['no key', { keyName: '' }],
    ['a version', { keyName: version(1) }],
    ['a URL', { keyName: `https://cloudkms.googleapis.com/v1/${keyName}` }],
    ['a key with a blank', { keyName: `${keyName} x` }],
    ['a key with a dot segment', { keyName: keyName.replace('app', '..') }],
    ['a key with a query', { keyName: `${keyName}?x` }],
    ['a key with a line break', { keyName: `${keyName}\n` }],
    ['plain http', { endpoint: 'http://kms.example.test' }],
    ['plain http on loopback', { endpoint: 'http://127.0.0.1:18080' }],
    ['an endpoint with a password', { endpoint: 'https://u:p@kms.example.test' }],
    ['an endpoint with a query', { endpoint: 'https://kms.example.test/?a=b' }],
    ['another usage', { usage: 'read' }],
    ['other random bytes', { randomBytes: 'HSM' }],
    ['a misspelt option', { timeoutMS: 5 }],
    ['a token with a line break', { credentials: { token: 'a-canary\r\nx: y' } }],
    ['an empty token', { credentials: { token: '' } }],
    ['a token without its end', { credentials: { token: 'a', expiresAtMs: NaN } }],
  ]
  it.each(bad)('refuses %s', (_what, options) => {
    let caught: unknown
    try {
      createGcpKms({ keyName, credentials, ...options })
    } catch (error) {
      caught = error
    }
    expect(isKmsError(caught, 'ERR_KMS_CONFIG')).toBe(true)
    expect(JSON.stringify(caught)).not.toContain('canary')
  })

  it.each<[Partial<GcpKmsOptions>, string]>([
    [{}, 'https://cloudkms.googleapis.com/v1/'],
    [
      { endpoint: 'https://cloudkms.europe-west3.rep.googleapis.com/' },
      'https://cloudkms.europe-west3.rep.googleapis.com/v1/',
    ],
    [{ endpoint: 'http://127.0.0.1:18080', allowHttpLoopback: true }, 'http://127.0.0.1:18080/v1/'],
    [
      { keyName: keyName.replace('acme-prod', 'example.com:acme') },
      'https://cloudkms.googleapis.com/v1/',
    ],
  ])('%o calls %s', async (options, start) => {
    const { kms, ports } = over(() => Promise.reject(new TypeError('no network')), options)
    expect(await codeOf(kms.generateDataKey({ context }))).toBe('ERR_KMS_UNAVAILABLE')
    expect(ports.sent[0]?.url).toBe(`${start}${options.keyName ?? keyName}:encrypt`)
  })

  it.each(['encrypt', 'decrypt'] as const)('%s only says no to the rest', async (usage) => {
    const { kms, ports } = over(() => Response.json({}), { usage })
    const refused =
      usage === 'encrypt'
        ? kms.unwrapDataKey([wrap], { context })
        : kms.generateDataKey({ context })
    expect(await codeOf(refused)).toBe('ERR_KMS_UNSUPPORTED')
    expect(await codeOf(kms.rewrapDataKey([wrap], { context }))).toBe('ERR_KMS_UNSUPPORTED')
    expect(ports.sent).toEqual([])
  })
})
