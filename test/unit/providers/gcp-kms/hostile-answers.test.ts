import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { encodeBase64, encodeUtf8 } from '../../../../src/bytes/index.ts'
import { isKmsError } from '../../../../src/errors.ts'
import { type KeyManagementService, SecretBytes } from '../../../../src/kms/index.ts'
import { codeOf, deferred, turn } from '../../credentials/aws/ports.ts'
import { context, keyName, over, version, withSum, wrap, wrapped } from './over.ts'

/** 32 bytes that are easily found again, in text and in base64. */
const DEK = encodeUtf8('canary-canary-canary-canary-cana')

type Call = (kms: KeyManagementService, signal?: AbortSignal) => Promise<unknown>

/** Each operation: how to make it, where it goes, and an answer to it that is right. */
const operations: Readonly<
  Record<string, { readonly call: Call; readonly path: string; readonly right: object }>
> = {
  Encrypt: {
    call: (kms, signal) =>
      kms.wrapDataKey(SecretBytes.take(new Uint8Array(DEK)), { context, signal }),
    path: `${keyName}:encrypt`,
    right: {
      name: version(1),
      ...withSum('ciphertext', wrapped),
      verifiedPlaintextCrc32c: true,
      verifiedAdditionalAuthenticatedDataCrc32c: true,
      protectionLevel: 'SOFTWARE',
    },
  },
  Decrypt: {
    call: (kms, signal) => kms.unwrapDataKey([wrap], { context, signal }),
    path: `${keyName}:decrypt`,
    right: { ...withSum('plaintext', DEK), usedPrimary: true, protectionLevel: 'SOFTWARE' },
  },
  GetCryptoKey: {
    call: (kms, signal) => kms.currentVersion({ signal }),
    path: keyName,
    right: { name: keyName, primary: { name: version(1), state: 'ENABLED' } },
  },
}
const ALL = Object.keys(operations)

/** Neither as text nor as base64, wherever in the error it may be. */
function hasCanary(error: unknown): boolean {
  const text = `${inspect(error, { depth: 9, showHidden: true })}${JSON.stringify(error)}`
  return /canary/.test(text) || text.includes(encodeBase64(DEK).slice(4, 20))
}

const ENCRYPT = ['Encrypt']
const DECRYPT = ['Decrypt']
const GET = ['GetCryptoKey']
const other = keyName.replace(/data$/, 'other')

/** Changes to the right answer, and the operations that they are for; `undefined` leaves the member out. */
const changes: readonly (readonly [what: string, on: readonly string[], change: object])[] = [
  ['no name', [...ENCRYPT, ...GET], { name: undefined }],
  ['name null', [...ENCRYPT, ...GET], { name: null }],
  ['the name of another key', ENCRYPT, { name: `${other}/cryptoKeyVersions/1` }],
  ['the name of another key', GET, { name: other }],
  ['the name of another project', ENCRYPT, { name: version(1).replace('acme-prod', 'acme-test') }],
  ['the name of a key that ours begins', ENCRYPT, { name: `${keyName}2/cryptoKeyVersions/1` }],
  ['the name without a version', ENCRYPT, { name: keyName }],
  ['version 0', ENCRYPT, { name: version(0) }],
  ['version 01', ENCRYPT, { name: version('01') }],
  ['version -1', ENCRYPT, { name: version('-1') }],
  ['version 1/../2', ENCRYPT, { name: version('1/../2') }],
  ['a version of 11 digits', ENCRYPT, { name: version('12345678901') }],
  ['the name in a list', ENCRYPT, { name: [version(1)] }],
  ['no verifiedPlaintextCrc32c', ENCRYPT, { verifiedPlaintextCrc32c: undefined }],
  ['verifiedPlaintextCrc32c false', ENCRYPT, { verifiedPlaintextCrc32c: false }],
  ['verifiedPlaintextCrc32c a text', ENCRYPT, { verifiedPlaintextCrc32c: 'true' }],
  [
    'no verifiedAdditionalAuthenticatedDataCrc32c',
    ENCRYPT,
    { verifiedAdditionalAuthenticatedDataCrc32c: undefined },
  ],
  [
    'verifiedAdditionalAuthenticatedDataCrc32c false',
    ENCRYPT,
    { verifiedAdditionalAuthenticatedDataCrc32c: false },
  ],
  ['no ciphertext', ENCRYPT, { ciphertext: undefined }],
  ['an empty ciphertext', ENCRYPT, withSum('ciphertext', new Uint8Array(0))],
  ['a ciphertext of 6,145 bytes', ENCRYPT, withSum('ciphertext', new Uint8Array(6_145))],
  ['a ciphertext that is not base64', ENCRYPT, { ciphertext: 'canary!' }],
  ['no ciphertextCrc32c', ENCRYPT, { ciphertextCrc32c: undefined }],
  ['ciphertextCrc32c 0', ENCRYPT, { ciphertextCrc32c: '0' }],
  ['ciphertextCrc32c of other bytes', ENCRYPT, { ciphertext: encodeBase64(new Uint8Array(113)) }],
  ['no plaintext beside the checksum of one', DECRYPT, { plaintext: undefined }],
  ['a plaintext that is not base64', DECRYPT, { plaintext: 'canary canary canary canary !!' }],
  ['a plaintext that is a list', DECRYPT, { plaintext: [...DEK] }],
  ['no plaintextCrc32c', DECRYPT, { plaintextCrc32c: undefined }],
  ['plaintextCrc32c of other bytes', DECRYPT, { plaintextCrc32c: '123' }],
  ['plaintextCrc32c with a zero before it', DECRYPT, { plaintextCrc32c: '0123' }],
  ['a primary of another key', GET, { primary: { name: `${other}/cryptoKeyVersions/1` } }],
  ['a primary without a name', GET, { primary: {} }],
]
const rows = changes.flatMap(([what, on, change]) =>
  on.map((operation) => [operation, what, change] as const),
)

describe('R9 R10 GCP KMS: members of an answer', () => {
  it.each(ALL)('%s: the answer that all others are a change of is taken', async (operation) => {
    const { call, right, path } = operations[operation]!
    const { kms, ports } = over(() => Response.json(right))
    expect(await codeOf(call(kms))).toBe('no error')
    expect(ports.sent.map(({ url }) => url)).toEqual([`https://cloudkms.googleapis.com/v1/${path}`])
  })

  it.each(rows)('%s: %s is refused, once and without a trace', async (operation, _what, change) => {
    const { call, right } = operations[operation]!
    const { kms, ports } = over(() => Response.json({ ...right, ...change }))
    const error: unknown = await call(kms).catch((caught: unknown) => caught)
    expect(isKmsError(error) ? error.code : error).toBe('ERR_KMS_RESPONSE_INVALID')
    expect([hasCanary(error), ports.sent.length]).toEqual([false, 1])
  })

  it('a key without a primary is not for symmetric encryption', async () => {
    const { kms } = over(() => Response.json({ name: keyName, purpose: 'ASYMMETRIC_SIGN' }))
    expect(await codeOf(kms.currentVersion({}))).toBe('ERR_KMS_CONFIG')
  })

  it('damage on the way is worth another try, another key is not', async () => {
    const retryable = async (change: object) => {
      const { call, right } = operations['Encrypt']!
      const { kms } = over(() => Response.json({ ...right, ...change }))
      const error: unknown = await call(kms).catch((caught: unknown) => caught)
      return isKmsError(error, 'ERR_KMS_RESPONSE_INVALID') && error.retryable
    }
    expect(await retryable({ ciphertextCrc32c: '0' })).toBe(true)
    expect(await retryable({ verifiedPlaintextCrc32c: false })).toBe(true)
    expect(await retryable({ name: `${other}/cryptoKeyVersions/1` })).toBe(false)
  })

  it('what Google may add is passed over', async () => {
    for (const { call, right } of Object.values(operations)) {
      const { kms } = over(() => Response.json({ ...right, etag: 'canary', unknown: [] }))
      expect(await codeOf(call(kms))).toBe('no error')
    }
  })
})

describe('R9 GCP KMS: answers that are none', () => {
  const bodies: Readonly<Record<string, (right: string) => BodyInit | null>> = {
    'no body': () => null,
    HTML: () => '<html>canary</html>',
    'the first half': (right) => right.slice(0, right.length >> 1),
    'two objects': (right) => right + right,
    'a list': (right) => `[${right}]`,
    'a text': (right) => JSON.stringify(right),
    'an object inside': (right) => `{"response":${right}}`,
    'members of a prototype': (right) => `{"__proto__":${right}}`,
    'more than 256 KiB': (right) => right + ' '.repeat(262_144),
  }
  const wrong = Object.keys(bodies).flatMap((what) => ALL.map((one) => [one, what] as const))

  it.each(wrong)('%s: %s', async (operation, what) => {
    const { call, right } = operations[operation]!
    const { kms, ports } = over(() => new Response(bodies[what]?.(JSON.stringify(right)) ?? null))
    const error: unknown = await call(kms).catch((caught: unknown) => caught)
    expect(isKmsError(error) ? error.code : error).toBe('ERR_KMS_RESPONSE_INVALID')
    expect([hasCanary(error), ports.sent.length, ports.waiting]).toEqual([false, 1, 0])
  })

  it.each([201, 202, 206])('status %i is not a success', async (status) => {
    for (const { call, right } of Object.values(operations)) {
      const { kms } = over(() => Response.json(right, { status }))
      const error: unknown = await call(kms).catch((caught: unknown) => caught)
      expect(isKmsError(error) ? error.code : error).toBe('ERR_KMS_RESPONSE_INVALID')
      expect(hasCanary(error)).toBe(false)
    }
  })

  it.each([301, 302, 303, 307, 308])('redirect %i is not followed', async (status) => {
    const headers = { location: 'https://attacker.example/canary' }
    for (const { call } of Object.values(operations)) {
      const { kms, ports } = over(() => new Response(null, { status, headers }))
      const error: unknown = await call(kms).catch((caught: unknown) => caught)
      expect(isKmsError(error) ? error.code : error).toBe('ERR_KMS_RESPONSE_INVALID')
      expect([hasCanary(error), ports.sent.length]).toEqual([false, 1])
    }
  })
})

describe('R21 GCP KMS: bodies that hang', () => {
  /** Half of the right answer, and then nothing. */
  const half = (right: object) =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        const bytes = encodeUtf8(JSON.stringify(right))
        controller.enqueue(bytes.slice(0, bytes.length >> 1))
      },
    })

  it.each(ALL)('%s: a timeout at the deadline', async (operation) => {
    const { call, right } = operations[operation]!
    const arrived = deferred<undefined>()
    const answer = () => {
      arrived.resolve(undefined)
      return new Response(half(right))
    }
    const { kms, ports } = over(answer, { timeoutMs: 700 })
    const work = call(kms).catch((caught: unknown) => caught)
    await arrived.promise
    await turn()
    ports.advance(699)
    await turn()
    expect(ports.waiting).toBe(1)
    ports.advance(1)
    const error = await work
    expect(isKmsError(error, 'ERR_KMS_TIMEOUT') && error.retryable).toBe(true)
    expect([hasCanary(error), ports.waiting]).toEqual([false, 0])
  })

  it.each(ALL)('%s: an abort meanwhile is the caller’s reason', async (operation) => {
    const { call, right } = operations[operation]!
    const arrived = deferred<undefined>()
    const { kms, ports } = over(() => {
      arrived.resolve(undefined)
      return new Response(half(right))
    })
    const controller = new AbortController()
    const work = codeOf(call(kms, controller.signal))
    await arrived.promise
    await turn()
    const reason = new Error('gone')
    controller.abort(reason)
    expect([await work, ports.waiting]).toEqual([reason, 0])
  })

  it.each(ALL)('%s: nothing is sent for a signal that was aborted before', async (operation) => {
    const { call, right } = operations[operation]!
    const { kms, ports } = over(() => Response.json(right))
    const reason = new Error('gone')
    expect(await codeOf(call(kms, AbortSignal.abort(reason)))).toBe(reason)
    expect(ports.sent).toEqual([])
  })
})
