// A hostile KMS or store answers anything, and a clock says anything: every failure has a code, and an abort
// is heard at once.
import { describe, expect, it, vi } from 'vitest'
import {
  type DataKeyStore,
  EnvelopeCipher,
  isKmsError,
  KMS_ERROR_CODES,
  KmsError,
  type KmsErrorCode,
  type MultiKmsOptions,
  MultiKms,
  SecretBytes,
  unwrapEach,
} from '../../../src/index.ts'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
import { codeOfAsync } from '../../vectors/hex.ts'
import {
  type Bytes,
  coldReader,
  FakeRuntime,
  localKms,
  OPTIONS,
  PlainKms,
  sequence,
} from '../wire/fixture.ts'

const INVALID = 'ERR_KMS_RESPONSE_INVALID'
const plaintext = sequence(9)
const wrap = { provider: 'plain', kekId: 'app', kekVersion: '1', wrapped: sequence(32).reverse() }
const secret = (): SecretBytes => SecretBytes.take(sequence(32))
const disposed = (): SecretBytes => {
  const bytes = secret()
  bytes.dispose()
  return bytes
}

/** A KMS of which one method answers what no type allows. */
function answering(method: keyof PlainKms, answer: () => unknown): PlainKms {
  return Object.assign(new PlainKms(), { [method]: async () => answer() })
}

const message = (): Promise<Bytes> => coldReader(new PlainKms()).encrypt(plaintext, OPTIONS)

describe('an answer that is nonsense', () => {
  const noWraps: [string, unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['text', 'wraps'],
    ['no list', { length: 1 }],
    ['an empty list', []],
    ['a hole', [undefined]],
    ['a wrap without bytes', [{ ...wrap, wrapped: undefined }]],
    ['a wrap in base64', [{ ...wrap, wrapped: 'AAAA' }]],
    ['a wrap that is empty', [{ ...wrap, wrapped: new Uint8Array(0) }]],
    ['a wrap that is too long', [{ ...wrap, wrapped: new Uint8Array(16_385) }]],
    ['a number for a version', [{ ...wrap, kekVersion: 1 }]],
    ['a kekId with a lone surrogate', [{ ...wrap, kekId: '\ud800' }]],
    ['no kekId', [{ ...wrap, kekId: '' }]],
    ['a provider with capitals', [{ ...wrap, provider: 'Plain' }]],
    ['one key twice', [wrap, wrap]],
    ['a wrap that the KMS would not open again', [{ ...wrap, kekId: 'another' }]],
  ]

  it.each(noWraps)('from generateDataKey: wraps that are %s', async (_, wraps) => {
    const given = secret()
    const kms = answering('generateDataKey', () => ({ plaintext: given, wraps }))
    expect(await codeOfAsync(() => coldReader(kms).encrypt(plaintext, OPTIONS))).toBe(INVALID)
    expect(() => given.expose()).toThrow(TypeError) // it was wiped
  })

  it.each(noWraps)('from wrapDataKey and rewrapDataKey: %s', async (_, wraps) => {
    const envelope = await message()
    const wrapping = answering('wrapDataKey', () => wraps)
    expect(await codeOfAsync(() => coldReader(wrapping).rewrap(envelope, OPTIONS))).toBe(INVALID)
    const inside = answering('rewrapDataKey', () => wraps)
    const options = { ...OPTIONS, verify: 'kms' } as const
    expect(await codeOfAsync(() => coldReader(inside).rewrap(envelope, options))).toBe(INVALID)
  })

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a number', 7],
    ['no plaintext', { wraps: [wrap] }],
    ['plain bytes', { plaintext: sequence(32), wraps: [wrap] }],
    ['a wiped secret', { plaintext: disposed(), wraps: [wrap] }],
    ['text', { plaintext: { expose: () => 'secret', dispose: () => 0 }, wraps: [wrap] }],
  ])('from generateDataKey: %s', async (_, answer) => {
    const kms = answering('generateDataKey', () => answer)
    expect(await codeOfAsync(() => coldReader(kms).encrypt(plaintext, OPTIONS))).toBe(INVALID)
  })

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['plain bytes', { plaintext: sequence(32), by: wrap }],
    ['a wiped secret', { plaintext: disposed(), by: wrap }],
    ['no wrap', { plaintext: secret() }],
    ['a wrap without a key', { plaintext: secret(), by: { ...wrap, kekId: undefined } }],
  ])('from unwrapDataKey and as an item of unwrapMany: %s', async (_, answer) => {
    const envelope = await message()
    const one = answering('unwrapDataKey', () => answer)
    expect(await codeOfAsync(() => coldReader(one).decrypt(envelope, OPTIONS))).toBe(INVALID)
    const many = answering('unwrapMany', () => [{ ok: true, value: answer }])
    const [outcome] = await coldReader(many).decryptMany([{ envelope, ...OPTIONS }])
    expect(outcome).toMatchObject({ error: { code: INVALID } })
  })

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['an object', {}],
    ['an empty list', []],
    ['a hole', [undefined]],
    ['a yes that is not an outcome', [true]],
    ['a no without an error', [{ ok: false }]],
    ['a no with another error', [{ ok: false, error: new Error('x') }]],
  ])('from unwrapMany: %s', async (_, answer) => {
    const envelope = await message()
    for (const options of [{}, { cache: false }]) {
      const reader = coldReader(
        answering('unwrapMany', () => answer),
        options,
      )
      const [outcome] = await reader.decryptMany([{ envelope, ...OPTIONS }])
      expect(outcome).toMatchObject({ error: { code: INVALID } })
    }
  })

  it('from unwrapMany for some is the outcome of these, and the rest opens', async () => {
    const kms = new PlainKms()
    const writer = new EnvelopeCipher({ kms, cache: false })
    const items = []
    for (let i = 0; i < 4; i++) {
      items.push({ envelope: await writer.encrypt(plaintext, OPTIONS), ...OPTIONS })
    }
    const real = kms.unwrapMany.bind(kms)
    kms.unwrapMany = async (...args) => (await real(...args)).slice(0, 2)
    const outcomes = await coldReader(kms).decryptMany(items)
    expect(outcomes.map((one) => one.ok || one.error.code)).toEqual([true, true, INVALID, INVALID])
  })

  it('of one copy of the package is understood by another', async () => {
    const plain = { expose: () => sequence(32), dispose: vi.fn<() => void>(), length: 32 }
    const kms = answering('generateDataKey', () => ({ plaintext: plain, wraps: [wrap] }))
    await coldReader(kms).encrypt(plaintext, OPTIONS)
    expect(plain.dispose).toHaveBeenCalledOnce()
  })
})

describe('what a KMS or a store throws', () => {
  const foreign: [string, unknown][] = [
    ['an Error', new TypeError('socket')],
    ['text', 'down'],
    ['nothing', undefined],
    ['a timeout', new DOMException('late', 'TimeoutError')],
  ]

  it.each(foreign)('%s has a code, and is the cause', async (_, thrown) => {
    const envelope = await message()
    const failing = new PlainKms()
    // One method is not an async function and throws as it is called.
    failing.generateDataKey = () => {
      throw thrown
    }
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- that is the point
    const reject = (): Promise<never> => Promise.reject(thrown)
    const [unwrapDataKey, unwrapMany, wrapDataKey, rewrapDataKey] = [reject, reject, reject, reject]
    Object.assign(failing, { unwrapDataKey, unwrapMany, wrapDataKey, rewrapDataKey })
    const cipher = coldReader(failing)
    for (const work of [
      () => cipher.encrypt(plaintext, OPTIONS),
      () => cipher.decrypt(envelope, OPTIONS),
      () => cipher.rewrap(envelope, OPTIONS),
      () => cipher.rewrap(envelope, { ...OPTIONS, verify: 'kms' as const }),
    ]) {
      const error = await work().catch((one: unknown) => one)
      expect(error).toMatchObject({ code: 'ERR_KMS_UNAVAILABLE', retryable: true })
      expect((error as Error).cause).toBe(thrown)
    }
    const [outcome] = await cipher.decryptMany([{ envelope, ...OPTIONS }])
    expect(outcome).toMatchObject({ error: { code: 'ERR_KMS_UNAVAILABLE' } })
  })

  it('an error with a code that nobody knows is a wrong answer, and the cause', async () => {
    const unknown = new KmsError('ERR_KMS_QUOTA' as KmsErrorCode)
    const kms = answering('generateDataKey', () => {
      throw unknown
    })
    const error = await coldReader(kms)
      .encrypt(plaintext, OPTIONS)
      .catch((one: unknown) => one)
    expect(error).toMatchObject({ code: INVALID, cause: unknown })
    expect(isKmsError(error) && KMS_ERROR_CODES.includes(error.code)).toBe(true)
  })

  it('an AbortError that the caller did not ask for is an outage', async () => {
    const abort = new DOMException('stop', 'AbortError')
    const kms = answering('generateDataKey', () => {
      throw abort
    })
    const error = { code: 'ERR_KMS_UNAVAILABLE', cause: abort }
    await expect(coldReader(kms).encrypt(plaintext, OPTIONS)).rejects.toMatchObject(error)
    const { signal } = new AbortController()
    const given = { ...OPTIONS, signal }
    await expect(coldReader(kms).encrypt(plaintext, given)).rejects.toMatchObject(error)
  })

  it('of one item of many is the outcome of that item', async () => {
    const kms = new PlainKms()
    let calls = 0
    kms.onUnwrap = () => {
      if (++calls === 2) throw new TypeError('socket')
    }
    const item = { wraps: [wrap], context: {} }
    const outcomes = await unwrapEach(kms, [item, item, item], {})
    expect(outcomes.map((one) => one.ok || one.error.code)).toEqual([
      true,
      'ERR_KMS_UNAVAILABLE',
      true,
    ])
    const aborted = { signal: AbortSignal.abort('gone') }
    kms.onUnwrap = () => {
      throw new TypeError('socket')
    }
    await expect(unwrapEach(kms, [item], aborted)).rejects.toBe('gone')
  })

  it('of one member of several gives way to the next', async () => {
    const good = localKms()
    const envelope = await coldReader(good).encrypt(plaintext, OPTIONS)
    const broken = localKms()
    broken.unwrapDataKey = () => Promise.reject(new TypeError('socket'))
    const both = coldReader(new MultiKms({ read: [broken, good], write: [good] }))
    expect(await both.decrypt(envelope, OPTIONS)).toEqual(plaintext)
    const alone = coldReader(new MultiKms({ read: [broken] }))
    expect(await codeOfAsync(() => alone.decrypt(envelope, OPTIONS))).toBe('ERR_KMS_UNAVAILABLE')
  })

  it('a member whose wraps are not its own is not hidden by the others', async () => {
    const members = (): MultiKmsOptions => ({ read: [localKms(), new PlainKms()] })
    await new EnvelopeCipher({ kms: new MultiKms(members()) }).encrypt(plaintext, OPTIONS)
    const lying = members()
    lying.read[1]!.wrapDataKey = async () => [{ ...wrap, kekId: 'another' }]
    const first = members().read.toReversed()
    first[0]!.generateDataKey = async () => {
      return { plaintext: secret(), wraps: [{ ...wrap, kekId: 'another' }] }
    }
    for (const kms of [new MultiKms(lying), new MultiKms({ read: first })]) {
      const cipher = new EnvelopeCipher({ kms })
      expect(await codeOfAsync(() => cipher.encrypt(plaintext, OPTIONS))).toBe(INVALID)
    }
  })
})

function detached(): Uint8Array {
  const bytes = new Uint8Array(80)
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  return bytes
}

describe('a store that answers nonsense', () => {
  const storeOf = (changes: Partial<DataKeyStore>): DataKeyStore =>
    Object.assign(new MemoryDataKeyStore(), changes)

  it.each<[string, unknown]>([
    ['null', null],
    ['text', 'record'],
    ['a buffer', new ArrayBuffer(8)],
    ['a promise of nothing good', {}],
    ['what has the prototype of bytes', Object.create(Uint8Array.prototype)],
    ['a proxy of bytes', new Proxy(new Uint8Array(80), {})],
    ['bytes that are gone', detached()],
  ])('is unavailable: %s', async (_, found) => {
    const inner = new MemoryDataKeyStore()
    const kms = new PlainKms()
    const writer = coldReader(kms, { dataKeyStore: inner, form: 'reference' })
    const envelope = await writer.encrypt(plaintext, OPTIONS)
    const dataKeyStore = storeOf({ get: async () => found as Bytes })
    const reader = coldReader(kms, { dataKeyStore, form: 'reference' })
    const code = 'ERR_STORE_UNAVAILABLE'
    expect(await codeOfAsync(() => reader.decrypt(envelope, OPTIONS))).toBe(code)
    expect(await codeOfAsync(() => reader.encrypt(plaintext, OPTIONS))).toBe(code)
  })
})

describe('an abort', () => {
  const never = (): Promise<never> => new Promise(() => undefined)
  const reason = new Error('the caller left')

  /** Rejects with the reason although nobody listens to the signal. */
  async function isHeard(work: (options: { signal: AbortSignal }) => Promise<unknown>) {
    const controller = new AbortController()
    const running = work({ signal: controller.signal })
    const outcome = expect(running).rejects.toBe(reason)
    await new Promise((resolve) => setTimeout(resolve, 1))
    controller.abort(reason)
    await outcome
  }

  it('is heard where the KMS does not listen', async () => {
    const envelope = await message()
    const deaf = new PlainKms()
    deaf.generateDataKey = never
    deaf.unwrapDataKey = never
    deaf.unwrapMany = never
    deaf.rewrapDataKey = never
    const cipher = coldReader(deaf)
    await isHeard((options) => cipher.encrypt(plaintext, { ...OPTIONS, ...options }))
    await isHeard((options) => cipher.decrypt(envelope, { ...OPTIONS, ...options }))
    await isHeard((options) => cipher.encryptMany([{ plaintext, ...OPTIONS }], options))
    await isHeard((options) => cipher.decryptMany([{ envelope, ...OPTIONS }], options))
    await isHeard((options) => cipher.rewrap(envelope, { ...OPTIONS, ...options }))
    const verify = 'kms' as const
    await isHeard((options) => cipher.rewrap(envelope, { ...OPTIONS, ...options, verify }))
  })

  it('is heard where the store does not listen', async () => {
    const dataKeyStore = Object.assign(new MemoryDataKeyStore(), { get: never })
    const cipher = coldReader(new PlainKms(), { dataKeyStore, form: 'reference' })
    await isHeard((options) => cipher.encrypt(plaintext, { ...OPTIONS, ...options }))
    const reference = new Uint8Array([0x65, 0x6b, 1, 0x11, ...sequence(72)])
    await isHeard((options) => cipher.decrypt(reference, { ...OPTIONS, ...options }))
  })

  it('wipes the data key that comes too late', async () => {
    const late = secret()
    const kms = new PlainKms()
    let answer = (): void => undefined
    kms.generateDataKey = () =>
      new Promise((resolve) => {
        answer = () => {
          resolve({ plaintext: late, wraps: [wrap] })
        }
      })
    await isHeard((options) => coldReader(kms).encrypt(plaintext, { ...OPTIONS, ...options }))
    expect(late.length).toBe(32)
    answer()
    await new Promise((resolve) => setTimeout(resolve, 1))
    expect(() => late.expose()).toThrow(TypeError)
  })

  it('before the call asks nobody', async () => {
    const kms = new PlainKms()
    const signal = AbortSignal.abort(reason)
    const items = [{ plaintext, ...OPTIONS }]
    await expect(coldReader(kms).encryptMany(items, { signal })).rejects.toBe(reason)
    expect(kms.calls).toEqual([])
  })
})

describe('a clock', () => {
  it.each<[string, unknown]>([
    ['Infinity', Infinity],
    ['NaN', NaN],
    ['a bigint', 1_767_225_600_000n],
    ['text', '1767225600000'],
    ['nothing', undefined],
    ['more than a number can count', 2 ** 60],
  ])('that gives %s is a mistake of the configuration', async (_, now) => {
    const kms = new PlainKms()
    const runtime = Object.assign(new FakeRuntime(), { now: () => now as number })
    for (const cache of [{}, false] as const) {
      const cipher = new EnvelopeCipher({ kms, runtime, cache })
      expect(await codeOfAsync(() => cipher.encrypt(plaintext, OPTIONS))).toBe('ERR_KMS_CONFIG')
    }
    expect(kms.calls).toEqual([])
  })
})
