import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { EncryptedEnvelope, type EnvelopeCipher } from '../../../src/index.ts'
import { codeOfAsync, toHex } from '../../vectors/hex.ts'
import { type Bytes, OPTIONS, sequence, setUp, through } from './fixture.ts'

const CHUNK = 16_384
const SEALED = 16_400
const FAILED = 'ERR_DECRYPT_FAILED'

let cipher: EnvelopeCipher
/** Messages by the length of their plaintext. */
const messages = new Map<number, Bytes>()
let bodyAt: number

beforeAll(async () => {
  cipher = setUp().cipher
  for (const length of [0, 100, CHUNK, 3 * CHUNK, 3 * CHUNK + 100]) {
    messages.set(length, await through(cipher.encryptStream(OPTIONS), sequence(length)))
  }
  bodyAt = EncryptedEnvelope.parse(messages.get(0)!).headBytes
})

/** Reads from a message and notes which of its bytes were asked for. */
function source(message: Uint8Array): {
  readonly read: (start: number, end: number) => Promise<Uint8Array>
  readonly reads: (readonly [number, number])[]
} {
  const reads: (readonly [number, number])[] = []
  const read = async (start: number, end: number): Promise<Uint8Array> => {
    reads.push([start, end])
    return message.slice(start, end)
  }
  return { read, reads }
}
const decrypt = (
  message: Uint8Array,
  range: Parameters<EnvelopeCipher['decryptRange']>[1],
): ReturnType<EnvelopeCipher['decryptRange']> =>
  cipher.decryptRange(source(message).read, range, OPTIONS)
const codeFor = (message: Uint8Array, start: number, end?: number): Promise<string | undefined> =>
  codeOfAsync(() => decrypt(message, { start, ...(end !== undefined && { end }) }))
const flip = (message: Uint8Array, at: number): Bytes => {
  const changed = new Uint8Array(message)
  changed[at]! ^= 1
  return changed
}

describe('range', () => {
  it('is a slice of the whole plaintext, for every range', async () => {
    const lengths = fc.constantFrom(...messages.keys())
    const offset = fc.oneof(
      fc.nat(4 * CHUNK),
      fc.constantFrom(
        0,
        1,
        16,
        17,
        CHUNK - 1,
        CHUNK,
        CHUNK + 1,
        2 * CHUNK,
        3 * CHUNK,
        3 * CHUNK + 100,
      ),
    )
    await fc.assert(
      fc.asyncProperty(lengths, offset, fc.option(offset), async (length, from, to) => {
        const end = to === null ? undefined : Math.max(from, to)
        const range = end === undefined ? { start: from } : { start: from, end }
        const found = await decrypt(messages.get(length)!, range)
        expect(toHex(found.plaintext)).toBe(toHex(sequence(length).slice(from, end)))
        expect(found.end - found.start).toBe(found.plaintext.length)
        if (found.lengthVerified) expect(found.length).toBe(length)
        else expect(found.length).toBeUndefined()
      }),
      { numRuns: 300 },
    )
  })

  it('W4.19: checks both commitments before it opens a chunk', async () => {
    const message = messages.get(3 * CHUNK + 100)!
    for (const at of [4, 36, 70, bodyAt, bodyAt + 23, bodyAt + 24, bodyAt + 55]) {
      const { read, reads } = source(flip(message, at))
      const range = { start: CHUNK, end: CHUNK + 10 }
      expect(await codeOfAsync(() => cipher.decryptRange(read, range, OPTIONS))).toBe(FAILED)
      for (const [start] of reads) expect(start).toBeLessThan(bodyAt + 56)
    }
    const other = { ...OPTIONS, aad: { row: '43' } }
    const { read } = source(message)
    expect(await codeOfAsync(() => cipher.decryptRange(read, { start: 0 }, other))).toBe(FAILED)
  })

  it('W4.20: a range that reaches the end, lies past it or has no end opens the final chunk', async () => {
    for (const length of messages.keys()) {
      const whole = messages.get(length)!
      const bad = flip(whole, whole.length - 1)
      const ranges = [
        [0, undefined],
        [0, length + 1],
        [length, length + 1],
        [length + 5 * CHUNK, undefined],
        ...(length > 0
          ? ([
              [length - 1, length],
              [0, length],
            ] as const)
          : []),
      ] as const
      for (const [start, end] of ranges) {
        const name = `${String(start)} to ${String(end)} of ${String(length)}`
        expect(await codeFor(bad, start, end), name).toBe(FAILED)
        const found = await decrypt(whole, { start, ...(end !== undefined && { end }) })
        expect(found.lengthVerified, name).toBe(true)
        expect(found.length).toBe(length)
      }
    }
  })

  it('W4.20: a range that is counted from the end opens the final chunk', async () => {
    for (const length of messages.keys()) {
      const whole = messages.get(length)!
      for (const start of [-1, -50, -CHUNK, -3 * CHUNK, -5 * CHUNK]) {
        const range = { start, size: whole.length }
        const found = await decrypt(whole, range)
        expect(toHex(found.plaintext)).toBe(toHex(sequence(length).slice(start)))
        expect(found).toMatchObject({ lengthVerified: true, length })
        const bad = flip(whole, whole.length - 1)
        expect(await codeOfAsync(() => decrypt(bad, range))).toBe(FAILED)
      }
      const { read } = source(whole)
      const wrong = { start: -10, size: whole.length + 1 }
      expect(await codeOfAsync(() => cipher.decryptRange(read, wrong, OPTIONS))).toBeDefined()
    }
  })

  it('W4.20: a message that was cut between chunks is not taken for a shorter one', async () => {
    for (const chunks of [1, 2, 3]) {
      const short = messages.get(3 * CHUNK + 100)!.slice(0, bodyAt + 56 + chunks * SEALED)
      for (const [start, end] of [
        [0, undefined],
        [0, 4 * CHUNK],
        [chunks * CHUNK, undefined],
        [chunks * CHUNK, chunks * CHUNK + 1],
        [chunks * CHUNK - 1, chunks * CHUNK + 1],
        [9 * CHUNK, undefined],
      ] as const) {
        expect(await codeFor(short, start, end), `${String(chunks)}: ${String(start)}`).toBe(FAILED)
      }
    }
  })

  it('W4.21: says that the length is verified if and only if the final chunk was opened', async () => {
    const message = messages.get(3 * CHUNK + 100)!
    const broken = flip(message, message.length - 1)
    for (const [start, end] of [
      [0, 1],
      [0, CHUNK],
      [CHUNK, 3 * CHUNK],
      [100, 3 * CHUNK],
      [7, 7],
    ] as const) {
      // The final chunk is broken, so opening it would fail.
      const found = await decrypt(broken, { start, end })
      expect(found.lengthVerified, `${String(start)} to ${String(end)}`).toBe(false)
      expect(found.length).toBeUndefined()
      expect(toHex(found.plaintext)).toBe(toHex(sequence(3 * CHUNK + 100).slice(start, end)))
    }
    const found = await decrypt(message, { start: 3 * CHUNK, end: 3 * CHUNK + 1 })
    expect(found).toMatchObject({ lengthVerified: true, length: 3 * CHUNK + 100 })
  })

  it('W4.22: a chunk before the last that is not 16,400 bytes is refused', async () => {
    const message = messages.get(3 * CHUNK + 100)!
    const second = bodyAt + 56 + SEALED
    for (const missing of [1, 16, 100, SEALED - 16, SEALED]) {
      const shorter = new Uint8Array([
        ...message.slice(0, second),
        ...message.slice(second + missing),
      ])
      for (const [start, end] of [
        [CHUNK, CHUNK + 10],
        [0, 3 * CHUNK],
        [CHUNK, undefined],
      ] as const) {
        expect(await codeFor(shorter, start, end), String(missing)).toBe(FAILED)
      }
    }
  })

  it('W4.22: a read that stops early is refused, not taken for the end', async () => {
    const message = messages.get(3 * CHUNK + 100)!
    for (const stop of [1, 100, SEALED - 1, SEALED, SEALED + 16, 2 * SEALED]) {
      const read = async (start: number, end: number): Promise<Uint8Array> =>
        start < bodyAt + 56 ? message.slice(start, end) : message.slice(start, start + stop)
      const range = { start: 0, end: 3 * CHUNK }
      expect(await codeOfAsync(() => cipher.decryptRange(read, range, OPTIONS)), String(stop)).toBe(
        FAILED,
      )
    }
  })

  it('reads little more than the range', async () => {
    const { read, reads } = source(messages.get(3 * CHUNK + 100)!)
    await cipher.decryptRange(read, { start: CHUNK + 5, end: CHUNK + 6 }, OPTIONS)
    const chunks = reads.filter(([start]) => start >= bodyAt + 56)
    expect(chunks).toEqual([[bodyAt + 56 + SEALED, bodyAt + 56 + 2 * SEALED]])
  })
})
