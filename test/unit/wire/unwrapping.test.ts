import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  EncryptedEnvelope,
  EnvelopeCipher,
  KmsError,
  type SecretBytes,
} from '../../../src/index.ts'
import { codeOf, codeOfAsync, toHex, utf8 } from '../../vectors/hex.ts'
import { rawHeader, type RawWrap, rawMessage } from '../../vectors/raw-header.ts'
import { coldReader, CONTEXT, OPTIONS, PlainKms, sequence, setUp } from './fixture.ts'

const FAILED = 'ERR_DECRYPT_FAILED'
const plaintext = utf8('4111 1111')

/** The same message under other wraps: its fields up to the count stay. */
function withWraps(envelope: Uint8Array, wraps: readonly RawWrap[]): Uint8Array<ArrayBuffer> {
  const parsed = EncryptedEnvelope.parse(envelope)
  const header = rawHeader({
    salt: envelope.slice(4, 36),
    commitment: parsed.commitment,
    createdAt: BigInt(parsed.createdAtMs!),
    ...(envelope[76] === 1 && { stored: envelope.slice(79, 79 + 16) }),
    wraps,
  })
  return rawMessage(0x01, header, envelope.slice(parsed.headBytes))
}
const wrapOf = (dek: Uint8Array, kekId = 'app'): RawWrap => {
  return { provider: 'plain', kekId, wrapped: dek.slice().reverse() }
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe('data keys, made', () => {
  it('W1.14: what is named in requiredContextKeys is bound, and is not in the header', async () => {
    const { cipher, kms } = setUp({ requiredContextKeys: ['subject'] })
    const context = { ...CONTEXT, subject: 's-17' }
    const envelope = await cipher.encrypt(plaintext, { context })
    expect({ ...EncryptedEnvelope.parse(envelope).storedContext }).toEqual(CONTEXT)
    expect(Buffer.from(envelope).includes('s-17')).toBe(false)
    const read = (given: Record<string, string>): Promise<unknown> =>
      coldReader(kms, { requiredContextKeys: ['subject'] }).decrypt(envelope, { context: given })
    expect(await read(context)).toEqual(plaintext)
    expect(await codeOfAsync(() => read({ ...CONTEXT, subject: 's-18' }))).toBe(FAILED)
    expect(await codeOfAsync(() => read(CONTEXT))).toBeDefined()
  })

  it('W1.16: a call whose context lacks a required key is refused, writing and reading', async () => {
    const requiredContextKeys = ['tenant', 'subject']
    const { cipher, kms } = setUp({ requiredContextKeys })
    const context = { ...CONTEXT, subject: 's-17' }
    const envelope = await cipher.encrypt(plaintext, { context })
    kms.calls.length = 0
    for (const given of [{}, CONTEXT, { subject: 's-17' }, { ...CONTEXT, Subject: 's-17' }]) {
      for (const reader of [cipher, coldReader(kms, { requiredContextKeys })]) {
        const calls = [
          () => reader.encrypt(plaintext, { context: given }),
          () => reader.decrypt(envelope, { context: given }),
        ]
        for (const call of calls) expect(await codeOfAsync(call)).toBe('ERR_CONTEXT_INVALID')
      }
    }
    expect(kms.calls).toEqual([])
  })

  it('W1.17: a header that stores a required key is read all the same', async () => {
    const { cipher, kms } = setUp()
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    const reader = coldReader(kms, { requiredContextKeys: ['tenant'] })
    expect(await reader.decrypt(envelope, OPTIONS)).toEqual(plaintext)
  })

  it('W2.1: refuses to write under a DEK that is not 32 bytes, or is all zero', async () => {
    const wrong = [0, 16, 24, 31, 33, 48, 64].map((length) => sequence(length))
    for (const dek of [...wrong, new Uint8Array(32)]) {
      const { cipher, kms } = setUp()
      kms.dek = dek
      const made = await codeOfAsync(() => cipher.encrypt(plaintext, OPTIONS))
      expect(made, String(dek.length)).toBe('ERR_KMS_RESPONSE_INVALID')
    }
    const { cipher, kms } = setUp()
    kms.dek = new Uint8Array(32)
    kms.dek[31] = 1
    expect(await codeOfAsync(() => cipher.encrypt(plaintext, OPTIONS))).toBeUndefined()
  })

  it('W2.1: reads a wrap that opens to what no DEK can be as a wrong one, and remembers it', async () => {
    const wrong = [1, 16, 24, 31, 33, 48, 64].map((length) => sequence(length))
    for (const dek of [...wrong, new Uint8Array(32)]) {
      const { cipher, kms } = setUp()
      kms.kekIds = ['app', 'other']
      const envelope = await cipher.encrypt(plaintext, OPTIONS)
      const alone = withWraps(envelope, [wrapOf(dek)])
      const reader = coldReader(kms)
      kms.calls.length = 0
      for (let i = 0; i < 3; i++) {
        expect(await codeOfAsync(() => reader.decrypt(alone, OPTIONS))).toBe(FAILED)
      }
      expect(kms.calls).toEqual(['unwrap'])
      // And it hides no wrap that is right.
      const both = withWraps(envelope, [wrapOf(dek), wrapOf(kms.dek, 'other')])
      expect(await coldReader(kms).decrypt(both, OPTIONS)).toEqual(plaintext)
    }
  })

  it('W2.2: draws 32 bytes of salt for each data key', async () => {
    const { cipher, runtime } = setUp({ cache: false })
    const salts = await Promise.all(
      [1, 2, 3].map(async () => toHex((await cipher.encrypt(plaintext, OPTIONS)).slice(4, 36))),
    )
    const drawn = runtime.drawn.filter(({ length }) => length === 32).map(toHex)
    expect([...salts].sort()).toEqual([...drawn].sort())
    expect(new Set(salts).size).toBe(3)
  })
})

describe('data keys, opened', () => {
  it('W2.6: compares the commitment before any AEAD call', async () => {
    const { cipher, kms } = setUp()
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    const decrypt = vi.spyOn(crypto.subtle, 'decrypt')
    const other = withWraps(envelope, [wrapOf(sequence(32, 1))])
    expect(await codeOfAsync(() => coldReader(kms).decrypt(other, OPTIONS))).toBe(FAILED)
    expect(decrypt).not.toHaveBeenCalled()
    expect(await coldReader(kms).decrypt(envelope, OPTIONS)).toEqual(plaintext)
    expect(decrypt).toHaveBeenCalledTimes(1)
  })

  it('W2.6: binds salt, commitment, createdAt, flags and stored context', async () => {
    const { cipher, kms } = setUp()
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    const decrypt = vi.spyOn(crypto.subtle, 'decrypt')
    for (let bit = 4 * 8; bit < 95 * 8; bit++) {
      const changed = envelope.slice()
      changed[bit >> 3]! ^= 1 << (bit & 7)
      expect(await codeOfAsync(() => coldReader(kms).decrypt(changed, OPTIONS))).toBeDefined()
    }
    expect(decrypt).not.toHaveBeenCalled()
  })

  it('W3.10: refuses to be configured for more than 16 wraps', () => {
    const kms = new PlainKms()
    for (const maxWraps of [1, 16]) {
      expect(codeOf(() => new EnvelopeCipher({ kms, maxWraps }))).toBeUndefined()
    }
    for (const maxWraps of [0, 17, 255, 1.5, NaN, Infinity]) {
      expect(codeOf(() => new EnvelopeCipher({ kms, maxWraps }))).toBe('ERR_KMS_CONFIG')
    }
  })

  it('W3.9: a reader takes five wraps unless it is configured otherwise', async () => {
    const { cipher, kms } = setUp()
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    const wraps = (count: number): RawWrap[] => [
      wrapOf(kms.dek),
      ...Array.from({ length: count - 1 }, (_, i) => wrapOf(kms.dek, `foreign ${String(i)}`)),
    ]
    expect(await coldReader(kms).decrypt(withWraps(envelope, wraps(5)), OPTIONS)).toEqual(plaintext)
    kms.calls.length = 0
    const six = withWraps(envelope, wraps(6))
    expect(await codeOfAsync(() => coldReader(kms).decrypt(six, OPTIONS))).toBe(
      'ERR_WIRE_LIMIT_EXCEEDED',
    )
    expect(kms.calls).toEqual([])
    expect(await coldReader(kms, { maxWraps: 6 }).decrypt(six, OPTIONS)).toEqual(plaintext)
  })

  it('W3.26: gives the KMS only wraps of configured keys, compared by bytes', async () => {
    const { cipher, kms } = setUp()
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    const ours = wrapOf(kms.dek)
    const foreign = [
      { ...ours, provider: 'other' },
      ...['App', 'app\0', ' app', 'app/'].map((kekId) => wrapOf(kms.dek, kekId)),
    ]
    const message = withWraps(envelope, [...foreign.slice(0, 4), ours])
    expect(await coldReader(kms).decrypt(message, OPTIONS)).toEqual(plaintext)
    expect(kms.asked.flat().map(({ provider, kekId }) => `${provider} ${kekId}`)).toEqual([
      'plain app',
    ])
    kms.asked.length = 0
    const [outcome] = await coldReader(kms).decryptMany([{ envelope: message, ...OPTIONS }])
    expect(outcome!.ok).toBe(true)
    expect(kms.asked.flat()).toHaveLength(1)
  })

  it('W3.27: refuses a message without such a wrap, before any I/O', async () => {
    const { cipher, kms } = setUp()
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    kms.calls.length = 0
    for (const kekId of ['App', 'app2', 'ap']) {
      const message = withWraps(envelope, [wrapOf(kms.dek, kekId)])
      for (const reader of [coldReader(kms), coldReader(kms, { cache: false })]) {
        const code = await codeOfAsync(() => reader.decrypt(message, OPTIONS))
        expect(code).toBe('ERR_ENVELOPE_UNKNOWN_KEY')
        const [outcome] = await reader.decryptMany([{ envelope: message, ...OPTIONS }])
        expect(outcome).toMatchObject({ ok: false, error: { code: 'ERR_ENVELOPE_UNKNOWN_KEY' } })
      }
    }
    expect(kms.calls).toEqual([])
  })

  it('W3.29: a wrap that opens to another DEK does not hide the one that is right', async () => {
    const { cipher, kms } = setUp()
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    kms.kekIds = ['a', 'b', 'app']
    const message = withWraps(envelope, [
      wrapOf(sequence(32, 1), 'a'),
      wrapOf(sequence(32, 2), 'b'),
      wrapOf(kms.dek),
    ])
    kms.calls.length = 0
    expect(await coldReader(kms).decrypt(message, OPTIONS)).toEqual(plaintext)
    expect(kms.calls).toEqual(['unwrap', 'unwrap', 'unwrap'])
    const [outcome] = await coldReader(kms).decryptMany([{ envelope: message, ...OPTIONS }])
    expect(outcome).toEqual({ ok: true, value: plaintext })
  })

  it('W3.29: each wrap is tried at most once', async () => {
    const { cipher, kms } = setUp()
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    kms.kekIds = ['a', 'b', 'app']
    const message = withWraps(
      envelope,
      kms.kekIds.map((kekId, i) => wrapOf(sequence(32, i + 1), kekId)),
    )
    kms.calls.length = 0
    expect(await codeOfAsync(() => coldReader(kms).decrypt(message, OPTIONS))).toBe(FAILED)
    expect(kms.calls).toEqual(['unwrap', 'unwrap', 'unwrap'])
  })

  it('W3.29: each wrap is tried at most once, also where the KMS answers with a copy of it', async () => {
    const { cipher, kms } = setUp()
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    envelope.set(sequence(32, 9), EncryptedEnvelope.parse(envelope).headBytes - 32)
    kms.calls.length = 0
    const unwrap = kms.unwrapDataKey.bind(kms)
    kms.unwrapDataKey = async (wraps, options) => {
      if (kms.calls.length > 9) throw new KmsError('ERR_KMS_THROTTLED')
      const { plaintext: dek, by } = await unwrap(wraps, options)
      return { plaintext: dek, by: { ...by } }
    }
    expect(await codeOfAsync(() => coldReader(kms).decrypt(envelope, OPTIONS))).toBe(FAILED)
    expect(kms.calls).toEqual(['unwrap'])
  })
})

it('a KMS may dispose what it gave: secrets are taken over, not shared', async () => {
  const { cipher, kms } = setUp()
  const given: SecretBytes[] = []
  const unwrap = kms.unwrapDataKey.bind(kms)
  kms.unwrapDataKey = async (wraps, options) => {
    const opened = await unwrap(wraps, options)
    given.push(opened.plaintext)
    return opened
  }
  const envelope = await cipher.encrypt(plaintext, OPTIONS)
  expect(await coldReader(kms).decrypt(envelope, OPTIONS)).toEqual(plaintext)
  expect(given).toHaveLength(1)
  expect(() => given[0]!.expose()).toThrow(TypeError)
})
