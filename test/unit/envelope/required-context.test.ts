import { describe, expect, it } from 'vitest'
import { EncryptedEnvelope, type EncryptionContext } from '../../../src/index.ts'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
import { codeOfAsync, utf8 } from '../../vectors/hex.ts'
import { coldReader, localKms, PlainKms, setUp, through } from '../wire/fixture.ts'

const KINDS = ['record', 'stream', 'record-by-reference'] as const
const CANARY = 'subject-canary-17'
const context = { tenant: 'acme', subject: CANARY }
const required = { requiredContextKeys: ['subject'] }
const plaintext = utf8('4111 1111')

describe('R7 required context keys', () => {
  // PlainKms binds no context: there the commitment alone must bind it.
  it.each([
    ['a KMS that binds the context', () => localKms()],
    ['a KMS that does not', () => new PlainKms()],
  ])('R7 are bound but not stored, in each kind, with %s', async (_, makeKms) => {
    const kms = makeKms()
    const dataKeyStore = new MemoryDataKeyStore()
    const { cipher } = setUp({ ...required, kms, dataKeyStore })
    const reference = await cipher.encrypt(plaintext, { context, form: 'reference' })
    const record = (await dataKeyStore.get(EncryptedEnvelope.parse(reference).dataKeyStoreKey))!
    const messages = [
      await cipher.encrypt(plaintext, { context }),
      await through(cipher.encryptStream({ context }), plaintext),
      reference,
    ]
    for (const bytes of [...messages, record]) {
      expect(Buffer.from(bytes).includes(CANARY)).toBe(false)
      expect(Buffer.from(bytes).includes('subject')).toBe(false)
    }
    expect({ ...EncryptedEnvelope.parse(record).storedContext }).toEqual({ tenant: 'acme' })
    for (const message of messages) {
      const read = (given: EncryptionContext): Promise<Uint8Array> =>
        coldReader(kms, { ...required, dataKeyStore }).decrypt(message, {
          context: given,
          kinds: KINDS,
        })
      expect(await read(context)).toEqual(plaintext)
      for (const subject of ['other', '']) {
        const code = await codeOfAsync(() => read({ tenant: 'acme', subject }))
        expect(code).toBe('ERR_DECRYPT_FAILED')
      }
      for (const given of [{ tenant: 'acme' }, { tenant: 'acme', Subject: CANARY }]) {
        expect(await codeOfAsync(() => read(given))).toBe('ERR_CONTEXT_INVALID')
      }
    }
  })

  it('R7 a message without one is refused before any KMS call, by every method', async () => {
    const { cipher, kms } = setUp(required)
    for (const given of [{ tenant: 'acme' }, {}, undefined]) {
      const options = given === undefined ? {} : { context: given }
      const code = await codeOfAsync(() => cipher.encrypt(plaintext, options))
      expect(code).toBe('ERR_CONTEXT_INVALID')
      const [outcome] = await cipher.encryptMany([{ plaintext, ...options }])
      expect(outcome?.ok === false && outcome.error.code).toBe('ERR_CONTEXT_INVALID')
      const streamed = await codeOfAsync(() => through(cipher.encryptStream(options), plaintext))
      expect(streamed).toBe('ERR_CONTEXT_INVALID')
    }
    expect(kms.calls).toEqual([])
  })

  it('R7 a message is not read without one either, and no KMS is asked', async () => {
    const dataKeyStore = new MemoryDataKeyStore()
    const { cipher, kms } = setUp({ ...required, dataKeyStore })
    const record = await cipher.encrypt(plaintext, { context })
    const reference = await cipher.encrypt(plaintext, { context, form: 'reference' })
    const stream = await through(cipher.encryptStream({ context }), plaintext)
    kms.calls.length = 0
    for (const reader of [cipher, coldReader(kms, { ...required, dataKeyStore })]) {
      for (const options of [{ context: { tenant: 'acme' } }, {}]) {
        for (const work of [
          () => reader.decrypt(record, options),
          () => reader.decrypt(reference, options),
          () => through(reader.decryptStream(options), stream),
          () => reader.rewrap(record, options),
          () => reader.rewrap(record, { ...options, verify: 'kms' }),
        ]) {
          expect(await codeOfAsync(work)).toBe('ERR_CONTEXT_INVALID')
        }
        const [outcome] = await reader.decryptMany([{ envelope: record, ...options }])
        expect(outcome).toMatchObject({ error: { code: 'ERR_CONTEXT_INVALID' } })
      }
    }
    expect(kms.calls).toEqual([])
  })

  it('R7 the held data key of one value does not open the message of another', async () => {
    const { cipher } = setUp(required)
    const envelope = await cipher.encrypt(plaintext, { context })
    const other = { ...context, subject: 'other' }
    expect(await cipher.decrypt(envelope, { context })).toEqual(plaintext)
    expect(await codeOfAsync(() => cipher.decrypt(envelope, { context: other }))).toBe(
      'ERR_DECRYPT_FAILED',
    )
  })
})
