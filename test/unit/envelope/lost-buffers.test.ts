// Bytes whose buffer was transferred away read as empty: encrypted, the data would be gone.
import { describe, expect, it } from 'vitest'
import { EncryptedEnvelope } from '../../../src/index.ts'
import { toBytes } from '../../../src/bytes/index.ts'
import { drain, OPTIONS, sequence, setUp, through } from '../wire/fixture.ts'

/** ES2024, which the types do not have yet. */
const resizable = (length: number, maxByteLength: number): ArrayBuffer =>
  Reflect.construct(ArrayBuffer, [length, { maxByteLength }]) as ArrayBuffer

const detached = (): Uint8Array => {
  const bytes = sequence(9)
  structuredClone(bytes, { transfer: [bytes.buffer] })
  return bytes
}
const detachedBuffer = (): Uint8Array => {
  const bytes = sequence(9)
  const view = Buffer.from(bytes.buffer)
  structuredClone(bytes, { transfer: [bytes.buffer] })
  return view
}
/** A view whose resizable buffer has shrunk under it. */
const outOfBounds = (): Uint8Array => {
  const buffer = resizable(16, 32)
  const bytes = new Uint8Array(buffer, 8, 8)
  ;(buffer as unknown as { resize(length: number): void }).resize(4)
  return bytes
}

describe.each([
  ['transferred', detached],
  ['transferred under a Buffer', detachedBuffer],
  ['shrunk', outOfBounds],
])('bytes whose buffer was %s', (_, lost) => {
  it('are refused by every method that takes bytes', async () => {
    const { cipher } = setUp()
    const refused = expect.objectContaining({
      name: 'TypeError',
      message: expect.stringMatching(/has lost its buffer/) as unknown,
    }) as unknown
    await expect(cipher.encrypt(lost(), OPTIONS)).rejects.toEqual(refused)
    await expect(cipher.encryptMany([{ plaintext: lost() }])).rejects.toEqual(refused)
    await expect(cipher.decrypt(lost(), OPTIONS)).rejects.toEqual(refused)
    await expect(cipher.decryptStored(lost())).rejects.toEqual(refused)
    await expect(cipher.rewrap(lost())).rejects.toEqual(refused)
    expect(() => EncryptedEnvelope.parse(lost())).toThrow(/has lost its buffer/)
    const streams = [cipher.encryptStream(), cipher.decryptStream(), cipher.rewrapStream()]
    for (const stream of streams) expect((await drain(stream, [lost()])).error).toEqual(refused)
    const envelope = await through(cipher.encryptStream(OPTIONS), sequence(9))
    let reads = 0
    const read = async (start: number, end: number): Promise<Uint8Array> =>
      reads++ === 1 ? lost() : envelope.slice(start, end)
    await expect(cipher.decryptRange(read, { start: 0 }, OPTIONS)).rejects.toEqual(refused)
  })
})

it('an array that is empty is still an array', async () => {
  const { cipher } = setUp()
  for (const empty of [new Uint8Array(0), Buffer.alloc(0), sequence(9).subarray(4, 4)]) {
    const envelope = await cipher.encrypt(empty, OPTIONS)
    expect(await cipher.decrypt(envelope, OPTIONS)).toEqual(new Uint8Array(0))
  }
})

it.each<[string, () => Uint8Array]>([
  ['shared', () => new Uint8Array(new SharedArrayBuffer(9))],
  ['resizable', () => new Uint8Array(resizable(9, 99))],
])('%s memory is copied before anything reads it, and works', async (_, make) => {
  const bytes = make()
  bytes.set(sequence(9))
  expect(toBytes(bytes, 'bytes').buffer).not.toBe(bytes.buffer)
  const { cipher } = setUp()
  for (const warm of [false, true]) {
    const pending = cipher.encrypt(bytes, OPTIONS)
    bytes.fill(0xee)
    expect(await cipher.decrypt(await pending, OPTIONS), String(warm)).toEqual(sequence(9))
    bytes.set(sequence(9))
  }
  const streamed = await through(cipher.encryptStream(OPTIONS), bytes)
  expect(await through(cipher.decryptStream(OPTIONS), streamed)).toEqual(sequence(9))
  const [outcome] = await cipher.encryptMany([{ plaintext: bytes, ...OPTIONS }])
  expect(outcome?.ok && (await cipher.decrypt(outcome.value, OPTIONS))).toEqual(sequence(9))
})
