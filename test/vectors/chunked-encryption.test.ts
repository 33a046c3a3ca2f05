import { createHash } from 'node:crypto'
import { inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import {
  CHUNKED,
  type ChunkedKeys,
  type ChunkedSuite,
  COBBLESTONE_256,
  deriveChunkedKeys,
  openChunk,
  openChunked,
  sealChunk,
} from '../../src/ciphers/index.ts'
import { codeOfAsync, fromHex, toHex } from './hex.ts'
import { joinBytes } from './raw-header.ts'
import { readVectors, testsOf, type VectorTest } from './wycheproof.ts'

interface ChunkedTest extends VectorTest {
  readonly key: string
  readonly ctx: string
  readonly ct: string
  readonly aeadKey?: string
  readonly baseNonce?: string
  readonly msgLength?: number
  readonly msgSha512?: string
}

const COBBLESTONE_128: ChunkedSuite = {
  ...COBBLESTONE_256,
  aead: 'AEAD_AES_128_GCM',
  keyBytes: 16,
}
const SUITES = [
  ['c2sp_chunked_encryption_aes_256_gcm', COBBLESTONE_256],
  ['c2sp_chunked_encryption_aes_128_gcm', COBBLESTONE_128],
] as const

const sha512 = (bytes: Uint8Array): string => createHash('sha512').update(bytes).digest('hex')
const importPrk = (hex: string): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', fromHex(hex), { name: 'HMAC', hash: 'SHA-512' }, false, ['sign'])

interface Reading {
  readonly code: string | undefined
  /** Bytes that a streaming reader has released when it stops. */
  readonly released: Uint8Array
  /** The final chunk opens at its place: what a reader that seeks from the end finds. */
  readonly finalOpens: boolean
}

/** Reads a message chunk by chunk with the functions of src/ciphers. */
async function readMessage(test: ChunkedTest, suite: ChunkedSuite): Promise<Reading> {
  const message = new Uint8Array(inflateSync(fromHex(test.ct)))
  const prk = await importPrk(test.key)
  const released: Uint8Array[] = []
  let keys: ChunkedKeys | undefined
  const code = await codeOfAsync(async () => {
    keys = await openChunked(prk, message.slice(0, CHUNKED.headerBytes), fromHex(test.ctx), suite)
    if (test.baseNonce !== undefined) expect(toHex(keys.baseNonce)).toBe(test.baseNonce)
    for (let i = 0, at = CHUNKED.headerBytes as number; ; i++, at += CHUNKED.sealedChunkBytes) {
      const sealed = message.slice(at, at + CHUNKED.sealedChunkBytes)
      released.push(await openChunk(keys, i, sealed))
      if (sealed.length < CHUNKED.sealedChunkBytes) return
    }
  })
  const body = message.length - CHUNKED.headerBytes
  const last = Math.floor(body / CHUNKED.sealedChunkBytes)
  const tail = message.slice(CHUNKED.headerBytes + last * CHUNKED.sealedChunkBytes)
  const opened = keys
  const finalCode =
    opened === undefined || body < 0
      ? 'none'
      : await codeOfAsync(() => openChunk(opened, last, tail))
  return { code, released: joinBytes(...released), finalOpens: finalCode === undefined }
}

describe.each(SUITES)('Wycheproof %s through the chunk cipher (R34)', (file, suite) => {
  const tests = [...testsOf(readVectors<object, ChunkedTest>(file))]

  it('W4.11, W4.13, W4.14: opens every valid message', async () => {
    const valid = tests.filter(({ result }) => result === 'valid')
    expect(valid.length).toBe(10)
    for (const test of valid) {
      const { code, released, finalOpens } = await readMessage(test, suite)
      expect(code, `tcId ${String(test.tcId)}`).toBeUndefined()
      expect(released.length).toBe(test.msgLength)
      expect(sha512(released)).toBe(test.msgSha512)
      expect(finalOpens).toBe(true)
    }
  })

  it('W4.11, W4.13: seals every valid message to the same bytes', async () => {
    for (const test of tests.filter(({ result }) => result === 'valid')) {
      const { released } = await readMessage(test, suite)
      const message = new Uint8Array(inflateSync(fromHex(test.ct)))
      const salt = message.slice(0, CHUNKED.saltBytes)
      const keys = await deriveChunkedKeys(
        await importPrk(test.key),
        salt,
        fromHex(test.ctx),
        suite,
      )
      const chunks = [salt, keys.commitment]
      for (let i = 0; i * CHUNKED.chunkBytes <= released.length; i++) {
        const start = i * CHUNKED.chunkBytes
        chunks.push(await sealChunk(keys, i, released.slice(start, start + CHUNKED.chunkBytes)))
      }
      expect(sha512(joinBytes(...chunks)), `tcId ${String(test.tcId)}`).toBe(sha512(message))
    }
  })

  it('W4.15, W4.16, W4.18: refuses every other with one code, and releases no more than it may', async () => {
    const invalid = tests.filter(({ result }) => result === 'invalid')
    expect(invalid.length).toBe(25)
    for (const test of invalid) {
      const name = `tcId ${String(test.tcId)}`
      const { code, released, finalOpens } = await readMessage(test, suite)
      expect(code, name).toBe('ERR_DECRYPT_FAILED')
      const partial = test.flags.includes('PartialPlaintext')
      expect(sha512(released), name).toBe(partial ? test.msgSha512 : sha512(new Uint8Array(0)))
      expect(finalOpens, name).toBe(test.flags.includes('ValidFinalChunk'))
    }
  })
})
