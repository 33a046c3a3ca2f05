// A stream must stop once its keys may not be used any more: two restores of one snapshot would
// otherwise seal the same chunk number twice under one key.
import { describe, expect, it } from 'vitest'
import { type ChunkedKeys, deriveChunkedKeys } from '../../../src/ciphers/index.ts'
import {
  DataEncryptionKey,
  type DataKeySource,
  EnvelopeCipher,
  type StreamKeys,
} from '../../../src/index.ts'
import { cut, drain, OPTIONS, sequence, setUp, through } from '../wire/fixture.ts'

const CHUNK = 16_384
const SEALED = 16_400
const gone = new Error('clear() was called')

/** A hook that lets so many calls pass. */
function lasting(calls: number): { readonly demandCurrent: () => void } {
  let left = calls
  return {
    demandCurrent: () => {
      if (left-- <= 0) throw gone
    },
  }
}

async function keysOf(): Promise<ChunkedKeys> {
  const algorithm = { name: 'HMAC', hash: 'SHA-512', length: 256 }
  const prk = await crypto.subtle.importKey('raw', sequence(32), algorithm, false, ['sign'])
  return deriveChunkedKeys(prk, sequence(24), new Uint8Array(0))
}

describe('demandCurrent', () => {
  it('is asked before a stream is begun, before each chunk is sealed, and before any is released', async () => {
    const keys = await keysOf()
    const plaintext = sequence(40 * CHUNK)
    let asked = 0
    const demandCurrent = (): void => {
      asked += 1
    }
    const start = { keys, head: sequence(4), demandCurrent }
    await through(cipherOver({ startStream: async () => start }).encryptStream(), plaintext)
    // 41 chunks are sealed, and at least five groups of at most eight are released.
    expect(asked).toBeGreaterThanOrEqual(1 + 41 + 5)
    for (const calls of [0, 1, 5, 20, 40, asked - 1]) {
      const ends = { keys, head: sequence(4), ...lasting(calls) }
      const transform = cipherOver({ startStream: async () => ends }).encryptStream()
      const { released, error } = await drain(transform, cut(plaintext, [SEALED]))
      expect(error, String(calls)).toBe(gone)
      expect(released.length).toBeLessThanOrEqual(calls * SEALED)
    }
  })

  it('is asked before each chunk is opened, and before any plaintext is released', async () => {
    const { cipher } = setUp()
    const message = await through(cipher.encryptStream(OPTIONS), sequence(20 * CHUNK))
    // The keys of that stream, through the data key of another cipher over the same KMS.
    const keys = await streamKeysOf(message)
    for (const calls of [0, 1, 5, 15, 21]) {
      const openStream = async (): Promise<StreamKeys> => ({ keys, ...lasting(calls) })
      const transform = cipherOver({ openStream }).decryptStream()
      const { released, error } = await drain(transform, cut(message, [SEALED]))
      expect(error, String(calls)).toBe(gone)
      expect(released.length).toBeLessThanOrEqual(calls * CHUNK)
    }
  })

  it('is asked before a range is opened, and before it is returned', async () => {
    const { cipher } = setUp()
    const message = await through(cipher.encryptStream(OPTIONS), sequence(2 * CHUNK))
    const keys = await streamKeysOf(message)
    const read = async (start: number, end: number): Promise<Uint8Array> =>
      message.slice(start, end)
    const range = (calls: number): Promise<unknown> =>
      cipherOver({ openStream: async () => ({ keys, ...lasting(calls) }) }).decryptRange(read, {
        start: 0,
        end: 10,
      })
    await expect(range(0)).rejects.toBe(gone)
    await expect(range(1)).rejects.toBe(gone)
    await expect(range(2)).resolves.toMatchObject({ plaintext: sequence(10) })
  })
})

/** A cipher whose only data key starts and opens streams so. */
function cipherOver(
  key: Partial<Pick<DataEncryptionKey, 'startStream' | 'openStream'>>,
): EnvelopeCipher {
  const policy = { requiredContextKeys: [], maxWraps: 5, references: false }
  const found = (): DataEncryptionKey => key as DataEncryptionKey
  const source: Partial<DataKeySource> = {
    policy,
    active: found,
    open: found,
    openMany: async () => [],
  }
  return new EnvelopeCipher({ keys: source as DataKeySource })
}

/** The keys of a stream: those that a cipher derives while it reads the stream. */
async function streamKeysOf(message: Uint8Array): Promise<ChunkedKeys> {
  const { cipher } = setUp()
  const { prototype } = DataEncryptionKey
  const real = prototype.openStream
  let found: ChunkedKeys | undefined
  prototype.openStream = async function (...args) {
    const opened: unknown = await real.apply(this, args)
    found = (opened as { readonly keys?: ChunkedKeys }).keys ?? (opened as ChunkedKeys)
    return opened as Awaited<ReturnType<typeof real>>
  }
  try {
    await drain(cipher.decryptStream(OPTIONS), [message])
  } finally {
    prototype.openStream = real
  }
  return found as ChunkedKeys
}
