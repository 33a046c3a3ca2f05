import { describe, expect, it } from 'vitest'
import { EncryptedEnvelope, type EnvelopeCipher } from '../../../src/index.ts'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
import { codeOf, codeOfAsync } from '../../vectors/hex.ts'
import { cut, drain, OPTIONS, sequence, setUp, through } from '../wire/fixture.ts'

const CHUNK = 16_384
const LENGTHS = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 100]
const FORMS = ['inline', 'reference'] as const
const cipherWithStore = (): EnvelopeCipher =>
  setUp({ dataKeyStore: new MemoryDataKeyStore() }).cipher

describe('startStream', () => {
  it.each(FORMS)('knows the exact length of the envelope: %s', async (form) => {
    const cipher = cipherWithStore()
    for (const plaintextBytes of LENGTHS) {
      const started = await cipher.startStream({ ...OPTIONS, form, plaintextBytes })
      const plaintext = sequence(plaintextBytes)
      const envelope = await through(started.transform, plaintext)
      expect(started.envelopeBytes).toBe(envelope.length)
      const opened = await through(
        cipher.decryptStream({ ...OPTIONS, kinds: ['stream', 'stream-by-reference'] }),
        envelope,
      )
      expect(Buffer.compare(opened, plaintext)).toBe(0)
    }
  })

  it('makes the data key before it returns, once', async () => {
    const { cipher, kms } = setUp()
    const { transform } = await cipher.startStream(OPTIONS)
    expect(kms.calls).toEqual(['generate'])
    await through(transform, sequence(100))
    expect(kms.calls).toEqual(['generate'])
  })

  it('does not know the length of the envelope without that of the plaintext', async () => {
    const { cipher } = setUp()
    const { envelopeBytes, transform } = await cipher.startStream(OPTIONS)
    expect(envelopeBytes).toBeUndefined()
    expect((await through(transform, sequence(CHUNK))).length).toBeGreaterThan(CHUNK)
  })

  it.each([
    [0, 1],
    [10, 11],
    [CHUNK, CHUNK + 1],
    [CHUNK, 3 * CHUNK],
  ])('refuses more bytes than announced: %i, and %i arrive', async (plaintextBytes, arrive) => {
    const { cipher } = setUp()
    const { envelopeBytes, transform } = await cipher.startStream({ ...OPTIONS, plaintextBytes })
    const { released, error } = await drain(transform, cut(sequence(arrive), [1_000]))
    expect(error).toBeInstanceOf(RangeError)
    expect(released.length).toBeLessThan(envelopeBytes!)
  })

  it.each([
    [1, 0],
    [CHUNK, CHUNK - 1],
    [2 * CHUNK, 2 * CHUNK - 1],
    [3 * CHUNK, CHUNK],
  ])('refuses fewer bytes than announced: %i, and %i arrive', async (plaintextBytes, arrive) => {
    const { cipher } = setUp()
    const { transform } = await cipher.startStream({ ...OPTIONS, plaintextBytes })
    const { released, error } = await drain(transform, [sequence(arrive)])
    expect(error).toBeInstanceOf(RangeError)
    expect((error as Error).message).toBe(
      `plaintextBytes said ${plaintextBytes} bytes, the stream has ${arrive}`,
    )
    // The final chunk is missing: what left is not an envelope.
    const opened = await drain(cipher.decryptStream(OPTIONS), [released])
    expect(opened.error).toBeDefined()
  })

  it.each([-1, 1.5, NaN, Infinity, '5', null, 2 ** 52])(
    'refuses plaintextBytes: %s, before any KMS call',
    async (plaintextBytes) => {
      const { cipher, kms } = setUp()
      const options = { ...OPTIONS, plaintextBytes: plaintextBytes as number }
      expect(await codeOfAsync(() => cipher.startStream(options))).toBe('ERR_KMS_CONFIG')
      expect(kms.calls).toEqual([])
    },
  )

  it('obeys the signal, before the KMS is asked and while the stream runs', async () => {
    const { cipher, kms } = setUp()
    const reason = new Error('the caller left')
    const aborted = cipher.startStream({ ...OPTIONS, signal: AbortSignal.abort(reason) })
    await expect(aborted).rejects.toBe(reason)
    expect(kms.calls).toEqual([])
    const control = new AbortController()
    const { transform } = await cipher.startStream({ ...OPTIONS, signal: control.signal })
    const reading = transform.readable.getReader().read()
    control.abort(reason)
    await expect(reading).rejects.toBe(reason)
  })

  it('uses the maps as they were given', async () => {
    const { cipher } = setUp()
    const aad: Record<string, string> = { ...OPTIONS.aad }
    const { transform } = await cipher.startStream({ ...OPTIONS, aad })
    aad['row'] = '43'
    const envelope = await through(transform, sequence(9))
    expect(await through(cipher.decryptStream(OPTIONS), envelope)).toEqual(sequence(9))
  })
})

describe('EncryptedEnvelope.plaintextBytes', () => {
  it.each(FORMS)('is that of a stream, from its first bytes and its length: %s', async (form) => {
    const cipher = cipherWithStore()
    for (const length of LENGTHS) {
      const envelope = await through(cipher.encryptStream({ ...OPTIONS, form }), sequence(length))
      const parsed = EncryptedEnvelope.parse(envelope.subarray(0, 600), { prefix: true })
      expect(parsed.plaintextBytes(envelope.length)).toBe(length)
    }
  })

  it.each(FORMS)('is that of a record: %s', async (form) => {
    const cipher = cipherWithStore()
    for (const length of [0, 1, 5_000]) {
      const envelope = await cipher.encrypt(sequence(length), { ...OPTIONS, form })
      expect(EncryptedEnvelope.parse(envelope).plaintextBytes(envelope.length)).toBe(length)
    }
  })

  it('refuses lengths that no stream has, as a truncation', async () => {
    const { cipher } = setUp()
    const envelope = await through(cipher.encryptStream(OPTIONS), sequence(0))
    const parsed = EncryptedEnvelope.parse(envelope)
    const chunks = parsed.headBytes + 56
    const of = (bytes: number): unknown => codeOf(() => parsed.plaintextBytes(bytes))
    for (const bytes of [0, 1, parsed.headBytes, chunks - 1, chunks, chunks + 15]) {
      expect(of(bytes), String(bytes)).toBe('ERR_DECRYPT_FAILED')
      expect(of(bytes + (bytes < chunks ? 0 : 16_400)), String(bytes)).toBe('ERR_DECRYPT_FAILED')
    }
    expect(parsed.plaintextBytes(chunks + 16)).toBe(0)
    expect(parsed.plaintextBytes(chunks + 16_400 + 16)).toBe(CHUNK)
  })

  it('refuses lengths that no record has, and a data-key record', async () => {
    const { cipher } = setUp()
    const parsed = EncryptedEnvelope.parse(await cipher.encrypt(new Uint8Array(0), OPTIONS))
    const empty = (await cipher.encrypt(new Uint8Array(0), OPTIONS)).length
    expect(parsed.plaintextBytes(empty)).toBe(0)
    expect(codeOf(() => parsed.plaintextBytes(empty - 1))).toBe('ERR_WIRE_MALFORMED')
    const record = EncryptedEnvelope.parse(parsed.toDataKeyRecord())
    expect(codeOf(() => record.plaintextBytes(record.headBytes))).toBe('ERR_WIRE_KIND_REFUSED')
  })

  it.each([-1, 0.5, NaN, '500', undefined, 2 ** 53])(
    'refuses %s, which is not a length',
    async (bytes) => {
      const { cipher } = setUp()
      const parsed = EncryptedEnvelope.parse(await cipher.encrypt(sequence(9), OPTIONS))
      expect(() => parsed.plaintextBytes(bytes as number)).toThrow(RangeError)
    },
  )
})
