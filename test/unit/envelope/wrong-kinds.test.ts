// A caller without types gets an error with a code at the call that is wrong.
import { describe, expect, it } from 'vitest'
import {
  CachedKms,
  type EncryptedEnvelope,
  EnvelopeCipher,
  type EnvelopeCipherOptions,
  parseContextJson,
} from '../../../src/index.ts'
import { createKms, createResilientKms } from '../../../src/config/index.ts'
import { codeOf, codeOfAsync } from '../../vectors/hex.ts'
import { FakeRuntime, OPTIONS, PlainKms, sequence, setUp } from '../wire/fixture.ts'

const CONFIG = 'ERR_KMS_CONFIG'
const said = (make: () => unknown): string => {
  try {
    make()
  } catch (error) {
    return String(error)
  }
  return 'nothing'
}

describe('cache', () => {
  const kms = new PlainKms()
  const built = (options: object): string | undefined =>
    codeOf(() => new EnvelopeCipher(options as EnvelopeCipherOptions))

  it.each(['kms', 'requiredContextKeys', 'maxWraps', 'dataKeyStore', 'encryptForMs', 'runtime'])(
    'refuses %s, which stands beside it: one of both would be ignored',
    (name) => {
      expect(built({ kms, cache: { [name]: undefined } })).toBe(CONFIG)
      expect(said(() => new EnvelopeCipher({ kms, cache: { [name]: 5 } as object }))).toContain(
        `unknown option: cache.${name}`,
      )
    },
  )

  it.each<[string, unknown]>([
    ['a Map', new Map([['maxEntries', 0]])],
    ['an array', [{ maxEntries: 0 }]],
    ['a function', () => ({ maxEntries: 0 })],
  ])('refuses %s, which would be read as no options at all', (_, cache) => {
    expect(built({ kms, cache })).toBe(CONFIG)
  })
})

it.each([{ runtime: {} }, { runtime: { now: () => 0 } }, { network: {} }, { runtime: null }])(
  'refuses a port without its methods at construction: %j',
  (ports) => {
    const kms = new PlainKms()
    expect(codeOf(() => new EnvelopeCipher({ kms, ...ports } as never))).toBe(CONFIG)
    expect(codeOf(() => new CachedKms({ kms, ...ports } as never))).toBe(CONFIG)
  },
)

it('refuses a network without its methods at the construction of a provider', () => {
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' }
  const keyId = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
  const config = {
    provider: 'aws-kms',
    keyId,
    credentials: { type: 'static', ...credentials },
  } as const
  expect(codeOf(() => createKms(config, { network: {} as never }))).toBe(CONFIG)
})

describe.each<[string, object]>([
  ['signal: controller', { signal: new AbortController() }],
  ['signal: null', { signal: null }],
  ['defer: true', { defer: true }],
  ['defer: ctx', { defer: { waitUntil: () => undefined } }],
])('%s', (_, extra) => {
  it('is refused by every call, with the key at hand and without', async () => {
    const { cipher, kms } = setUp()
    const envelope = await cipher.encrypt(sequence(9), OPTIONS)
    kms.calls.length = 0
    const options = { ...OPTIONS, ...extra }
    const calls: readonly (() => unknown)[] = [
      () => cipher.encrypt(sequence(9), options),
      () => setUp({ kms }).cipher.encrypt(sequence(9), options),
      () => cipher.decrypt(envelope, options),
      () => setUp({ kms }).cipher.decrypt(envelope, options),
      () => cipher.encryptMany([], extra),
      () => cipher.decryptMany([], extra),
      () => cipher.encryptStream(options),
      () => cipher.startStream(options),
      () => cipher.decryptStream(options),
      () => cipher.decryptRange(() => Promise.resolve(envelope), { start: 0 }, options),
      () => cipher.rewrap(envelope, { context: OPTIONS.context, ...extra }),
    ]
    for (const call of calls) {
      expect(await codeOfAsync(async () => call()), call.toString()).toBe(CONFIG)
    }
    expect(kms.calls).toEqual([])
  })
})

it('a missing header is not a context', () => {
  expect(codeOf(() => parseContextJson(new Headers().get('x') as string))).toBe(
    'ERR_CONTEXT_INVALID',
  )
  expect(codeOf(() => parseContextJson({} as string))).toBe('ERR_CONTEXT_INVALID')
})

it('decryptRange needs a function, and canOpen a parsed envelope', async () => {
  const { cipher } = setUp()
  expect(await codeOfAsync(() => cipher.decryptRange(undefined as never, { start: 0 }))).toBe(
    CONFIG,
  )
  const read = (): Promise<Uint8Array> => Promise.resolve(sequence(9))
  expect(await codeOfAsync(() => cipher.decryptRange(read, undefined as never))).toBe(CONFIG)
  for (const wrong of [undefined, null, sequence(40)]) {
    expect(codeOf(() => cipher.canOpen(wrong as unknown as EncryptedEnvelope))).toBe(CONFIG)
  }
})

it('invalidate refuses a controller in the place of its signal', async () => {
  const keys = new CachedKms({ kms: new PlainKms() })
  const options = { signal: new AbortController() } as never
  expect(await codeOfAsync(() => keys.invalidate({}, options))).toBe(CONFIG)
})

describe('a configuration', () => {
  const arn = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
  const withSecret = (secretAccessKey: unknown): object => ({
    provider: 'aws-kms',
    keyId: arn,
    credentials: { type: 'static', accessKeyId: 'AKID', secretAccessKey },
  })

  it('shows a number only where a number is expected: a PIN or a key may be one', () => {
    expect(said(() => createKms(withSecret(918_273_645) as never))).not.toContain('918')
    const local = { provider: 'local', versions: [{ version: 1, key: { env: 'K' } }] } as const
    expect(said(() => createResilientKms({ deadlineMs: 918_273_645, kms: local }))).toContain('918')
    expect(said(() => new EnvelopeCipher({ kms: 918_273_645 } as never))).not.toContain('918')
  })

  it('with a key named __proto__ is refused: the entry would be lost', () => {
    const config = JSON.parse(
      `{"provider":"aws-kms","keyId":"${arn}","credentials":{"type":"static","accessKeyId":"A","secretAccessKey":"B"},"healthContext":{"__proto__":"acme"}}`,
    ) as never
    expect(codeOf(() => createKms(config))).toBe(CONFIG)
  })
})

it.each([
  [
    'throws',
    () => {
      throw new TypeError('Illegal invocation')
    },
  ],
  ['rejects', () => Promise.reject(new TypeError('Illegal invocation'))],
])('a defer that %s fails no call: its work goes on without it', async (_, defer) => {
  const runtime = new FakeRuntime()
  const { cipher, kms } = setUp({ runtime, cache: { ttlMs: 300_000, refreshAheadMs: 60_000 } })
  const options = { ...OPTIONS, defer: defer as () => void }
  const envelope = await cipher.encrypt(sequence(9), options) // no key at hand
  runtime.nowMs += 290_000 // due for renewal
  await cipher.encrypt(sequence(9), options)
  await cipher.decrypt(envelope, options)
  const again = await setUp({ kms }).cipher.decrypt(envelope, options)
  expect(again).toEqual(sequence(9))
})
