import { createHmac } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  CHUNKED,
  type ChunkedKeys,
  chunkNonce,
  deriveChunkedKeys,
  openChunk,
  openChunked,
  sealChunk,
  streamContext,
} from '../../../src/ciphers/index.ts'
import { codeOfAsync, fromHex, toHex, utf8 } from '../../vectors/hex.ts'
import { joinBytes } from '../../vectors/raw-header.ts'

const raw = new Uint8Array(32).fill(3)
const salt = new Uint8Array(24).fill(4)
let prk: CryptoKey
let keys: ChunkedKeys

beforeAll(async () => {
  prk = await crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-512' }, false, [
    'sign',
  ])
  keys = await deriveChunkedKeys(prk, salt, streamContext({ row: '42' }))
})

describe('chunked cipher', () => {
  it('W4.10: has a label and ctx(aad) as its context', () => {
    const label = toHex(utf8('edge-kms/v1/stream')) + '00'
    expect(toHex(streamContext(undefined))).toBe(`${label}0000`)
    expect(toHex(streamContext({ a: '' }))).toBe(`${label}00010001610000`)
  })

  it('W4.11: derives with HKDF-Expand over two blocks, of any length of info', async () => {
    for (const aad of [{}, { k: 'v'.repeat(8_000) }]) {
      const context = streamContext(aad)
      const info = joinBytes(
        utf8('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM'),
        new Uint8Array(1),
        salt,
        context,
      )
      const block = (...parts: Uint8Array[]): Uint8Array =>
        createHmac('sha512', raw)
          .update(joinBytes(...parts))
          .digest()
      const first = block(info, new Uint8Array([1]))
      const okm = joinBytes(first, block(first, info, new Uint8Array([2])))
      const derived = await deriveChunkedKeys(prk, salt, context)
      expect(toHex(derived.baseNonce)).toBe(toHex(okm.subarray(32, 44)))
      expect(toHex(derived.commitment)).toBe(toHex(okm.subarray(44, 76)))
      const key = okm.slice(0, 32)
      const aead = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt'])
      const algorithm = { name: 'AES-GCM', iv: derived.baseNonce }
      const expected = await crypto.subtle.encrypt(algorithm, aead, utf8('text'))
      expect(toHex(await sealChunk(derived, 0, utf8('text')))).toBe(toHex(new Uint8Array(expected)))
      expect(derived.aeadKey.extractable).toBe(false)
    }
  })

  it('W4.13: the nonce is baseNonce XOR the index as a 96-bit number', () => {
    const base = fromHex('0f0e0d0c0b0a090807060504')
    const big = BigInt('0x0f0e0d0c0b0a090807060504')
    const indices = [
      0,
      1,
      255,
      256,
      65_535,
      2 ** 31 - 1,
      2 ** 31,
      2 ** 32 - 1,
      2 ** 32,
      2 ** 32 + 1,
    ]
    for (const index of [...indices, 2 ** 37 + 12_345, 2 ** 38 - 1]) {
      const expected = (big ^ BigInt(index)).toString(16).padStart(24, '0')
      expect(toHex(chunkNonce(base, index)), String(index)).toBe(expected)
    }
    expect(toHex(base)).toBe('0f0e0d0c0b0a090807060504')
  })

  it('W4.15: a commitment with any bit changed is refused', async () => {
    const header = joinBytes(salt, keys.commitment)
    const context = streamContext({ row: '42' })
    expect((await openChunked(prk, header, context)).baseNonce).toEqual(keys.baseNonce)
    for (let bit = 0; bit < 56 * 8; bit++) {
      const changed = header.slice()
      changed[bit >> 3]! ^= 1 << (bit & 7)
      expect(await codeOfAsync(() => openChunked(prk, changed, context))).toBe('ERR_DECRYPT_FAILED')
    }
    const other = await codeOfAsync(() => openChunked(prk, header, streamContext({ row: '43' })))
    expect(other).toBe('ERR_DECRYPT_FAILED')
    for (const length of [0, 23, 24, 55]) {
      const cut = await codeOfAsync(() => openChunked(prk, header.slice(0, length), context))
      expect(cut).toBe('ERR_DECRYPT_FAILED')
    }
  })

  it('W4.17: refuses the chunk with the index 2^38, in both directions', async () => {
    const last = CHUNKED.maxChunks - 1
    expect(CHUNKED.maxChunks).toBe(2 ** 38)
    const sealed = await sealChunk(keys, last, utf8('last'))
    expect(await openChunk(keys, last, sealed)).toEqual(utf8('last'))
    expect(await codeOfAsync(() => sealChunk(keys, last + 1, utf8('x')))).toBe(
      'ERR_ENVELOPE_TOO_LARGE',
    )
    expect(await codeOfAsync(() => openChunk(keys, last + 1, sealed))).toBeDefined()
    // Seals that index with GCM itself, so that the code refuses it and not the tag.
    const iv = fromHex(
      (BigInt(`0x${toHex(keys.baseNonce)}`) ^ (2n ** 38n)).toString(16).padStart(24, '0'),
    )
    const forged = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, keys.aeadKey, utf8('x'))
    const beyond = await codeOfAsync(() => openChunk(keys, 2 ** 38, new Uint8Array(forged)))
    expect(beyond).toBeDefined()
  })

  it('W6.9: a chunk at another index, changed or cut is one code', async () => {
    const sealed = await sealChunk(keys, 5, utf8('chunk'))
    expect(await openChunk(keys, 5, sealed)).toEqual(utf8('chunk'))
    for (const index of [0, 4, 6, 5 + 2 ** 32]) {
      expect(await codeOfAsync(() => openChunk(keys, index, sealed))).toBe('ERR_DECRYPT_FAILED')
    }
    for (let length = 0; length < sealed.length; length++) {
      const cut = await codeOfAsync(() => openChunk(keys, 5, sealed.slice(0, length)))
      expect(cut).toBe('ERR_DECRYPT_FAILED')
    }
  })
})
