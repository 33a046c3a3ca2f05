import { createCipheriv } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { deriveSubkey, importXaesKey } from '../../../src/ciphers/index.ts'
import { fromHex, toHex, utf8 } from '../../vectors/hex.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** AES-256 of one block, by Node's own implementation. */
function encryptBlock(key: Uint8Array, block: Uint8Array): Bytes {
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false)
  return new Uint8Array(cipher.update(block))
}

/** K1 from the text of NIST SP 800-38B section 6.1, over a big integer. */
function expectedK1(key: Uint8Array): string {
  const l = BigInt(`0x${toHex(encryptBlock(key, new Uint8Array(16)))}`)
  const shifted = (l << 1n) & ((1n << 128n) - 1n)
  const k1 = l >> 127n === 1n ? shifted ^ 0x87n : shifted
  return k1.toString(16).padStart(32, '0')
}

function expectedSubkey(key: Uint8Array, prefix: Uint8Array): Bytes {
  const k1 = fromHex(expectedK1(key))
  const halves = [1, 2].map((counter) => {
    const input = new Uint8Array([0, counter, 0x58, 0, ...prefix])
    return encryptBlock(
      key,
      input.map((byte, i) => byte ^ k1[i]!),
    )
  })
  return new Uint8Array(Buffer.concat(halves))
}

/** A subkey cannot be exported: what it seals is compared. */
async function sealed(key: CryptoKey): Promise<string> {
  const algorithm = { name: 'AES-GCM', iv: new Uint8Array(12) }
  return toHex(new Uint8Array(await crypto.subtle.encrypt(algorithm, key, utf8('text'))))
}

const bytesOf = (length: number): fc.Arbitrary<Bytes> =>
  fc.uint8Array({ minLength: length, maxLength: length })

describe('XAES-256-GCM', () => {
  it('W4.32: K1 is L doubled in GF(2^128), for any key', async () => {
    let topBits = 0
    await fc.assert(
      fc.asyncProperty(bytesOf(32), async (key) => {
        const expected = expectedK1(key)
        topBits += encryptBlock(key, new Uint8Array(16))[0]! >>> 7
        expect(toHex((await importXaesKey(key)).k1)).toBe(expected)
      }),
      { numRuns: 200 },
    )
    // Both branches of the doubling were met.
    expect(topBits).toBeGreaterThan(50)
    expect(topBits).toBeLessThan(150)
  })

  it('W4.33: the subkey is two blocks of counter, label, separator and prefix, for any prefix', async () => {
    await fc.assert(
      fc.asyncProperty(bytesOf(32), bytesOf(12), async (raw, prefix) => {
        const subkey = await deriveSubkey(await importXaesKey(raw), prefix)
        const bytes = expectedSubkey(raw, prefix)
        const gcm = await crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt'])
        expect(await sealed(subkey)).toBe(await sealed(gcm))
      }),
      { numRuns: 100 },
    )
  })

  it('W4.33: every byte of the prefix counts', async () => {
    const key = await importXaesKey(new Uint8Array(32).fill(1))
    const outputs = new Set<string>()
    for (let at = -1; at < 12; at++) {
      const prefix = new Uint8Array(12)
      if (at >= 0) prefix[at] = 1
      outputs.add(await sealed(await deriveSubkey(key, prefix)))
    }
    expect(outputs.size).toBe(13)
  })

  it('gives keys that cannot be exported, each for its own use', async () => {
    const key = await importXaesKey(new Uint8Array(32).fill(1))
    expect([key.cipher.extractable, key.cipher.usages]).toEqual([false, ['encrypt']])
    const subkey = await deriveSubkey(key, new Uint8Array(12))
    expect(subkey.extractable).toBe(false)
    expect([...subkey.usages].sort()).toEqual(['decrypt', 'encrypt'])
  })

  it('costs one block for a key, two for a subkey, and imports each once', async () => {
    const encrypt = vi.spyOn(crypto.subtle, 'encrypt')
    const importKey = vi.spyOn(crypto.subtle, 'importKey')
    try {
      const key = await importXaesKey(new Uint8Array(32).fill(1))
      expect([encrypt.mock.calls.length, importKey.mock.calls.length]).toEqual([1, 1])
      await deriveSubkey(key, new Uint8Array(12))
      expect([encrypt.mock.calls.length, importKey.mock.calls.length]).toEqual([3, 2])
      const names = encrypt.mock.calls.map(([algorithm]) => (algorithm as Algorithm).name)
      expect(names).toEqual(['AES-CBC', 'AES-CBC', 'AES-CBC'])
    } finally {
      vi.restoreAllMocks()
    }
  })
})
