import { describe, expect, it } from 'vitest'
import { EncryptedEnvelope, type WrappedKey } from '../../../src/index.ts'
import { codeOfAsync, toHex, utf8 } from '../../vectors/hex.ts'
import {
  type Bytes,
  coldReader,
  drain,
  OPTIONS,
  PlainKms,
  sequence,
  setUp,
  through,
} from './fixture.ts'

const FAILED = 'ERR_DECRYPT_FAILED'
const plaintext = utf8('4111 1111')

/** A KMS that rewraps inside and answers with the wraps of another DEK. */
class LyingKms extends PlainKms {
  override readonly capabilities = { ...new PlainKms().capabilities, rewrapsInside: true }

  override async rewrapDataKey(wraps: readonly WrappedKey[]): Promise<WrappedKey[]> {
    this.calls.push('rewrap')
    return wraps.map((wrap) => ({ ...wrap, wrapped: sequence(32, 77) }))
  }
}

/** Everything of an inline message but its wraps. */
function fixedPart(envelope: Bytes): string {
  const { headBytes, wraps } = EncryptedEnvelope.parse(envelope)
  const wrapBytes = wraps.reduce(
    (sum, { provider, kekId, kekVersion, wrapped }) =>
      sum + 7 + provider.length + kekId.length + kekVersion.length + wrapped.length,
    1,
  )
  return `${toHex(envelope.slice(0, headBytes - wrapBytes))} ${toHex(envelope.slice(headBytes))}`
}

describe('rewrap', () => {
  it('W3.30: drops every old wrap and writes exactly the configured set', async () => {
    const { cipher, kms } = setUp()
    kms.kekIds = ['old', 'older']
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    kms.kekIds = ['old', 'new', 'newer']
    kms.version = '2'
    const next = await coldReader(kms).rewrap(envelope, OPTIONS)
    const wraps = EncryptedEnvelope.parse(next).wraps.map((one) => `${one.kekId} ${one.kekVersion}`)
    expect(wraps).toEqual(['old 2', 'new 2', 'newer 2'])
    expect(await coldReader(kms).decrypt(next, OPTIONS)).toEqual(plaintext)
  })

  it('W3.31: changes nothing else, of any kind', async () => {
    const { cipher, kms } = setUp()
    const record = await cipher.encrypt(plaintext, OPTIONS)
    const stream = await through(cipher.encryptStream(OPTIONS), sequence(20_000))
    const bare = await cipher.encrypt(plaintext)
    const stored = EncryptedEnvelope.parse(record).toDataKeyRecord()
    kms.version = '22'
    for (const [envelope, options] of [
      [record, OPTIONS],
      [stream, OPTIONS],
      [bare, {}],
      [stored, OPTIONS],
    ] as const) {
      for (const verify of ['open', 'kms'] as const) {
        const next = await coldReader(kms).rewrap(envelope, { ...options, verify })
        expect(next.length).toBe(envelope.length + 1)
        expect(fixedPart(next)).toBe(fixedPart(envelope))
      }
      const piped = await drain(coldReader(kms).rewrapStream(options), [envelope])
      expect(fixedPart(piped.released)).toBe(fixedPart(envelope))
    }
  })

  it('W3.32: with verify open, wraps that hold another DEK do not leave', async () => {
    const { cipher } = setUp()
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    const lying = coldReader(new LyingKms())
    expect(await codeOfAsync(() => lying.rewrap(envelope, OPTIONS))).toBe(FAILED)
    expect(await codeOfAsync(() => lying.rewrap(envelope, { ...OPTIONS, verify: 'open' }))).toBe(
      FAILED,
    )
    // With verify kms nothing is proven, and the caller has asked for that.
    const kmsOnly = { ...OPTIONS, verify: 'kms' } as const
    const unproven = await coldReader(new LyingKms()).rewrap(envelope, kmsOnly)
    expect(await codeOfAsync(() => coldReader(new PlainKms()).decrypt(unproven, OPTIONS))).toBe(
      FAILED,
    )
  })

  it('W3.32: with verify open, an old wrap of another DEK is not made into a new one', async () => {
    const { cipher, kms } = setUp()
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    const planted = envelope.slice()
    const at = EncryptedEnvelope.parse(envelope).headBytes
    planted.set(sequence(32, 99), at - 32)
    expect(await codeOfAsync(() => coldReader(kms).rewrap(planted, OPTIONS))).toBe(FAILED)
  })

  it('refuses a message of an unknown key, a wrong context and kinds without wraps', async () => {
    const { cipher, kms } = setUp()
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    const reference = EncryptedEnvelope.parse(envelope).toReference()
    kms.calls.length = 0
    const reader = coldReader(kms)
    expect(await codeOfAsync(() => reader.rewrap(reference, OPTIONS))).toBe('ERR_WIRE_KIND_REFUSED')
    const other = { context: { tenant: 'other' } }
    expect(await codeOfAsync(() => reader.rewrap(envelope, other))).toBe(FAILED)
    kms.kekIds = ['another']
    expect(await codeOfAsync(() => reader.rewrap(envelope, OPTIONS))).toBe(
      'ERR_ENVELOPE_UNKNOWN_KEY',
    )
    expect(kms.calls).toEqual([])
  })
})
