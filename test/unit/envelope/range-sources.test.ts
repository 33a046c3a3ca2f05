// `read` may return too few bytes or wrong ones, or lie. `test/unit/wire/range.test.ts` has the
// sources that tell the truth.
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  EncryptedEnvelope,
  type EnvelopeCipher,
  isKmsError,
  type PlaintextRange,
  type ReadEnvelopeRange,
} from '../../../src/index.ts'
import { codeOfAsync, toHex } from '../../vectors/hex.ts'
import {
  type Bytes,
  coldReader,
  OPTIONS,
  PlainKms,
  sequence,
  setUp,
  through,
} from '../wire/fixture.ts'
import { CountingKms } from './fixture.ts'

const CHUNK = 16_384
const SEALED = 16_400
const FAILED = 'ERR_DECRYPT_FAILED'

const kms = new CountingKms(new PlainKms())
const { cipher } = setUp({ kms })
const messages = new Map<number, Bytes>()
const LENGTHS = [0, 1, 24, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 24]
let bodyAt = 0

beforeAll(async () => {
  for (const length of LENGTHS) {
    messages.set(length, await through(cipher.encryptStream(OPTIONS), sequence(length)))
  }
  bodyAt = EncryptedEnvelope.parse(messages.get(0)!).headBytes
})

const from =
  (message: Bytes): ReadEnvelopeRange =>
  async (start, end) =>
    message.slice(start, end)
const decrypt = (
  read: ReadEnvelopeRange,
  range: PlaintextRange,
): ReturnType<EnvelopeCipher['decryptRange']> => cipher.decryptRange(read, range, OPTIONS)

describe('every range', () => {
  it('W4.21: of a small message is the slice of it, and verifies its length where it says so', async () => {
    const whole = sequence(24)
    const read = from(messages.get(24)!)
    for (let start = 0; start <= 26; start++) {
      for (const end of [undefined, ...Array.from({ length: 27 - start }, (_, i) => start + i)]) {
        const found = await decrypt(read, { start, ...(end !== undefined && { end }) })
        expect(toHex(found.plaintext)).toBe(toHex(whole.slice(start, end)))
        // One chunk: whatever opens anything has opened the final chunk.
        const place = [Math.min(start, 24), Math.min(end ?? 24, 24)]
        expect([found.start, found.end]).toEqual(place)
        expect(found).toMatchObject({ lengthVerified: true, length: 24 })
      }
    }
  })

  it.each(LENGTHS)('W4.20: from the end of %i bytes is the tail of it', async (length) => {
    const message = messages.get(length)!
    const whole = sequence(length)
    for (const tail of [1, 16, 24, 25, CHUNK, CHUNK + 1, 4 * CHUNK]) {
      const found = await decrypt(from(message), { start: -tail, size: message.length })
      expect(toHex(found.plaintext)).toBe(toHex(whole.slice(-tail)))
      expect(found).toMatchObject({ lengthVerified: true, length, end: length })
    }
  })
})

describe('a range object that changes while the call reads', () => {
  it.each([7, -1, NaN, Infinity, 2 ** 60])('is read once: start becomes %d', async (later) => {
    const message = messages.get(2 * CHUNK + 24)!
    const range = { start: CHUNK, end: CHUNK + 5, size: message.length }
    const begun = decrypt(from(message), range)
    Object.assign(range, { start: later, end: later, size: 1 })
    const { plaintext, start } = await begun
    expect([toHex(plaintext), start]).toEqual([
      toHex(sequence(2 * CHUNK + 24).slice(CHUNK, CHUNK + 5)),
      CHUNK,
    ])
  })
})

describe('an object that was cut', () => {
  it('W4.16: at any byte gives an error or the right bytes, never an end that is none', async () => {
    const length = 24
    const message = messages.get(length)!
    for (let size = 0; size < message.length; size++) {
      const cut = message.slice(0, size)
      const code = await codeOfAsync(() => decrypt(from(cut), { start: 0 }))
      expect(code, String(size)).toBe(size < bodyAt ? 'ERR_WIRE_MALFORMED' : FAILED)
      // The claim of the right size does not help, nor that of the wrong one.
      for (const claimed of [message.length, size]) {
        const range = { start: -5, size: claimed }
        expect(await codeOfAsync(() => decrypt(from(cut), range))).toBeDefined()
      }
    }
  })

  it('W4.16: between two chunks serves what lies before, and says that it is not the end', async () => {
    const message = messages.get(2 * CHUNK + 24)!
    const cut = message.slice(0, bodyAt + 56 + 2 * SEALED)
    const found = await decrypt(from(cut), { start: 5, end: 2 * CHUNK - 1 })
    expect(toHex(found.plaintext)).toBe(toHex(sequence(2 * CHUNK - 1).slice(5)))
    expect(found.lengthVerified).toBe(false)
    for (const range of [
      { start: 5, end: 2 * CHUNK },
      { start: 5 },
      { start: 2 * CHUNK },
      { start: 2 * CHUNK + 24 },
      { start: 9 * CHUNK, end: 10 * CHUNK },
      { start: -1, size: message.length },
    ]) {
      expect(await codeOfAsync(() => decrypt(from(cut), range))).toBe(FAILED)
    }
  })
})

describe('a size that lies', () => {
  const LONG = 2 * CHUNK + 24
  it.each([0, 1, 100, 300, 16_700, 10 ** 9])('of %i bytes is refused', async (lie) => {
    const message = messages.get(LONG)!
    for (const start of [-5, 0, CHUNK, LONG, 9 * CHUNK]) {
      const code = await codeOfAsync(() => decrypt(from(message), { start, size: lie }))
      expect(code, String(start)).toBe(FAILED)
    }
  })

  it.each([-SEALED - 1, -SEALED, -25, -1, 1, SEALED - 24, SEALED, 3 * SEALED])(
    'by %i bytes is refused wherever the range lies, and the right one is verified',
    async (lie) => {
      const message = messages.get(LONG)!
      for (const [start, end] of [
        [0, 1],
        [0, 0],
        [CHUNK, CHUNK + 5],
        [2 * CHUNK, LONG],
        [LONG + 5, LONG + 9],
      ] as const) {
        const { length: size } = message
        const code = await codeOfAsync(() =>
          decrypt(from(message), { start, end, size: size + lie }),
        )
        expect(code, String(start)).toBe(FAILED)
        const found = await decrypt(from(message), { start, end, size })
        expect(found).toMatchObject({ lengthVerified: true, length: LONG })
        expect(found).toMatchObject({ start: Math.min(start, LONG), end: Math.min(end, LONG) })
        expect(toHex(found.plaintext)).toBe(toHex(sequence(LONG).slice(start, end)))
      }
    },
  )

  it('is not needed for an empty range past the end to say where the end is', async () => {
    for (const at of [LONG, LONG + 1, 3 * CHUNK, 9 * CHUNK]) {
      const found = await decrypt(from(messages.get(LONG)!), { start: at, end: at })
      const place = { start: LONG, end: LONG, lengthVerified: true, length: LONG }
      expect(found).toEqual({ ...place, plaintext: new Uint8Array(0) })
    }
    const inside = await decrypt(from(messages.get(LONG)!), { start: 9, end: 9 })
    expect(inside).toMatchObject({ start: 9, end: 9, lengthVerified: false })
  })

  it('that no stream can have looks like any truncation, wherever the range begins', async () => {
    const message = messages.get(24)!
    const least = bodyAt + 56
    for (const size of [0, least - 1, least, least + 15, least + SEALED, least + SEALED + 15]) {
      for (const start of [0, 3, 100, -5]) {
        const code = await codeOfAsync(() => decrypt(from(message), { start, size }))
        expect(code, `${size} ${start}`).toBe(FAILED)
      }
    }
  })

  it.each([NaN, -1, 1.5, Infinity, 2 ** 60])(
    'and is %d is a mistake of the program',
    async (size) => {
      await expect(decrypt(from(messages.get(24)!), { start: -5, size })).rejects.toBeInstanceOf(
        RangeError,
      )
    },
  )
})

describe('a read that lies', () => {
  type Lie = (truth: Bytes, start: number, end: number, other: Bytes) => Bytes
  const LIES: Readonly<Record<string, Lie>> = {
    nothing: () => new Uint8Array(0),
    'one byte less': (truth) => truth.slice(0, -1),
    'a half': (truth) => truth.slice(0, truth.length >> 1),
    zeros: (truth) => new Uint8Array(truth.length),
    'one bit changed': (truth) =>
      truth.map((byte, i) => (i === truth.length >> 1 ? byte ^ 1 : byte)),
    'bytes of another message': (_, start, end, other) => other.slice(start, end),
    'bytes of the chunk before': (truth, start, end, _) =>
      start < SEALED ? truth : messages.get(2 * CHUNK + 24)!.slice(start - SEALED, end - SEALED),
    'the rest of the object, cut to size': (_, start, end, other) => other.slice(0, end - start),
  }

  it('is an error, or changes nothing', async () => {
    const other = await through(cipher.encryptStream(OPTIONS), sequence(2 * CHUNK + 24, 7))
    const length = 2 * CHUNK + 24
    const message = messages.get(length)!
    const outcomes = { right: 0, refused: 0 }
    const offset = fc.oneof(fc.nat(length + CHUNK), fc.constantFrom(0, CHUNK, 2 * CHUNK, length))
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(LIES)),
        fc.nat(5),
        offset,
        fc.option(offset),
        async (name, when, a, b) => {
          let reads = 0
          const read: ReadEnvelopeRange = async (start, end) => {
            const truth = message.slice(start, end)
            return reads++ === when ? LIES[name]!(truth, start, end, other) : truth
          }
          const start = b === null ? a : Math.min(a, b)
          const end = b === null ? undefined : Math.max(a, b)
          try {
            const found = await decrypt(read, { start, ...(end !== undefined && { end }) })
            const right = Buffer.compare(found.plaintext, sequence(length).slice(start, end))
            expect(right).toBe(0)
            if (found.lengthVerified) expect(found.length).toBe(length)
            outcomes.right += 1
          } catch (error) {
            if (!isKmsError(error)) throw error
            outcomes.refused += 1
          }
        },
      ),
      { numRuns: 600 },
    )
    expect(Math.min(outcomes.right, outcomes.refused)).toBeGreaterThan(50)
  })

  it('and returns more than was asked for is a mistake of the program: offsets would lie', async () => {
    const message = messages.get(2 * CHUNK + 24)!
    const whole: ReadEnvelopeRange = async () => message
    await expect(decrypt(whole, { start: 3 })).rejects.toBeInstanceOf(TypeError)
    const wrong = (async () => 'text') as unknown as ReadEnvelopeRange
    await expect(decrypt(wrong, { start: 3 })).rejects.toBeInstanceOf(TypeError)
  })

  it('and fails lets its own error through', async () => {
    const reason = new Error('404')
    for (let when = 0; when < 2; when++) {
      let reads = 0
      const read: ReadEnvelopeRange = async (start, end) => {
        if (reads++ === when) throw reason
        return messages.get(24)!.slice(start, end)
      }
      await expect(decrypt(read, { start: 0 })).rejects.toBe(reason)
    }
  })

  it('and uses one buffer for all its answers is not a lie', async () => {
    const message = messages.get(2 * CHUNK + 24)!
    const pool = new Uint8Array(message.length)
    const read: ReadEnvelopeRange = async (start, end) => {
      pool.fill(0xee)
      const bytes = message.subarray(start, end)
      pool.set(bytes)
      return pool.subarray(0, bytes.length)
    }
    const found = await decrypt(read, { start: 3 })
    expect(toHex(found.plaintext)).toBe(toHex(sequence(2 * CHUNK + 24).slice(3)))
  })
})

describe('the reads', () => {
  it('are bounded, whatever is asked for', async () => {
    const message = messages.get(2 * CHUNK + 24)!
    const far = 2 ** 45
    for (const range of [
      { start: 0 },
      { start: far },
      { start: far, size: message.length },
      { start: -1, size: message.length },
      { start: -far, size: message.length },
      { start: CHUNK, end: CHUNK + 1 },
      { start: CHUNK - 1, end: 2 * CHUNK },
      { start: 0, end: 3 * CHUNK },
    ]) {
      const reads: (readonly [number, number])[] = []
      const read: ReadEnvelopeRange = async (start, end) => {
        reads.push([start, end])
        return message.slice(start, end)
      }
      await decrypt(read, range)
      const wanted = 'end' in range ? range.end - range.start : 64 * CHUNK
      for (const [start, end] of reads) {
        expect(start).toBeGreaterThanOrEqual(0)
        expect(end).toBeGreaterThan(start)
        expect(end - start).toBeLessThanOrEqual(Math.max(1_024, wanted + 2 * SEALED + 64 * 16))
      }
      // Finding the end takes one read for each bit of the offset, at most.
      expect(reads.length).toBeLessThanOrEqual(range.start === far ? 50 : 5)
    }
  })

  it('of a hostile head stop where the parser does, without a KMS call', async () => {
    kms.calls.length = 0
    const head = messages.get(24)!.slice()
    head[bodyAt - 34]! ^= 0x40
    for (const read of [from(sequence(5_000)), from(head.slice(0, 90)), from(new Uint8Array(0))]) {
      let asked = 0
      const counted: ReadEnvelopeRange = (start, end, signal) => {
        asked += end - start
        return read(start, end, signal)
      }
      const reader = coldReader(kms)
      const code = await codeOfAsync(() => reader.decryptRange(counted, { start: 0 }, OPTIONS))
      expect(code).toBe('ERR_WIRE_MALFORMED')
      expect(asked).toBeLessThanOrEqual(256 * 1_024)
    }
    expect(kms.calls).toEqual([])
  })

  it('of a record are refused: a range is for streams', async () => {
    const record = await cipher.encrypt(sequence(9), OPTIONS)
    const code = await codeOfAsync(() => decrypt(from(record), { start: 0 }))
    expect(code).toBe('ERR_WIRE_KIND_REFUSED')
  })
})

it.each<[string, object]>([
  ['a start that is not a number', { start: NaN }],
  ['half a byte', { start: 0.5 }],
  ['an end before the start', { start: 5, end: 4 }],
  ['a negative end', { start: 0, end: -1 }],
  ['a range from the end with an end', { start: -5, end: 3, size: 100 }],
  ['a range from the end without a size', { start: -5 }],
  ['more than a stream can hold', { start: 0, end: 2 ** 53 }],
  ['no start', {}],
])('%s is a RangeError, before any read', async (_, range) => {
  let reads = 0
  const read: ReadEnvelopeRange = async () => {
    reads += 1
    return new Uint8Array(0)
  }
  await expect(decrypt(read, range as PlaintextRange)).rejects.toBeInstanceOf(RangeError)
  expect(reads).toBe(0)
})

describe('a read that never answers', () => {
  const forever = (): Promise<Uint8Array> => new Promise(() => undefined)

  it.each([0, 1, 2])('ends in time, also after %i good reads', async (good) => {
    const message = messages.get(2 * CHUNK + 24)!
    const { cipher } = setUp({ kms })
    let reads = 0
    const signals: AbortSignal[] = []
    const read: ReadEnvelopeRange = (start, end, signal) => {
      signals.push(signal)
      return reads++ < good ? Promise.resolve(message.slice(start, end)) : forever()
    }
    // The head, the range, and the final chunk that proves the size.
    const range = { start: 0, end: 10, size: message.length }
    const options = { ...OPTIONS, readTimeoutMs: 20 }
    const error = await cipher.decryptRange(read, range, options).catch((e: unknown) => e)
    expect(isKmsError(error, 'ERR_STORE_UNAVAILABLE')).toBe(true)
    expect(String(error)).toContain('readTimeoutMs')
    expect(signals.at(-1)?.aborted).toBe(true)
  })

  it('is bounded by 30 seconds by default, by the timers of the cipher', async () => {
    const waits: number[] = []
    const network = {
      fetch: () => Promise.reject(new Error('no network')),
      after: (delayMs: number, callback: () => void) => {
        waits.push(delayMs)
        queueMicrotask(callback)
        return () => undefined
      },
      jitter: () => 0,
    }
    const { cipher } = setUp({ network })
    const code = codeOfAsync(() => cipher.decryptRange(forever, { start: 0 }, OPTIONS))
    expect(await code).toBe('ERR_STORE_UNAVAILABLE')
    expect(waits).toEqual([30_000])
  })

  it.each([0, 900_001, 1.5, '20', null])('refuses readTimeoutMs %j', async (readTimeoutMs) => {
    const options = { ...OPTIONS, readTimeoutMs } as object
    const code = codeOfAsync(() => cipher.decryptRange(forever, { start: 0 }, options))
    expect(await code).toBe('ERR_KMS_CONFIG')
  })
})
