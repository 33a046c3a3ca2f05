// No KMS call for a message that cannot be one: the head and the shortest legal body come first.
import { expect, it } from 'vitest'
import { EncryptedEnvelope, type EnvelopeCipher } from '../../../src/index.ts'
import { codeOfAsync } from '../../vectors/hex.ts'
import {
  type Bytes,
  coldReader,
  cut,
  drain,
  OPTIONS,
  PlainKms,
  setUp,
  through,
} from '../wire/fixture.ts'
import { CountingKms } from './fixture.ts'

const KINDS = ['record', 'stream'] as const
const STREAM_FAILED = 'ERR_DECRYPT_FAILED'

/** The shortest message of each kind, which ends with the shortest body. */
async function shortest(kind: 'record' | 'stream'): Promise<Bytes> {
  const { cipher } = setUp()
  const empty = new Uint8Array(0)
  return kind === 'record'
    ? cipher.encrypt(empty, OPTIONS)
    : through(cipher.encryptStream(OPTIONS), empty)
}

type Read = (reader: EnvelopeCipher, message: Bytes) => Promise<unknown>
const streamed =
  (
    sizes: readonly number[],
    open: (r: EnvelopeCipher) => TransformStream<Uint8Array, Uint8Array>,
  ): Read =>
  async (reader, message) => {
    const { error } = await drain(open(reader), cut(message, sizes))
    if (error !== undefined) throw error
  }
const toDecrypt = (reader: EnvelopeCipher): TransformStream<Uint8Array, Uint8Array> =>
  reader.decryptStream({ ...OPTIONS, kinds: KINDS })
const toRewrap = (reader: EnvelopeCipher): TransformStream<Uint8Array, Uint8Array> =>
  reader.rewrapStream({ context: OPTIONS.context })

const READS: Readonly<Record<string, Read>> = {
  decrypt: (reader, message) => reader.decrypt(message, { ...OPTIONS, kinds: KINDS }),
  decryptText: (reader, message) =>
    reader.decryptText(`ek1.${Buffer.from(message).toString('base64url')}`, {
      ...OPTIONS,
      kinds: KINDS,
    }),
  decryptMany: async (reader, envelope) => {
    const [outcome] = await reader.decryptMany([{ envelope, ...OPTIONS }], { kinds: KINDS })
    if (outcome?.ok === false) throw outcome.error
  },
  decryptStored: (reader, message) => reader.decryptStored(message, { aad: OPTIONS.aad }),
  rewrap: (reader, message) => reader.rewrap(message, { context: OPTIONS.context }),
  'decryptStream, in one piece': streamed([1_000_000], toDecrypt),
  'decryptStream, in bytes': streamed([1], toDecrypt),
  'rewrapStream, in one piece': streamed([1_000_000], toRewrap),
  'rewrapStream, in bytes': streamed([1], toRewrap),
}

it.each(Object.keys(READS).flatMap((name) => KINDS.map((kind) => [name, kind] as const)))(
  '%s of a %s that was cut anywhere asks no KMS, and of the shortest one it does',
  async (name, kind) => {
    const message = await shortest(kind)
    const { headBytes } = EncryptedEnvelope.parse(message)
    const kms = new CountingKms(new PlainKms())
    const read = READS[name] as Read
    for (const length of [0, 4, headBytes - 1, headBytes, headBytes + 1, message.length - 1]) {
      const code = await codeOfAsync(() => read(coldReader(kms), message.slice(0, length)))
      const inBody = kind === 'stream' && length >= headBytes
      expect(code, String(length)).toBe(inBody ? STREAM_FAILED : 'ERR_WIRE_MALFORMED')
    }
    expect(kms.calls).toEqual([])
    await read(coldReader(kms), message)
    expect(kms.calls.length).toBeGreaterThan(0)
  },
)

it('decryptRange of a stream that was cut before its first tag asks no KMS', async () => {
  const message = await shortest('stream')
  const kms = new CountingKms(new PlainKms())
  const { headBytes } = EncryptedEnvelope.parse(message)
  for (const length of [headBytes, headBytes + 56, message.length - 1]) {
    const read = async (start: number, end: number): Promise<Uint8Array> =>
      message.slice(start, Math.min(end, length))
    const range = (): Promise<unknown> => coldReader(kms).decryptRange(read, { start: 0 }, OPTIONS)
    expect(await codeOfAsync(range)).toBe(STREAM_FAILED)
  }
  // A size that contradicts the chunks is the same truncation.
  const read = async (start: number, end: number): Promise<Uint8Array> => message.slice(start, end)
  for (const start of [0, -1]) {
    const range = { start, size: message.length - 1 }
    expect(await codeOfAsync(() => coldReader(kms).decryptRange(read, range, OPTIONS))).toBe(
      STREAM_FAILED,
    )
  }
  expect(kms.calls).toEqual([])
})

it('rewrapStream of a data-key record with bytes after it asks no KMS', async () => {
  const record = EncryptedEnvelope.parse(await shortest('record')).toDataKeyRecord()
  const kms = new CountingKms(new PlainKms())
  const longer = new Uint8Array([...record, 0])
  for (const sizes of [[longer.length], [record.length, 1], [1]]) {
    const { released, error } = await drain(toRewrap(coldReader(kms)), cut(longer, sizes))
    expect(error).toMatchObject({ code: 'ERR_WIRE_MALFORMED' })
    expect(released).toHaveLength(0)
  }
  expect(kms.calls).toEqual([])
  const rewrapped = await through(toRewrap(coldReader(kms)), record)
  expect(EncryptedEnvelope.parse(rewrapped).kind).toBe('data-key-record')
})

it('kinds: data-key-record is refused to decrypt, in memory and as a stream, without a KMS call', async () => {
  const record = EncryptedEnvelope.parse(await shortest('record')).toDataKeyRecord()
  const kms = new CountingKms(new PlainKms())
  const call = { ...OPTIONS, kinds: ['data-key-record'] } as const
  const refused = 'ERR_WIRE_KIND_REFUSED'
  expect(await codeOfAsync(() => coldReader(kms).decrypt(record, call))).toBe(refused)
  const { error } = await drain(coldReader(kms).decryptStream(call), [record])
  expect(error).toMatchObject({ code: refused })
  expect(kms.calls).toEqual([])
})
