import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { encodeBase64, encodeUtf8 } from '../../../../src/bytes/index.ts'
import { isKmsError } from '../../../../src/errors.ts'
import {
  type KeyManagementService,
  SecretBytes,
  type WrappedKey,
} from '../../../../src/kms/index.ts'
import { type AwsKmsOptions, createAwsKms } from '../../../../src/providers/aws-kms/index.ts'
import { type Answer, codeOf, deferred, testPorts, turn } from '../../credentials/aws/ports.ts'

const keyId = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
const otherArn = keyId.replace('1234abcd', 'ffffffff')
const context = { 'edge-kms:dk': 'salt.1' }
/** 32 bytes that are easily found again, in text and in base64. */
const DEK = encodeUtf8('canary-canary-canary-canary-cana')
const blob = encodeBase64(new Uint8Array(180).fill(7))
const wrap: WrappedKey = {
  provider: 'aws-kms',
  kekId: keyId,
  kekVersion: '',
  wrapped: new Uint8Array(180).fill(7),
}

type Call = (kms: KeyManagementService, signal?: AbortSignal) => Promise<unknown>

/** Each operation: how to make it, and an answer to it that is right. */
const operations: Readonly<Record<string, { readonly call: Call; readonly right: object }>> = {
  GenerateDataKey: {
    call: (kms, signal) => kms.generateDataKey({ context, signal }),
    right: { KeyId: keyId, Plaintext: encodeBase64(DEK), CiphertextBlob: blob },
  },
  Encrypt: {
    call: (kms, signal) =>
      kms.wrapDataKey(SecretBytes.take(new Uint8Array(DEK)), { context, signal }),
    right: { KeyId: keyId, CiphertextBlob: blob },
  },
  Decrypt: {
    call: (kms, signal) => kms.unwrapDataKey([wrap], { context, signal }),
    right: { KeyId: keyId, Plaintext: encodeBase64(DEK) },
  },
  ReEncrypt: {
    call: (kms, signal) => kms.rewrapDataKey([wrap], { context, signal }),
    right: { KeyId: keyId, SourceKeyId: keyId, CiphertextBlob: blob },
  },
}

function over(answer: Answer, options: Partial<AwsKmsOptions> = {}) {
  const ports = testPorts(answer)
  const kms = createAwsKms({
    keyId,
    credentials: { accessKeyId: 'AKID', secretAccessKey: 'canary-secret' },
    runtime: ports.runtime,
    network: ports.network,
    ...options,
  })
  return { kms, ports }
}

/** Neither as text nor as base64, wherever in the error it may be. */
function hasCanary(error: unknown): boolean {
  const text = `${inspect(error, { depth: 9, showHidden: true })}${JSON.stringify(error)}`
  return /canary/.test(text) || text.includes(encodeBase64(DEK).slice(4, 20))
}

const base64Of = (length: number) => encodeBase64(new Uint8Array(length).fill(0x63))
const PLAIN = ['GenerateDataKey', 'Decrypt']
/** Of Decrypt any length is handed on, see planted-wraps.test.ts. */
const MADE = ['GenerateDataKey']
const BLOB = ['GenerateDataKey', 'Encrypt', 'ReEncrypt']
const ALL = Object.keys(operations)

/** Changes to the right answer, and the operations that they are for; `undefined` leaves the member out. */
const changes: readonly (readonly [what: string, on: readonly string[], change: object])[] = [
  ['no KeyId', ALL, { KeyId: undefined }],
  ['KeyId null', ALL, { KeyId: null }],
  ['KeyId of another key', ALL, { KeyId: otherArn }],
  ['KeyId of another Region', ALL, { KeyId: keyId.replace('us-east-1', 'us-west-2') }],
  ['KeyId of another account', ALL, { KeyId: keyId.replace('111122223333', '999999999999') }],
  ['KeyId of another partition', ALL, { KeyId: keyId.replace('arn:aws:', 'arn:aws-cn:') }],
  ['KeyId without its ARN', ALL, { KeyId: '1234abcd-12ab-34cd-56ef-1234567890ab' }],
  ['KeyId as an alias', ALL, { KeyId: keyId.replace(/key\/.*/, 'alias/app') }],
  ['KeyId in capitals', ALL, { KeyId: keyId.toUpperCase() }],
  ['KeyId with a blank behind it', ALL, { KeyId: `${keyId} ` }],
  ['KeyId in a list', ALL, { KeyId: [keyId] }],
  ['no SourceKeyId', ['ReEncrypt'], { SourceKeyId: undefined }],
  ['SourceKeyId of another key', ['ReEncrypt'], { SourceKeyId: otherArn }],
  ['no Plaintext', PLAIN, { Plaintext: undefined }],
  ['an empty Plaintext', MADE, { Plaintext: '' }],
  ['a Plaintext of 31 bytes', MADE, { Plaintext: base64Of(31) }],
  ['a Plaintext of 33 bytes', MADE, { Plaintext: base64Of(33) }],
  ['a Plaintext of 16 bytes', MADE, { Plaintext: base64Of(16) }],
  [
    'a Plaintext that is not base64',
    PLAIN,
    { Plaintext: 'canary canary canary canary canary canary !!' },
  ],
  [
    'a Plaintext in base64url',
    PLAIN,
    { Plaintext: encodeBase64(new Uint8Array(32).fill(255)).replaceAll('/', '_') },
  ],
  ['a Plaintext that is a list', PLAIN, { Plaintext: [...DEK] }],
  ['no CiphertextBlob', BLOB, { CiphertextBlob: undefined }],
  ['an empty CiphertextBlob', BLOB, { CiphertextBlob: '' }],
  ['a CiphertextBlob of 6,145 bytes', BLOB, { CiphertextBlob: base64Of(6_145) }],
  ['a CiphertextBlob that is not base64', BLOB, { CiphertextBlob: 'canary!' }],
]
const rows = changes.flatMap(([what, on, change]) =>
  on.map((operation) => [operation, what, change] as const),
)

describe('R9 AWS KMS: members of an answer', () => {
  it.each(ALL)('%s: the answer that all others are a change of is taken', async (operation) => {
    const { call, right } = operations[operation]!
    const { kms, ports } = over(() => Response.json(right))
    expect(await codeOf(call(kms))).toBe('no error')
    expect(ports.sent[0]?.headers.get('x-amz-target')).toBe(`TrentService.${operation}`)
  })

  it.each(rows)('%s: %s is refused, once and without a trace', async (operation, _what, change) => {
    const { call, right } = operations[operation]!
    const { kms, ports } = over(() => Response.json({ ...right, ...change }))
    const error: unknown = await call(kms).catch((caught: unknown) => caught)
    expect(isKmsError(error) ? error.code : error).toBe('ERR_KMS_RESPONSE_INVALID')
    expect(error).toMatchObject({ operation, provider: 'aws-kms' })
    expect([hasCanary(error), ports.sent.length]).toEqual([false, 1])
  })

  it('a CiphertextBlob of 6,144 bytes is taken', async () => {
    const { call, right } = operations['Encrypt']!
    const { kms } = over(() => Response.json({ ...right, CiphertextBlob: base64Of(6_144) }))
    expect(await codeOf(call(kms))).toBe('no error')
  })

  it('what AWS may add is passed over', async () => {
    const more = { CiphertextForRecipient: 'canary', KeyMaterialId: 'x', KeyOrigin: 'AWS_KMS' }
    for (const { call, right } of Object.values(operations)) {
      const { kms } = over(() => Response.json({ ...right, ...more }))
      expect(await codeOf(call(kms))).toBe('no error')
    }
  })
})

describe('R9 AWS KMS: answers that are none', () => {
  const bodies: Readonly<Record<string, (right: string) => BodyInit | null>> = {
    'no body': () => null,
    HTML: () => '<html>canary</html>',
    'the first half': (right) => right.slice(0, right.length >> 1),
    'two objects': (right) => right + right,
    'a list': (right) => `[${right}]`,
    'a text': (right) => JSON.stringify(right),
    'an object inside': (right) => `{"Output":${right}}`,
    'members of a prototype': (right) => `{"__proto__":${right}}`,
    'UTF-16': (right) =>
      new Uint8Array(new Uint16Array([...right].map((c) => c.charCodeAt(0))).buffer),
    'more than 256 KiB': (right) => right + ' '.repeat(262_144),
  }
  const wrong = Object.keys(bodies).flatMap((what) => ALL.map((one) => [one, what] as const))

  it.each(wrong)('%s: %s', async (operation, what) => {
    const { call, right } = operations[operation]!
    const { kms, ports } = over(() => new Response(bodies[what]?.(JSON.stringify(right)) ?? null))
    const error: unknown = await call(kms).catch((caught: unknown) => caught)
    expect(isKmsError(error) ? error.code : error).toBe('ERR_KMS_RESPONSE_INVALID')
    expect(error).toMatchObject({ operation, provider: 'aws-kms' })
    expect([hasCanary(error), ports.sent.length, ports.waiting]).toEqual([false, 1, 0])
  })

  it.each([
    undefined,
    'text/html',
    'application/octet-stream',
    ';;;',
    'application/json; charset=x',
  ])('the Content-Type %s decides nothing', async (type) => {
    for (const { call, right } of Object.values(operations)) {
      const headers = new Headers()
      const body = encodeUtf8(JSON.stringify(right))
      if (type !== undefined) headers.set('content-type', type)
      const { kms } = over(() => new Response(body, { headers }))
      expect(await codeOf(call(kms))).toBe('no error')
    }
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

describe('R21 AWS KMS: bodies that hang', () => {
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
    const { kms, ports } = over(
      () => {
        arrived.resolve(undefined)
        return new Response(half(right))
      },
      { timeoutMs: 700 },
    )
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

describe('R9 AWS KMS: answers of DescribeKey', () => {
  const metadata = (KeyMetadata: unknown) => ({ KeyMetadata })
  const region = 'us-east-1'
  it.each([
    ['no KeyMetadata', {}],
    ['KeyMetadata null', metadata(null)],
    ['KeyMetadata a text', metadata('canary')],
    ['KeyMetadata a number', metadata(7)],
    ['KeyMetadata a list', metadata([])],
    ['no Arn', metadata({ KeyId: 'canary' })],
    ['an Arn that is an alias', metadata({ Arn: keyId.replace(/key\/.*/, 'alias/app') })],
    ['an Arn of another Region', metadata({ Arn: keyId.replace(region, 'us-west-2') })],
    ['an Arn of another service', metadata({ Arn: keyId.replace(':kms:', ':s3:') })],
    ['an Arn with more behind it', metadata({ Arn: `${keyId}/..` })],
  ])('%s: the alias is not pinned, and no data key is asked for', async (_what, answer) => {
    const { kms, ports } = over(() => Response.json(answer), { keyId: 'alias/app', region })
    for (const { call } of Object.values(operations)) {
      const error: unknown = await call(kms).catch((caught: unknown) => caught)
      expect(isKmsError(error) ? error.code : error).toBe('ERR_KMS_RESPONSE_INVALID')
      expect(hasCanary(error)).toBe(false)
    }
    const targets = new Set(ports.sent.map(({ headers }) => headers.get('x-amz-target')))
    expect(targets).toEqual(new Set(['TrentService.DescribeKey']))
  })
})
