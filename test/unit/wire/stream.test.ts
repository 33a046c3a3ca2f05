import { beforeAll, describe, expect, it } from 'vitest'
import { EncryptedEnvelope, type EnvelopeCipher, isKmsError } from '../../../src/index.ts'
import { codeOfAsync, toHex, utf8 } from '../../vectors/hex.ts'
import { joinBytes } from '../../vectors/raw-header.ts'
import { type Bytes, cut, drain, OPTIONS, sequence, setUp, through } from './fixture.ts'

const CHUNK = 16_384
const SEALED = 16_400
const FAILED = 'ERR_DECRYPT_FAILED'
const KINDS = { ...OPTIONS, kinds: ['stream'] as const }

let cipher: EnvelopeCipher
let plaintext: Bytes
let message: Bytes
let bodyAt: number
const head = (): Bytes => message.slice(0, bodyAt + 56)
const chunk = (i: number): Bytes =>
  message.slice(bodyAt + 56 + i * SEALED, bodyAt + 56 + (i + 1) * SEALED)
const read = (envelope: Uint8Array, sizes: readonly number[] = [9_000]): ReturnType<typeof drain> =>
  drain(cipher.decryptStream(OPTIONS), cut(envelope, sizes))

beforeAll(async () => {
  cipher = setUp().cipher
  plaintext = sequence(2 * CHUNK + 100)
  message = await through(cipher.encryptStream(OPTIONS), plaintext)
  bodyAt = EncryptedEnvelope.parse(message).headBytes
})

describe('stream, written', () => {
  it.each([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1])(
    'W4.14: %i bytes are full chunks and one final chunk that is shorter',
    async (length) => {
      const envelope = await through(cipher.encryptStream(OPTIONS), sequence(length))
      const body = envelope.length - EncryptedEnvelope.parse(envelope).headBytes
      const full = Math.floor(length / CHUNK)
      expect(body).toBe(56 + full * SEALED + (length % CHUNK) + 16)
      expect(await through(cipher.decryptStream(OPTIONS), envelope)).toEqual(sequence(length))
      expect(await cipher.decrypt(envelope, KINDS)).toEqual(sequence(length))
    },
  )

  it('W4.14: is the same whatever the pieces are', async () => {
    for (const sizes of [[1], [CHUNK], [CHUNK - 1, 2], [7, 40_000], [CHUNK + 1]]) {
      const { cipher: writer, runtime } = setUp()
      runtime.scripted.set(24, [new Uint8Array(24)])
      const { released } = await drain(writer.encryptStream(OPTIONS), cut(plaintext, sizes))
      const body = released.slice(EncryptedEnvelope.parse(released).headBytes)
      expect(body.length).toBe(56 + 2 * SEALED + 116)
      expect(toHex(body.slice(0, 24))).toBe('00'.repeat(24))
      expect(await through(writer.decryptStream(OPTIONS), released)).toEqual(plaintext)
    }
  })
})

describe('stream, read', () => {
  it.each([[1], [16, 1], [SEALED], [SEALED - 1, 2], [SEALED + 1], [1_000_000]])(
    'opens in pieces of %i',
    async (...sizes) => {
      const { released, error } = await read(message, sizes)
      expect(error).toBeUndefined()
      expect(released).toEqual(plaintext)
    },
  )

  it('W4.15: a wrong stream commitment or salt releases nothing', async () => {
    for (const at of [bodyAt, bodyAt + 23, bodyAt + 24, bodyAt + 55]) {
      const changed = message.slice()
      changed[at]! ^= 1
      const { released, error } = await read(changed)
      expect(isKmsError(error, FAILED)).toBe(true)
      expect(released).toHaveLength(0)
    }
  })

  it('W4.16: every truncation of the body is refused, with the code of a bad tag', async () => {
    const interesting = [0, 1, 23, 24, 55, 56, 57, 71, 72, 73]
    for (const end of [56 + SEALED, 56 + 2 * SEALED]) {
      for (let off = -20; off <= 20; off++) interesting.push(end + off)
    }
    for (let length = message.length - bodyAt - 120; length < message.length - bodyAt; length++) {
      interesting.push(length)
    }
    for (const length of interesting) {
      const short = message.slice(0, bodyAt + length)
      const { released, error } = await read(short)
      expect(isKmsError(error, FAILED), String(length)).toBe(true)
      expect(toHex(released)).toBe(toHex(plaintext.slice(0, released.length)))
      expect(released.length % CHUNK).toBe(0)
      expect(await codeOfAsync(() => cipher.decrypt(short, KINDS)), String(length)).toBe(FAILED)
    }
  })

  it('W4.16: what comes after the final chunk is refused', async () => {
    for (const more of [1, 16, 17, SEALED, SEALED - 116, SEALED - 100]) {
      const longer = joinBytes(message, new Uint8Array(more))
      expect(isKmsError((await read(longer)).error, FAILED), String(more)).toBe(true)
      expect(await codeOfAsync(() => cipher.decrypt(longer, KINDS))).toBe(FAILED)
    }
    expect(isKmsError((await read(joinBytes(message, chunk(2)))).error, FAILED)).toBe(true)
  })

  it('W4.18: releases no byte of a chunk before its tag is verified', async () => {
    for (const [broken, most] of [
      [0, 0],
      [1, CHUNK],
      [2, 2 * CHUNK],
    ] as const) {
      for (const at of [0, 5, chunk(broken).length - 1]) {
        const changed = message.slice()
        changed[bodyAt + 56 + broken * SEALED + at]! ^= 0x80
        for (const sizes of [[1_000_000], [1_024], [SEALED]]) {
          const { released, error } = await read(changed, sizes)
          expect(isKmsError(error, FAILED)).toBe(true)
          expect(released.length).toBeLessThanOrEqual(most)
          expect(toHex(released)).toBe(toHex(plaintext.slice(0, released.length)))
        }
        expect(await codeOfAsync(() => cipher.decrypt(changed, KINDS))).toBe(FAILED)
      }
    }
  })

  it('W4.13: chunks in another order, twice or missing are refused', async () => {
    for (const order of [
      [1, 0, 2],
      [0, 0, 1, 2],
      [0, 0, 2],
      [1, 2],
      [0, 2],
      [0, 1],
      [2],
      [2, 0, 1],
    ]) {
      const changed = joinBytes(head(), ...order.map(chunk))
      const { released, error } = await read(changed)
      expect(isKmsError(error, FAILED), order.join()).toBe(true)
      expect(toHex(released)).toBe(toHex(plaintext.slice(0, released.length)))
      expect(await codeOfAsync(() => cipher.decrypt(changed, KINDS))).toBe(FAILED)
    }
  })

  it('W4.5: a record and a stream cannot be taken for each other', async () => {
    const record = await cipher.encrypt(utf8('x'.repeat(100)), OPTIONS)
    const asStream = record.slice()
    asStream[3] = 0x02
    expect(isKmsError((await read(asStream)).error, FAILED)).toBe(true)
    const asRecord = message.slice()
    asRecord[3] = 0x01
    expect(await codeOfAsync(() => cipher.decrypt(asRecord, OPTIONS))).toBe(FAILED)
  })
})
