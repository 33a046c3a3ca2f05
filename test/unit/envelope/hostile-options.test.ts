import { describe, expect, it } from 'vitest'
import {
  CachedKms,
  EncryptedEnvelope,
  EnvelopeCipher,
  type EnvelopeCipherOptions,
  MultiKms,
} from '../../../src/index.ts'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
import { codeOf, codeOfAsync, utf8 } from '../../vectors/hex.ts'
import { drain, localKms, OPTIONS, PlainKms, setUp } from '../wire/fixture.ts'
import { CountingKms } from './fixture.ts'

const plaintext = utf8('4111 1111')
const CONFIG = 'ERR_KMS_CONFIG'

/** The code of a constructor that is given what no type allows. */
const built = (options: unknown): string | undefined =>
  codeOf(() => new EnvelopeCipher(options as EnvelopeCipherOptions))

describe('a cipher that is built wrongly', () => {
  const kms = new PlainKms()
  const keys = new CachedKms({ kms })

  it.each<[string, object]>([
    ['nothing', {}],
    ['kms: undefined', { kms: undefined }],
    ['kms: null', { kms: null }],
    ['a string', { kms: 'local' }],
    ['a function', { kms: () => kms }],
    ['an object that is not a KMS', { kms: {} }],
    ['keys: undefined', { keys: undefined }],
    ['both', { kms, keys }],
    ['form, misspelt', { kms, form: 'refrence' }],
    ['form in capitals', { kms, form: 'INLINE' }],
    ['form: true', { kms, form: true }],
    ['a reference without a store', { kms, form: 'reference' }],
    ['a reference from a source without a store', { keys, form: 'reference' }],
    ['a version that does not exist', { kms, acceptVersions: [2] }],
    ['no version at all', { kms, acceptVersions: [] }],
    ['a version as text', { kms, acceptVersions: ['1'] }],
    ['version 0 beside 1', { kms, acceptVersions: [1, 0] }],
  ])('is refused at once: %s', (_, options) => {
    expect(built(options)).toBe(CONFIG)
  })

  it.each(['cache', 'requiredContextKeys', 'maxWraps', 'encryptForMs', 'maxMessages', 'maxBytes'])(
    'is refused where %s would be ignored, because the source is given',
    (name) => {
      const values: Record<string, unknown> = { cache: false, requiredContextKeys: [] }
      expect(built({ keys, [name]: values[name] ?? 5 })).toBe(CONFIG)
      expect(built({ keys, [name]: undefined })).toBeUndefined()
    },
  )

  it.each(['ttlMS', 'requiredContextkeys', 'maxRecordByte', 'dataKeystore', 'contex', 'kmss'])(
    'is refused where unknown: %s, of the cipher, its cache or its source',
    (name) => {
      expect(built({ kms, [name]: 5 })).toBe(CONFIG)
      expect(built({ kms, cache: false, [name]: 5 })).toBe(CONFIG)
      expect(built({ kms, cache: { [name]: 5 } })).toBe(CONFIG)
      expect(built({ keys, [name]: 5 })).toBe(CONFIG)
      expect(codeOf(() => new CachedKms({ kms, [name]: 5 }))).toBe(CONFIG)
      expect(codeOf(() => new CachedKms({ maxEntries: 0, kms, [name]: 5 }))).toBe(CONFIG)
      expect(codeOf(() => new MultiKms({ read: [kms], [name]: 5 }))).toBe(CONFIG)
      expect(built({ kms, [name]: undefined })).toBeUndefined()
    },
  )

  it.each<[string, object]>([
    ['cache: null', { kms, cache: null }],
    ['cache: 0', { kms, cache: 0 }],
    ["cache: 'off'", { kms, cache: 'off' }],
    ['cache: true', { kms, cache: true }],
    ['requiredContextKeys as text', { kms, requiredContextKeys: 'tenant' }],
    ['requiredContextKeys: null', { kms, requiredContextKeys: null }],
    ['dataKeyStore: null', { kms, dataKeyStore: null }],
    ['maxWraps: null', { kms, maxWraps: null }],
    ['encryptForMs: null', { kms, encryptForMs: null }],
    ['maxEntries as text', { kms, cache: { maxEntries: '5' } }],
    ['kms: a KMS in a list', { kms: [kms] }],
  ])('is refused at once, and not read as a default: %s', (_, options) => {
    expect(built(options)).toBe(CONFIG)
  })

  it('kms works beside keys: undefined', async () => {
    const cipher = new EnvelopeCipher({ kms, keys: undefined })
    expect(await cipher.decrypt(await cipher.encrypt(plaintext))).toEqual(plaintext)
  })

  it('takes undefined for what is not given', () => {
    const nothing = { keys: undefined, form: undefined, cache: undefined, maxWraps: undefined }
    expect(built({ kms, ...nothing })).toBeUndefined()
  })

  it('does nothing on construction: no call, no clock, no random number', () => {
    const counting = new CountingKms(kms)
    const runtime = {
      now: () => {
        throw new Error('the clock was asked')
      },
      randomFill: () => {
        throw new Error('the generator was asked')
      },
    }
    for (const cache of [{}, false] as const) new EnvelopeCipher({ kms: counting, runtime, cache })
    new EnvelopeCipher({ keys: new CachedKms({ maxEntries: 0, kms: counting, runtime }), runtime })
    expect(counting.calls).toEqual([])
  })

  it('cannot be changed through the options that it was built with', async () => {
    const acceptVersions = [1]
    const requiredContextKeys = ['tenant']
    const { cipher } = setUp({ acceptVersions, requiredContextKeys })
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    acceptVersions.length = 0
    requiredContextKeys.length = 0
    expect(await cipher.decrypt(envelope, OPTIONS)).toEqual(plaintext)
    expect(await codeOfAsync(() => cipher.encrypt(plaintext, {}))).toBe('ERR_CONTEXT_INVALID')
  })
})

describe('a call with an option that does not exist', () => {
  it.each(['refrence', 'Reference', '', true, 0])('form %s is never a reference', async (form) => {
    const kms = new CountingKms(localKms())
    const dataKeyStore = new MemoryDataKeyStore()
    const { cipher } = setUp({ kms, dataKeyStore })
    const call = { ...OPTIONS, form } as object
    expect(await codeOfAsync(() => cipher.encrypt(plaintext, call))).toBe(CONFIG)
    expect(await codeOfAsync(() => cipher.encryptText('x', call))).toBe(CONFIG)
    expect(codeOf(() => cipher.encryptStream(call))).toBe(CONFIG)
    const [outcome] = await cipher.encryptMany([{ plaintext, ...call }])
    expect(outcome?.ok === false && outcome.error.code).toBe(CONFIG)
    expect(kms.calls).toEqual([])
    expect((await dataKeyStore.list(undefined, 10)).keys).toEqual([])
  })

  it('form: null and undefined are the form of the cipher', async () => {
    const { cipher } = setUp()
    for (const form of [null, undefined]) {
      const envelope = await cipher.encrypt(plaintext, { ...OPTIONS, form } as object)
      expect(EncryptedEnvelope.parse(envelope).kind).toBe('record')
    }
  })

  it.each(['opne', 'KMS', '', false, 1])('verify %s: no unproven wrap', async (verify) => {
    const kms = new CountingKms(localKms())
    const { cipher } = setUp({ kms })
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    kms.calls.length = 0
    const call = { context: OPTIONS.context, verify } as object
    expect(await codeOfAsync(() => cipher.rewrap(envelope, call))).toBe(CONFIG)
    expect(codeOf(() => cipher.rewrapStream(call))).toBe(CONFIG)
    expect(kms.calls).toEqual([])
  })

  it.each(['record', 'stream-by-reference', 5, {}])('kinds: %o is not a list', async (kinds) => {
    const kms = new CountingKms(localKms())
    const { cipher } = setUp({ kms })
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    kms.calls.length = 0
    const call = { ...OPTIONS, kinds } as object
    expect(await codeOfAsync(() => cipher.decrypt(envelope, call))).toBe(CONFIG)
    expect(await codeOfAsync(() => cipher.decryptMany([{ envelope }], call))).toBe(CONFIG)
    expect(await codeOfAsync(() => cipher.decryptStored(envelope, call))).toBe(CONFIG)
    expect(codeOf(() => cipher.decryptStream(call))).toBe(CONFIG)
    expect(kms.calls).toEqual([])
  })

  it.each<[string, unknown]>([
    ['nothing', []],
    ['a kind that does not exist', ['records']],
    ['a number', [1]],
  ])('kinds: %s accepts nothing', async (_, kinds) => {
    const kms = new CountingKms(localKms())
    const { cipher } = setUp({ kms })
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    kms.calls.length = 0
    const call = { ...OPTIONS, kinds } as object
    const code = 'ERR_WIRE_KIND_REFUSED'
    expect(await codeOfAsync(() => cipher.decrypt(envelope, call))).toBe(code)
    expect((await drain(cipher.decryptStream(call), [envelope])).error).toMatchObject({ code })
    const [outcome] = await cipher.decryptMany([{ envelope, ...OPTIONS }], { kinds } as object)
    expect(outcome?.ok === false && outcome.error.code).toBe(code)
    expect(kms.calls).toEqual([])
  })

  it.each<[string, unknown]>([
    ['a Map', new Map([['tenant', 'acme']])],
    ['Headers', new Headers({ tenant: 'acme' })],
    ['URLSearchParams', new URLSearchParams({ tenant: 'acme' })],
    ['an array', ['tenant']],
    ['text', 'tenant'],
    ['null', null],
    ['a class instance', new Date()],
    ['a number as a value', { tenant: 5 }],
    ['undefined as a value', { tenant: undefined }],
    ['an object as a value', { tenant: { toString: () => 'acme' } }],
  ])('a context or aad that is %s never passes for an empty one', async (_, map) => {
    const kms = new CountingKms(localKms())
    const { cipher } = setUp({ kms })
    for (const call of [{ context: map }, { aad: map }] as object[]) {
      const code = 'ERR_CONTEXT_INVALID'
      expect(await codeOfAsync(() => cipher.encrypt(plaintext, call))).toBe(code)
      const [outcome] = await cipher.encryptMany([{ plaintext, ...call }])
      expect(outcome?.ok === false && outcome.error.code).toBe(code)
      expect(codeOf(() => cipher.encryptStream(call))).toBe(code)
      expect(codeOf(() => cipher.decryptStream(call))).toBe(code)
    }
    expect(kms.calls).toEqual([])
    // A cold and a warm reader of a message without context and aad.
    const envelope = await cipher.encrypt(plaintext)
    for (const reader of [setUp({ kms }).cipher, cipher]) {
      for (const call of [{ context: map }, { aad: map }] as object[]) {
        expect(await codeOfAsync(() => reader.decrypt(envelope, call))).toBeDefined()
        const [outcome] = await reader.decryptMany([{ envelope, ...call }])
        expect(outcome?.ok).toBe(false)
      }
    }
  })

  it('bytes of another type are a mistake, before any I/O', async () => {
    const kms = new CountingKms(localKms())
    const { cipher } = setUp({ kms })
    const wrongs: readonly unknown[] = [
      undefined,
      null,
      'text',
      [1, 2],
      new ArrayBuffer(8),
      new DataView(new ArrayBuffer(8)),
      new Uint16Array(2),
    ]
    for (const wrong of wrongs) {
      const bytes = wrong as Uint8Array
      await expect(cipher.encrypt(bytes)).rejects.toBeInstanceOf(TypeError)
      await expect(cipher.decrypt(bytes)).rejects.toBeInstanceOf(TypeError)
      await expect(cipher.decryptStored(bytes)).rejects.toBeInstanceOf(TypeError)
      await expect(cipher.rewrap(bytes)).rejects.toBeInstanceOf(TypeError)
      expect((await drain(cipher.encryptStream(), [bytes])).error).toBeInstanceOf(TypeError)
      expect((await drain(cipher.decryptStream(), [bytes])).error).toBeInstanceOf(TypeError)
    }
    expect(kms.calls.filter((call) => call !== 'generate')).toEqual([])
  })
})
