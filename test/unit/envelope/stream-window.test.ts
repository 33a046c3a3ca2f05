// The chunks in flight in a stream are bounded and in order, and no rejection is unhandled.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { EncryptedEnvelope, type EnvelopeCipher } from '../../../src/index.ts'
import { toHex } from '../../vectors/hex.ts'
import { type Bytes, cut, drain, OPTIONS, sequence, setUp, through } from '../wire/fixture.ts'

const CHUNK = 16_384
const SEALED = 16_400
/** Two groups of eight chunks. */
const IN_FLIGHT = 16
const LENGTH = 70 * CHUNK + 5
const plaintext = sequence(LENGTH)

type Method = 'encryptStream' | 'decryptStream'
const METHODS = ['encryptStream', 'decryptStream'] as const

async function inputOf(method: Method, cipher: EnvelopeCipher): Promise<Bytes> {
  return method === 'encryptStream' ? plaintext : through(cipher.encryptStream(OPTIONS), plaintext)
}

/** Lets AEAD calls answer in the order that `delayOf` gives them, and counts how many wait. */
function slowAead(method: Method, delayOf: (call: number) => number): { most: () => number } {
  const name = method === 'encryptStream' ? 'encrypt' : 'decrypt'
  const real = crypto.subtle[name].bind(crypto.subtle)
  let [calls, flying, most] = [0, 0, 0]
  vi.spyOn(crypto.subtle, name).mockImplementation(async (...args) => {
    const delay = delayOf(calls++)
    most = Math.max(most, ++flying)
    try {
      const result = await real(...args)
      for (let turn = 0; turn < delay; turn++) await new Promise((resolve) => setImmediate(resolve))
      return result
    } finally {
      flying -= 1
    }
  })
  return { most: () => most }
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe.each(METHODS)('%s', (method) => {
  it.each<[string, readonly number[]]>([
    ['one piece', [100 * SEALED]],
    ['pieces of a chunk', [SEALED]],
    ['small pieces', [1_000]],
  ])('R5 keeps a bounded number of chunks in flight, from %s', async (_, sizes) => {
    const { cipher } = setUp()
    const input = await inputOf(method, cipher)
    const { most } = slowAead(method, () => 2)
    const { error } = await drain(cipher[method](OPTIONS), cut(input, sizes))
    expect(error).toBeUndefined()
    expect(most()).toBeGreaterThan(1)
    expect(most()).toBeLessThanOrEqual(IN_FLIGHT)
  })

  it.each<[string, (call: number) => number]>([
    ['the last first', (call) => (call % IN_FLIGHT === 0 ? 40 : 0)],
    ['in turns', (call) => (call % 2) * 9],
    ['any order', (call) => (call * 7) % 11],
  ])('R5 gives chunks on in order where they are ready in another: %s', async (_, delayOf) => {
    const { cipher } = setUp()
    const input = await inputOf(method, cipher)
    slowAead(method, delayOf)
    for (const sizes of [[100 * SEALED], [SEALED], [9_999]]) {
      const { released, error } = await drain(cipher[method](OPTIONS), cut(input, sizes))
      expect(error).toBeUndefined()
      vi.restoreAllMocks()
      const back =
        method === 'decryptStream'
          ? released
          : await through(cipher.decryptStream(OPTIONS), released)
      expect(Buffer.compare(back, plaintext)).toBe(0)
      slowAead(method, delayOf)
    }
  })

  it('R5 gives no empty piece on', async () => {
    const { cipher } = setUp()
    for (const length of [0, 5, CHUNK, 8 * CHUNK, 16 * CHUNK, 16 * CHUNK + 1]) {
      const part = plaintext.slice(0, length)
      const sealed = await through(cipher.encryptStream(OPTIONS), part)
      const input = method === 'encryptStream' ? part : sealed
      const transform = cipher[method](OPTIONS)
      const writer = transform.writable.getWriter()
      const sending = (async () => {
        // Empty pieces may come in.
        for (const piece of [new Uint8Array(0), input, new Uint8Array(0)]) await writer.write(piece)
        await writer.close()
      })()
      for await (const piece of transform.readable) expect(piece.length).toBeGreaterThan(0)
      await sending
    }
  })
})

describe('R5 a bad chunk', () => {
  it.each([0, 1, 7, 8, 15, 16, 17, 69, 70])(
    'R5 number %i: all before it is released at most, nothing after it, and no rejection is lost',
    async (bad) => {
      const unhandled: unknown[] = []
      const listen = (reason: unknown): number => unhandled.push(reason)
      process.on('unhandledRejection', listen)
      const { cipher } = setUp()
      const message = await inputOf('decryptStream', cipher)
      const { headBytes } = EncryptedEnvelope.parse(message)
      const damaged = message.slice()
      damaged[headBytes + 56 + bad * SEALED]! ^= 1
      for (const sizes of [[100 * SEALED], [SEALED], [999]]) {
        slowAead('decryptStream', (call) => (call === bad ? 0 : 5))
        const { released, error } = await drain(cipher.decryptStream(OPTIONS), cut(damaged, sizes))
        expect(error).toMatchObject({ code: 'ERR_DECRYPT_FAILED' })
        expect(released.length).toBeLessThanOrEqual(bad * CHUNK)
        expect(released.length % CHUNK).toBe(0)
        expect(toHex(released)).toBe(toHex(plaintext.slice(0, released.length)))
        vi.restoreAllMocks()
      }
      await new Promise((resolve) => setTimeout(resolve, 5))
      process.off('unhandledRejection', listen)
      expect(unhandled).toEqual([])
    },
  )
})
