import { describe, expect, it } from 'vitest'
import { EncryptedEnvelope, isKmsError, KMS_ERROR_CODES, KmsError } from '../../../src/index.ts'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
import { codeOfAsync, utf8 } from '../../vectors/hex.ts'
import { rawHeader, rawMessage } from '../../vectors/raw-header.ts'
import { AAD, coldReader, CONTEXT, drain, OPTIONS, sequence, setUp, through } from './fixture.ts'

const FAILED = 'ERR_DECRYPT_FAILED'
const plaintext = utf8('4111 1111')

/** The message with these wraps instead of its own. */
function rewrapped(envelope: Uint8Array, kekId: string, dek: Uint8Array): Uint8Array<ArrayBuffer> {
  const { headBytes, commitment, createdAtMs } = EncryptedEnvelope.parse(envelope)
  const header = rawHeader({
    salt: envelope.slice(4, 36),
    commitment,
    createdAt: BigInt(createdAtMs!),
    stored: envelope.slice(79, 95),
    wraps: [{ provider: 'plain', kekId, kekVersion: '7', wrapped: dek.slice().reverse() }],
  })
  return rawMessage(envelope[3]!, header, envelope.slice(headBytes))
}

describe('order of reading', () => {
  it('W6.1: what the header and the context alone refuse costs no KMS call', async () => {
    const { cipher, kms } = setUp()
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    kms.calls.length = 0
    const changed = (at: number, value: number): Uint8Array => {
      const message = envelope.slice()
      message[at] = value
      return message
    }
    const refused: (readonly [Uint8Array, object])[] = [
      [changed(0, 0), OPTIONS],
      [changed(2, 2), OPTIONS],
      [changed(3, 9), OPTIONS],
      [changed(76, 3), OPTIONS],
      [changed(95, 255), OPTIONS],
      [envelope.slice(0, 100), OPTIONS],
      [rewrapped(envelope, 'foreign', kms.dek), OPTIONS],
      [envelope, { ...OPTIONS, context: { tenant: 'other' } }],
      [envelope, { ...OPTIONS, context: {} }],
    ]
    for (const [message, options] of refused) {
      for (const reader of [coldReader(kms), coldReader(kms, { cache: false })]) {
        expect(await codeOfAsync(() => reader.decrypt(message, options))).toBeDefined()
        await reader.decryptMany([{ envelope: message, ...options }])
        const { error } = await drain(reader.decryptStream({ ...options, kinds: ['record'] }), [
          message,
        ])
        expect(isKmsError(error)).toBe(true)
      }
    }
    expect(kms.calls).toEqual([])
  })

  it('W6.1: the policy comes before the cache: a held data key opens no refused header', async () => {
    const { cipher, kms } = setUp()
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    expect(await cipher.decrypt(envelope, OPTIONS)).toEqual(plaintext)
    const foreign = rewrapped(envelope, 'foreign', kms.dek)
    expect(await codeOfAsync(() => cipher.decrypt(foreign, OPTIONS))).toBe(
      'ERR_ENVELOPE_UNKNOWN_KEY',
    )
    for (const [at, value] of [
      [0, 0],
      [1, 0],
      [2, 2],
      [3, 2],
      [3, 0x21],
    ] as const) {
      const message = envelope.slice()
      message[at] = value
      expect(await codeOfAsync(() => cipher.decrypt(message, OPTIONS)), String(at)).toMatch(
        /^ERR_WIRE_/,
      )
    }
    const streamsOnly = { ...OPTIONS, kinds: ['stream'] as const }
    expect(await codeOfAsync(() => cipher.decrypt(envelope, streamsOnly))).toBe(
      'ERR_WIRE_KIND_REFUSED',
    )
  })

  it('W6.2: a stored entry that is not in the context given is refused without a KMS call', async () => {
    const { cipher, kms } = setUp()
    const context = { tenant: 'acme', region: 'eu' }
    const envelope = await cipher.encrypt(plaintext, { context })
    kms.calls.length = 0
    for (const given of [
      undefined,
      {},
      { tenant: 'acme' },
      { tenant: 'acme', region: 'us' },
      { Tenant: 'acme', region: 'eu' },
      { tenant: 'acme', region: '' },
    ]) {
      const code = await codeOfAsync(() => coldReader(kms).decrypt(envelope, { context: given! }))
      expect(code).toBe(FAILED)
    }
    expect(kms.calls).toEqual([])
    expect(await coldReader(kms).decrypt(envelope, { context })).toEqual(plaintext)
  })

  it('W6.2: an inherited name does not pass for an entry', async () => {
    const { cipher, kms } = setUp()
    const context = { toString: 'x' }
    const envelope = await cipher.encrypt(plaintext, { context })
    kms.calls.length = 0
    expect(await codeOfAsync(() => coldReader(kms).decrypt(envelope, { context: {} }))).toBe(FAILED)
    expect(kms.calls).toEqual([])
  })

  it('W6.3: the whole context must be equal, also under a KMS that binds none', async () => {
    const context = { tenant: 'acme', subject: 's-17' }
    const options = { requiredContextKeys: ['tenant', 'subject'] }
    const { cipher, kms } = setUp(options)
    const envelope = await cipher.encrypt(plaintext, { context })
    expect(EncryptedEnvelope.parse(envelope).storedContext).toEqual(Object.create(null))
    for (const given of [
      { tenant: 'other', subject: 's-17' },
      { tenant: 'acme', subject: '' },
      { tenant: 'acme', subject: 's-17', more: '' },
    ]) {
      const code = await codeOfAsync(() =>
        coldReader(kms, options).decrypt(envelope, { context: given }),
      )
      expect(code).toBe(FAILED)
    }
    expect(await coldReader(kms, options).decrypt(envelope, { context })).toEqual(plaintext)
  })
})

describe('cache', () => {
  it('W6.4: is the same data key whatever its wraps say', async () => {
    const { cipher, kms } = setUp()
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    const reader = coldReader(kms)
    expect(await reader.decrypt(envelope, OPTIONS)).toEqual(plaintext)
    kms.calls.length = 0
    const again = rewrapped(envelope, 'app', sequence(32, 9))
    expect(await reader.decrypt(again, OPTIONS)).toEqual(plaintext)
    expect(kms.calls).toEqual([])
  })

  it('W6.4: is never the data key of another context', async () => {
    const options = { requiredContextKeys: ['tenant'] }
    const { cipher, kms } = setUp(options)
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    const reader = coldReader(kms, options)
    expect(await reader.decrypt(envelope, OPTIONS)).toEqual(plaintext)
    const other = { ...OPTIONS, context: { tenant: 'other' } }
    expect(await codeOfAsync(() => reader.decrypt(envelope, other))).toBe(FAILED)
    // A partial match fails too: lengths are part of the identity.
    const joined = { ...OPTIONS, context: { tenant: 'acme', x: '' } }
    expect(await codeOfAsync(() => reader.decrypt(envelope, joined))).toBe(FAILED)
  })

  it('W6.4: a held commitment with another salt, age or flags is refused', async () => {
    const { cipher } = setUp()
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    expect(await cipher.decrypt(envelope, OPTIONS)).toEqual(plaintext)
    for (const at of [4, 35, 70, 75]) {
      const changed = envelope.slice()
      changed[at]! ^= 1
      expect(await codeOfAsync(() => cipher.decrypt(changed, OPTIONS)), String(at)).toBe(FAILED)
    }
  })

  it('W6.5: a header that failed is refused for a while without a KMS call', async () => {
    const { cipher, kms, runtime } = setUp()
    const junk = rewrapped(await cipher.encrypt(plaintext, OPTIONS), 'app', sequence(32, 9))
    kms.calls.length = 0
    const reader = coldReader(kms, { runtime })
    const attempt = (message = junk, options: object = OPTIONS): Promise<string | undefined> =>
      codeOfAsync(() => reader.decrypt(message, options))
    expect([await attempt(), await attempt(), await attempt()]).toEqual([FAILED, FAILED, FAILED])
    expect(kms.calls).toEqual(['unwrap'])
    // Only for this header: another one is another attempt.
    const other = junk.slice()
    other[4]! ^= 1
    expect(await attempt(other)).toBe(FAILED)
    expect(kms.calls).toEqual(['unwrap', 'unwrap'])
    // Not for ever: what failed may be mended in the KMS.
    runtime.nowMs += 3_600_000
    expect(await attempt()).toBe(FAILED)
    expect(kms.calls).toHaveLength(3)
  })

  it('W6.5: a header that failed is remembered by decryptMany and for decryptMany', async () => {
    const { cipher, kms } = setUp()
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    envelope.set(sequence(32, 9), EncryptedEnvelope.parse(envelope).headBytes - 32)
    kms.calls.length = 0
    const reader = coldReader(kms)
    for (let i = 0; i < 3; i++) await reader.decryptMany([{ envelope, ...OPTIONS }])
    expect(kms.calls).toEqual(['unwrap'])
  })

  it('W6.5: the memory is bounded, and failures evict nothing that opens', async () => {
    const { cipher, kms } = setUp()
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    const reader = coldReader(kms, { cache: { maxEntries: 1 } })
    expect(await reader.decrypt(envelope, OPTIONS)).toEqual(plaintext)
    const first = rewrapped(envelope, 'app', kms.dek)
    for (let i = 0; i < 600; i++) {
      const junk = first.slice()
      new DataView(junk.buffer).setUint32(4, i)
      new DataView(junk.buffer).setUint32(40, i)
      expect(await codeOfAsync(() => reader.decrypt(junk, OPTIONS))).toBe(FAILED)
    }
    kms.calls.length = 0
    expect(await reader.decrypt(envelope, OPTIONS)).toEqual(plaintext)
    expect(kms.calls).toEqual([])
  })

  it('W6.5: what did not fail for its content is not remembered', async () => {
    const { cipher, kms } = setUp()
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    const reader = coldReader(kms)
    kms.onUnwrap = () => {
      throw new KmsError('ERR_KMS_UNAVAILABLE')
    }
    expect(await codeOfAsync(() => reader.decrypt(envelope, OPTIONS))).toBe('ERR_KMS_UNAVAILABLE')
    kms.onUnwrap = () => undefined
    expect(await reader.decrypt(envelope, OPTIONS)).toEqual(plaintext)
  })
})

describe('context from the caller', () => {
  it('W6.6: decrypt never takes it from the envelope', async () => {
    const { cipher, kms } = setUp()
    const envelope = await cipher.encrypt(plaintext, { context: CONTEXT })
    for (const reader of [cipher, coldReader(kms), coldReader(kms, { cache: false })]) {
      expect(await codeOfAsync(() => reader.decrypt(envelope))).toBe(FAILED)
      const text = `ek1.${Buffer.from(envelope).toString('base64url')}`
      expect(await codeOfAsync(() => reader.decryptText(text))).toBe(FAILED)
      const [outcome] = await reader.decryptMany([{ envelope }])
      expect(outcome).toMatchObject({ ok: false, error: { code: FAILED } })
    }
    const stream = await through(cipher.encryptStream({ context: CONTEXT }), plaintext)
    const { released, error } = await drain(cipher.decryptStream(), [stream])
    expect(isKmsError(error, FAILED)).toBe(true)
    expect(released).toHaveLength(0)
    const read = async (start: number, end: number): Promise<Uint8Array> => stream.slice(start, end)
    expect(await codeOfAsync(() => cipher.decryptRange(read, { start: 0 }))).toBe(FAILED)
    expect(await codeOfAsync(() => cipher.rewrap(envelope))).toBe(FAILED)
  })

  it('W6.7: decryptStored does, and returns the context that it verified', async () => {
    const { cipher, kms } = setUp()
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    const opened = await coldReader(kms).decryptStored(envelope, { aad: AAD })
    expect(opened.plaintext).toEqual(plaintext)
    expect({ ...opened.context }).toEqual(CONTEXT)
    // The header's claim alone is not enough: a changed one is refused.
    const changed = envelope.slice()
    changed[94]! ^= 1
    expect(await codeOfAsync(() => coldReader(kms).decryptStored(changed, { aad: AAD }))).toBe(
      FAILED,
    )
  })

  it('W6.8: decryptStored is refused where requiredContextKeys is set', async () => {
    const { kms } = setUp()
    const plain = coldReader(kms)
    const envelope = await plain.encrypt(plaintext, OPTIONS)
    const strict = coldReader(kms, { requiredContextKeys: ['tenant'] })
    kms.calls.length = 0
    expect(await codeOfAsync(() => strict.decryptStored(envelope, { aad: AAD }))).toBe(
      'ERR_KMS_UNSUPPORTED',
    )
    expect(kms.calls).toEqual([])
    expect((await plain.decryptStored(envelope, { aad: AAD })).plaintext).toEqual(plaintext)
  })
})

describe('error classes', () => {
  it('W6.9: wrong key, tag, commitment, context, aad and truncation cannot be told apart', async () => {
    const { cipher, kms } = setUp()
    const record = await cipher.encrypt(plaintext, OPTIONS)
    const stream = await through(cipher.encryptStream(OPTIONS), sequence(20_000))
    const errors: unknown[] = []
    const attempt = async (message: Uint8Array, options: object = OPTIONS): Promise<void> => {
      const kinds = ['record', 'stream'] as const
      await coldReader(kms)
        .decrypt(message, { ...options, kinds })
        .then(
          () => errors.push('opened'),
          (error: unknown) => errors.push(error),
        )
      const { error } = await drain(coldReader(kms).decryptStream({ ...options, kinds }), [message])
      errors.push(error)
    }
    const flip = (message: Uint8Array, at: number): Uint8Array => {
      const changed = message.slice()
      changed[at < 0 ? message.length + at : at]! ^= 1
      return changed
    }
    for (const message of [record, stream]) {
      await attempt(flip(message, 4)) // salt
      await attempt(flip(message, 40)) // commitment
      await attempt(flip(message, 75)) // creation time
      await attempt(flip(message, -1)) // tag
      await attempt(message.slice(0, -1)) // truncation
      await attempt(rewrapped(message, 'app', sequence(32, 9))) // wrong DEK
      await attempt(message, { ...OPTIONS, context: { tenant: 'other' } })
      await attempt(message, { ...OPTIONS, aad: {} })
    }
    kms.onUnwrap = () => {
      throw new KmsError('ERR_DECRYPT_FAILED', {
        provider: 'p',
        status: 400,
        message: 'bad',
        cause: 1,
      })
    }
    await attempt(record) // the KMS's own "invalid ciphertext"
    expect(errors).toHaveLength(2 * (8 + 8 + 1))
    const data = errors.map((error) => (isKmsError(error) ? error.toJSON() : error))
    for (const one of data) {
      expect(one).toEqual({
        name: 'KmsError',
        code: FAILED,
        message: 'decryption failed',
        retryable: false,
      })
    }
    for (const error of errors) expect((error as Error).cause).toBeUndefined()
  })

  it('W6.10: every other class has a code of its own', async () => {
    const dataKeyStore = new MemoryDataKeyStore()
    const { cipher, kms } = setUp({ dataKeyStore })
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    const reference = await cipher.encrypt(plaintext, { ...OPTIONS, form: 'reference' })
    const changed = (at: number, value: number): Uint8Array => {
      const message = envelope.slice()
      message[at] = value
      return message
    }
    const read = (
      message: Uint8Array,
      options: Record<string, unknown> = { dataKeyStore },
    ): Promise<string | undefined> =>
      codeOfAsync(() => coldReader(kms, options).decrypt(message, OPTIONS))
    const broken = {
      consistency: 'strong' as const,
      get: () => Promise.reject(new Error('no network')),
    }
    const codes = [
      await read(changed(0, 0)),
      await read(changed(2, 2)),
      await read(changed(3, 9)),
      await read(changed(95, 99)),
      await read(rewrapped(envelope, 'foreign', kms.dek)),
      await read(reference, { dataKeyStore: new MemoryDataKeyStore() }),
      await read(reference, { dataKeyStore: broken }),
    ]
    expect(codes).toEqual([
      'ERR_WIRE_MALFORMED',
      'ERR_WIRE_VERSION_REFUSED',
      'ERR_WIRE_KIND_REFUSED',
      'ERR_WIRE_LIMIT_EXCEEDED',
      'ERR_ENVELOPE_UNKNOWN_KEY',
      'ERR_ENVELOPE_UNKNOWN_REFERENCE',
      'ERR_STORE_UNAVAILABLE',
    ])
    // The KMS's own errors reach the caller unchanged.
    for (const code of KMS_ERROR_CODES.filter((one) => one.startsWith('ERR_KMS_'))) {
      kms.onUnwrap = () => {
        throw new KmsError(code)
      }
      expect(await read(envelope)).toBe(code)
    }
  })
})
