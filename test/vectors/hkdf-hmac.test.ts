import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from './hex.ts'
import { readVectors, testsOf, type VectorTest } from './wycheproof.ts'

interface HkdfTest extends VectorTest {
  readonly ikm: string
  readonly salt: string
  readonly info: string
  readonly size: number
  readonly okm: string
}
interface MacTest extends VectorTest {
  readonly key: string
  readonly msg: string
  readonly tag: string
}

/**
 * The library calls HKDF and HMAC of the platform with fixed parameters, so the platform is what these
 * vectors test, by the same calls as src/ciphers makes. A deviation is a row here, by file and
 * tcId; there is none on Node.
 */
const DEVIATIONS = new Map<string, string>()

describe('Wycheproof HKDF-SHA-512 (R34)', () => {
  it('derives every valid output and refuses every other', async () => {
    let count = 0
    for (const test of testsOf(readVectors<object, HkdfTest>('hkdf_sha512'))) {
      count++
      const ikm = await crypto.subtle.importKey('raw', fromHex(test.ikm), 'HKDF', false, [
        'deriveBits',
      ])
      const algorithm = {
        name: 'HKDF',
        hash: 'SHA-512',
        salt: fromHex(test.salt),
        info: fromHex(test.info),
      }
      const okm = await crypto.subtle.deriveBits(algorithm, ikm, test.size * 8).then(
        (bits) => toHex(new Uint8Array(bits)),
        () => undefined,
      )
      const expected = test.result === 'valid' ? test.okm : undefined
      const row = `hkdf_sha512 ${String(test.tcId)}`
      if (okm === expected) expect(DEVIATIONS.has(row), `${row} no longer deviates`).toBe(false)
      else expect(DEVIATIONS.has(row), row).toBe(true)
    }
    expect(count).toBe(83)
  })
})

describe('Wycheproof HMAC (R34)', () => {
  it.each([
    ['hmac_sha256', 'SHA-256'],
    ['hmac_sha512', 'SHA-512'],
  ])('%s', async (file, hash) => {
    let count = 0
    for (const test of testsOf(readVectors<{ readonly tagSize: number }, MacTest>(file))) {
      count++
      const algorithm = { name: 'HMAC', hash }
      const raw = fromHex(test.key)
      const key = await crypto.subtle.importKey('raw', raw, algorithm, false, ['sign'])
      const mac = toHex(new Uint8Array(await crypto.subtle.sign('HMAC', key, fromHex(test.msg))))
      const matches = mac.slice(0, test.tagSize / 4) === test.tag
      const row = `${file} ${String(test.tcId)}`
      if (matches === (test.result === 'valid')) expect(DEVIATIONS.has(row), row).toBe(false)
      else expect(DEVIATIONS.has(row), row).toBe(true)
    }
    expect(count).toBe(174)
  })
})
