import { describe, expect, it } from 'vitest'
import { openRecord, sealRecord, XAES } from '../../src/ciphers/index.ts'
import { codeOfAsync, fromHex, toHex } from './hex.ts'
import { joinBytes } from './raw-header.ts'
import { readVectors, testsOf, type VectorTest } from './wycheproof.ts'

interface Facts {
  readonly ivSize: number
  readonly keySize: number
}
interface AeadTest extends VectorTest {
  readonly key: string
  readonly iv: string
  readonly aad: string
  readonly msg: string
  readonly ct: string
  readonly tag: string
}

const tests = [...testsOf(readVectors<Facts, AeadTest>('aes_gcm'))]
/** The prefix of the nonce precedes a suffix; it selects the subkey and is not used here. */
const PREFIX = new Uint8Array(XAES.prefixBytes)
const importKey = (hex: string): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', fromHex(hex), 'AES-GCM', false, ['encrypt', 'decrypt'])

/**
 * The code deviates from the standard on purpose: a nonce has 96 bits or is refused, because
 * runtimes differ in what else they take (Deno takes 96 and 128 only, Node nothing under 96, Bun and
 * workerd all but 0). Tests by the size of their nonce; the test fails when a row is not exact.
 */
const REFUSED_NONCES = new Map([
  [0, 6],
  [8, 6],
  [16, 6],
  [32, 6],
  [48, 6],
  [64, 7],
  [80, 6],
  [120, 3],
  [128, 58],
  [160, 3],
  [256, 3],
  [512, 3],
  [1024, 3],
  [2056, 3],
])

describe('Wycheproof AES-GCM through the record cipher (R34)', () => {
  for (const keySize of [128, 192, 256]) {
    const applicable = tests.filter((test) => test.ivSize === 96 && test.keySize === keySize)

    it(`AES-${String(keySize)}, 96-bit nonces: ${String(applicable.length)} tests`, async () => {
      for (const test of applicable) {
        const key = await importKey(test.key)
        const aad = fromHex(test.aad)
        const body = joinBytes(PREFIX, fromHex(test.iv + test.ct + test.tag))
        const opened = await codeOfAsync(async () => {
          const plaintext = await openRecord(key, body, aad)
          expect(toHex(plaintext), `tcId ${String(test.tcId)}`).toBe(test.msg)
        })
        const expected = test.result === 'valid' ? undefined : 'ERR_DECRYPT_FAILED'
        expect(opened, `tcId ${String(test.tcId)}`).toBe(expected)
        if (test.result === 'invalid') continue
        const sealed = await sealRecord(key, PREFIX, fromHex(test.iv), fromHex(test.msg), aad)
        expect(toHex(sealed), `tcId ${String(test.tcId)}`).toBe(toHex(body))
      }
      expect(applicable.length).toBe({ 128: 67, 192: 64, 256: 66 }[keySize])
    })
  }

  it('nonces of every other size are refused, as the table says', async () => {
    const seen = new Map<number, number>()
    for (const test of tests.filter(({ ivSize }) => ivSize !== 96)) {
      seen.set(test.ivSize, (seen.get(test.ivSize) ?? 0) + 1)
      const key = await importKey(test.key)
      const body = joinBytes(PREFIX, fromHex(test.iv), fromHex(test.ct), fromHex(test.tag))
      const code = await codeOfAsync(() => openRecord(key, body, fromHex(test.aad)))
      expect(code, `tcId ${String(test.tcId)}`).toBe('ERR_DECRYPT_FAILED')
    }
    expect([...seen].sort(([a], [b]) => a - b)).toEqual([...REFUSED_NONCES])
  })
})
