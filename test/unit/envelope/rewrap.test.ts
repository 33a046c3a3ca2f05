import { describe, expect, it } from 'vitest'
import {
  EncryptedEnvelope,
  EnvelopeCipher,
  type KeyManagementService,
  MultiKms,
  SecretBytes,
  type WrappedKey,
} from '../../../src/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
import { codeOfAsync, toHex, utf8 } from '../../vectors/hex.ts'
import {
  coldReader,
  cut,
  drain,
  OPTIONS,
  PlainKms,
  sequence,
  setUp,
  through,
} from '../wire/fixture.ts'
import { CountingKms } from './fixture.ts'

const FAILED = 'ERR_DECRYPT_FAILED'
const CONTEXT = { context: OPTIONS.context }
const READ = { ...OPTIONS, kinds: ['record', 'stream'] as const }
const plaintext = utf8('4111 1111')

const kek = (n: number, version = 1): KeyManagementService =>
  createLocalKms({
    kekId: `kek-${String(n)}`,
    versions: Array.from({ length: version }, (_, i) => {
      return { version: i + 1, key: sequence(32, n * 16 + i) }
    }),
  })
const keks = (...numbers: number[]): MultiKms => new MultiKms({ read: numbers.map((n) => kek(n)) })
const idsOf = (message: Uint8Array): string[] =>
  EncryptedEnvelope.parse(message).wraps.map(({ kekId, kekVersion }) => `${kekId} ${kekVersion}`)
const bodyOf = (message: Uint8Array): string =>
  toHex(message.subarray(EncryptedEnvelope.parse(message).headBytes))

/** A KMS that rewraps inside, and answers a rewrap with wraps of a DEK of its own choice. */
class InsideKms extends PlainKms {
  override readonly capabilities = { ...new PlainKms().capabilities, rewrapsInside: true }
  evil: Uint8Array<ArrayBuffer> | undefined

  override async rewrapDataKey(
    ...args: Parameters<PlainKms['rewrapDataKey']>
  ): Promise<WrappedKey[]> {
    this.calls.push('rewrap')
    const dek = this.evil ?? args[0][0]!.wrapped.slice().reverse()
    return super.wrapDataKey(SecretBytes.copy(dek), args[1])
  }
}

describe('rewrap to other KEKs', () => {
  it.each(['record', 'stream'] as const)(
    'of a %s drops every old wrap, and only the new KEKs open it, body byte for byte',
    async (kind) => {
      const { cipher } = setUp({ kms: keks(1, 2) })
      const large = sequence(40_000)
      const message =
        kind === 'record'
          ? await cipher.encrypt(large, OPTIONS)
          : await through(cipher.encryptStream(OPTIONS), large)
      const mover = new MultiKms({ read: [kek(1), kek(3), kek(4)], write: [kek(3), kek(4)] })
      const next = await coldReader(mover).rewrap(message, CONTEXT)
      expect(idsOf(next)).toEqual(['kek-3 1', 'kek-4 1'])
      expect(bodyOf(next)).toBe(bodyOf(message))
      for (const n of [3, 4]) expect(await coldReader(kek(n)).decrypt(next, READ)).toEqual(large)
      for (const n of [1, 2]) {
        const code = await codeOfAsync(() => coldReader(kek(n)).decrypt(next, READ))
        expect(code).toBe('ERR_ENVELOPE_UNKNOWN_KEY')
      }
      // The old message still opens: the caller decides when to delete it.
      expect(await coldReader(kek(2)).decrypt(message, READ)).toEqual(large)
    },
  )

  it('needs one old KEK that opens, whichever it is', async () => {
    const message = await setUp({ kms: keks(1, 2) }).cipher.encrypt(plaintext, OPTIONS)
    const broken = message.slice()
    const { wraps } = EncryptedEnvelope.parse(message)
    const at = Buffer.from(broken).indexOf(wraps[0]!.wrapped)
    broken[at]! ^= 1
    const next = await coldReader(keks(1, 2)).rewrap(broken, CONTEXT)
    for (const n of [1, 2])
      expect(await coldReader(kek(n)).decrypt(next, OPTIONS)).toEqual(plaintext)
  })

  it('to a new version of the same KEK keeps the message readable for both', async () => {
    const message = await setUp({ kms: kek(1) }).cipher.encrypt(plaintext, OPTIONS)
    const next = await coldReader(kek(1, 2)).rewrap(message, CONTEXT)
    expect(idsOf(message)).toEqual(['kek-1 1'])
    expect(idsOf(next)).toEqual(['kek-1 2'])
    for (const one of [message, next]) {
      expect(await coldReader(kek(1, 2)).decrypt(one, OPTIONS)).toEqual(plaintext)
    }
  })

  it('of a data-key record moves every message that refers to it', async () => {
    const dataKeyStore = new MemoryDataKeyStore()
    const { cipher } = setUp({ kms: kek(1), dataKeyStore, form: 'reference' })
    const messages = [
      await cipher.encrypt(plaintext, OPTIONS),
      await cipher.encrypt(plaintext, OPTIONS),
    ]
    const [name] = (await dataKeyStore.list(undefined, 9)).keys
    const record = (await dataKeyStore.get(name!))!
    const mover = new MultiKms({ read: [kek(1), kek(2)], write: [kek(2)] })
    const next = await coldReader(mover).rewrap(record, CONTEXT)
    expect(EncryptedEnvelope.parse(next).kind).toBe('data-key-record')
    expect(await dataKeyStore.compareAndSwap(name!, record, next)).toBe(true)
    for (const message of messages) {
      expect(await coldReader(kek(2), { dataKeyStore }).decrypt(message, OPTIONS)).toEqual(
        plaintext,
      )
      const old = coldReader(kek(1), { dataKeyStore })
      expect(await codeOfAsync(() => old.decrypt(message, OPTIONS))).toBe(
        'ERR_ENVELOPE_UNKNOWN_KEY',
      )
    }
  })

  it('writes no more wraps than a reader of the same configuration takes', async () => {
    const message = await setUp({ kms: kek(1) }).cipher.encrypt(plaintext, OPTIONS)
    const many = keks(1, 2, 3)
    const code = await codeOfAsync(() => coldReader(many, { maxWraps: 2 }).rewrap(message, CONTEXT))
    expect(code).toBe('ERR_KMS_CONFIG')
    const next = await coldReader(many, { maxWraps: 3 }).rewrap(message, CONTEXT)
    expect(idsOf(next)).toHaveLength(3)
  })

  it('goes past the cache: a warm cipher asks the KMS, and holds nothing new', async () => {
    const kms = new CountingKms(kek(1))
    const { cipher } = setUp({ kms })
    const message = await cipher.encrypt(plaintext, OPTIONS)
    kms.calls.length = 0
    await cipher.rewrap(message, CONTEXT)
    expect(kms.calls).toEqual(['unwrap', 'wrap', 'unwrap'])
    kms.calls.length = 0
    await cipher.rewrap(message, { ...CONTEXT, verify: 'kms' })
    expect(kms.calls).toEqual(['rewrap'])
    const reader = coldReader(kms)
    await reader.rewrap(message, CONTEXT)
    kms.calls.length = 0
    await reader.decrypt(message, OPTIONS)
    expect(kms.calls).toEqual(['unwrap'])
  })

  it('as a stream gives the same bytes, in any pieces, and reads the body never', async () => {
    const kms = new PlainKms()
    const { cipher } = setUp({ kms })
    const message = await through(cipher.encryptStream(OPTIONS), sequence(40_000))
    kms.version = '2'
    const whole = await cipher.rewrap(message, CONTEXT)
    for (const sizes of [[1], [7, 300], [message.length]]) {
      const { released, error } = await drain(cipher.rewrapStream(CONTEXT), cut(message, sizes))
      expect(error).toBeUndefined()
      expect(toHex(released)).toBe(toHex(whole))
    }
    // A body that was damaged is passed on as it is: a rewrap has no business with it.
    const damaged = message.slice()
    damaged[damaged.length - 1]! ^= 1
    const { released } = await drain(cipher.rewrapStream(CONTEXT), [damaged])
    expect(toHex(released.subarray(-32))).toBe(toHex(damaged.subarray(-32)))
  })

  it('as a stream of a message that is cut in its head fails, and releases nothing', async () => {
    const { cipher } = setUp()
    const message = await cipher.encrypt(plaintext, OPTIONS)
    const { headBytes } = EncryptedEnvelope.parse(message)
    for (let length = 0; length < headBytes; length += 7) {
      const cutShort = message.slice(0, length)
      const { released, error } = await drain(cipher.rewrapStream(CONTEXT), [cutShort])
      expect(error).toMatchObject({ code: 'ERR_WIRE_MALFORMED' })
      expect(released).toHaveLength(0)
    }
  })
})

describe('a KMS that lies in a rewrap', () => {
  const evil = sequence(32, 200)

  async function insideWorld(): Promise<{ kms: InsideKms; message: Uint8Array }> {
    const kms = new InsideKms()
    const message = await coldReader(kms).encrypt(plaintext, OPTIONS)
    kms.calls.length = 0
    return { kms, message }
  }

  it('W3.32: inside the KMS: each new wrap is opened and compared before it leaves', async () => {
    const { kms, message } = await insideWorld()
    expect(
      await coldReader(kms).decrypt(await coldReader(kms).rewrap(message, CONTEXT), OPTIONS),
    ).toEqual(plaintext)
    kms.evil = evil
    expect(await codeOfAsync(() => coldReader(kms).rewrap(message, CONTEXT))).toBe(FAILED)
    const { released, error } = await drain(coldReader(kms).rewrapStream(CONTEXT), [message])
    expect(error).toMatchObject({ code: FAILED })
    expect(released).toHaveLength(0)
  })

  it('with verify kms nothing is proven: the lie leaves, and no reader takes it', async () => {
    const { kms, message } = await insideWorld()
    kms.evil = evil
    const next = await coldReader(kms).rewrap(message, { ...CONTEXT, verify: 'kms' })
    expect(kms.calls).toEqual(['rewrap', 'wrap'])
    expect(await codeOfAsync(() => coldReader(kms).decrypt(next, OPTIONS))).toBe(FAILED)
    expect(bodyOf(next)).toBe(bodyOf(message))
  })

  it('W3.32: one false wrap among several is enough to refuse', async () => {
    for (const liar of [0, 1, 2]) {
      const kms = new InsideKms()
      kms.kekIds = ['a', 'b', 'c']
      const message = await coldReader(kms).encrypt(plaintext, OPTIONS)
      const rewrap = kms.rewrapDataKey.bind(kms)
      kms.rewrapDataKey = async (...args) =>
        (await rewrap(...args)).map((wrap, i) =>
          i === liar ? { ...wrap, wrapped: evil.slice().reverse() } : wrap,
        )
      expect(await codeOfAsync(() => coldReader(kms).rewrap(message, CONTEXT))).toBe(FAILED)
    }
  })

  const INVALID = 'ERR_KMS_RESPONSE_INVALID'
  it.each<[string, (wraps: WrappedKey[]) => WrappedKey[], string, string | undefined]>([
    ['no wrap', () => [], INVALID, INVALID],
    ['two wraps under one KEK', ([one]) => [one!, one!], INVALID, INVALID],
    ['a false provider name', ([one]) => [{ ...one!, provider: 'A B' }], INVALID, INVALID],
    ['an empty wrap', ([one]) => [{ ...one!, wrapped: new Uint8Array(0) }], FAILED, INVALID],
    ['a DEK of 31 bytes', ([one]) => [{ ...one!, wrapped: sequence(31) }], FAILED, undefined],
  ])('and answers with %s is refused', async (_, change, proven, unproven) => {
    const { kms, message } = await insideWorld()
    const rewrap = kms.rewrapDataKey.bind(kms)
    kms.rewrapDataKey = async (...args) => change(await rewrap(...args))
    const codeWith = (verify: 'open' | 'kms'): Promise<string | undefined> =>
      codeOfAsync(() => coldReader(kms).rewrap(message, { ...CONTEXT, verify }))
    expect(await codeWith('open')).toBe(proven)
    // Nothing is opened here, so only what cannot be written is found.
    expect(await codeWith('kms')).toBe(unproven)
  })

  it('outside of the KMS: a wrap that it makes of another DEK is found', async () => {
    const kms = new PlainKms()
    const message = await coldReader(kms).encrypt(plaintext, OPTIONS)
    const wrap = kms.wrapDataKey.bind(kms)
    kms.wrapDataKey = (_, options) => wrap(SecretBytes.copy(evil), options)
    // The old wrap was proven before, so it is the KMS that is at fault.
    expect(await codeOfAsync(() => coldReader(kms).rewrap(message, CONTEXT))).toBe(INVALID)
  })

  it('and fails half way writes nothing', async () => {
    const message = await coldReader(kek(1)).encrypt(plaintext, OPTIONS)
    const down = new PlainKms()
    down.wrapDataKey = () => Promise.reject(new TypeError('down'))
    const both = new MultiKms({ read: [kek(1)], write: [kek(1), down] })
    const code = await codeOfAsync(() => coldReader(both).rewrap(message, CONTEXT))
    expect(code).toBe('ERR_KMS_UNAVAILABLE')
  })

  it('the secrets of a rewrap are wiped, also when it fails', async () => {
    const kms = new PlainKms()
    const message = await coldReader(kms).encrypt(plaintext, OPTIONS)
    const given: SecretBytes[] = []
    const unwrap = kms.unwrapDataKey.bind(kms)
    kms.unwrapDataKey = async (...args) => {
      const opened = await unwrap(...args)
      given.push(opened.plaintext)
      return opened
    }
    await coldReader(kms).rewrap(message, CONTEXT)
    const { wrapDataKey } = kms
    kms.wrapDataKey = () => Promise.reject(new TypeError('down'))
    await coldReader(kms)
      .rewrap(message, CONTEXT)
      .catch(() => undefined)
    kms.wrapDataKey = wrapDataKey
    expect(given).toHaveLength(3)
    for (const secret of given) expect(() => secret.expose()).toThrow(TypeError)
  })
})

it('a cipher that only encrypts cannot rewrap, and one that only decrypts cannot either', async () => {
  const versions = [{ version: 1, key: sequence(32, 1) }]
  const message = await new EnvelopeCipher({ kms: createLocalKms({ versions }) }).encrypt(plaintext)
  for (const usage of ['encrypt', 'decrypt'] as const) {
    const half = new EnvelopeCipher({ kms: createLocalKms({ versions, usage }) })
    expect(await codeOfAsync(() => half.rewrap(message))).toBe('ERR_KMS_UNSUPPORTED')
  }
})
