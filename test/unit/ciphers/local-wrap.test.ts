import { beforeAll, describe, expect, it } from 'vitest'
import {
  deriveSubkey,
  importLocalKek,
  importXaesKey,
  LOCAL_WRAP_BYTES,
  type LocalWrapBinding,
  unwrapLocally,
  wrapLocally,
  type XaesKey,
} from '../../../src/ciphers/index.ts'
import { SecretBytes } from '../../../src/kms/index.ts'
import { codeOfAsync, fromHex, toHex, utf8 } from '../../vectors/hex.ts'
import { joinBytes, prefixed } from '../../vectors/raw-header.ts'

const DEK = new Uint8Array(32).fill(5)
const NONCE = Uint8Array.from({ length: 24 }, (_, i) => 6 + i)
const KEK = new Uint8Array(32).fill(7)
const BINDING: LocalWrapBinding = { kekId: 'app', kekVersion: '2', context: fromHex('0000') }
let kek: XaesKey
let wrapped: Uint8Array<ArrayBuffer>

beforeAll(async () => {
  kek = await importLocalKek(SecretBytes.copy(KEK))
  wrapped = await wrapLocally(kek, SecretBytes.copy(DEK), NONCE, BINDING)
})

describe('local wrap', () => {
  it('W3.18: authenticates a label, kekId, kekVersion and K', async () => {
    const additionalData = joinBytes(
      utf8('edge-kms/v1/local-wrap'),
      new Uint8Array(1),
      prefixed('app', 2),
      prefixed('2', 2),
      fromHex('0000'),
    )
    const subkey = await deriveSubkey(await importXaesKey(KEK), NONCE.slice(0, 12))
    const algorithm = { name: 'AES-GCM', iv: NONCE.slice(12), additionalData }
    const dek = await crypto.subtle.decrypt(algorithm, subkey, wrapped.slice(24))
    expect(toHex(new Uint8Array(dek))).toBe(toHex(DEK))
  })

  it('W3.18: does not open under another key, version or context', async () => {
    expect(await unwrapLocally(kek, wrapped, BINDING)).toEqual(DEK)
    for (const change of [
      { kekId: 'apq' },
      { kekVersion: '1' },
      { kekId: 'app2', kekVersion: '' },
      { context: fromHex('00010001610000') },
      { context: new Uint8Array(0) },
    ]) {
      const code = await codeOfAsync(() => unwrapLocally(kek, wrapped, { ...BINDING, ...change }))
      expect(code).toBe('ERR_DECRYPT_FAILED')
    }
    const other = await importLocalKek(SecretBytes.copy(DEK))
    expect(await codeOfAsync(() => unwrapLocally(other, wrapped, BINDING))).toBe(
      'ERR_DECRYPT_FAILED',
    )
  })

  it('W3.19: is nonce, 32 bytes of ciphertext and tag', () => {
    expect(LOCAL_WRAP_BYTES).toBe(72)
    expect(wrapped.length).toBe(72)
    expect(toHex(wrapped.subarray(0, 24))).toBe(toHex(NONCE))
  })

  it('W3.19: any other length is refused, even where the tag is right', async () => {
    for (const length of [0, 23, 24, 39, 40, 60, 71]) {
      const code = await codeOfAsync(() => unwrapLocally(kek, wrapped.slice(0, length), BINDING))
      expect(code).toBe('ERR_DECRYPT_FAILED')
    }
    for (const bytes of [0, 16, 31, 33]) {
      const dek = SecretBytes.copy(new Uint8Array(bytes))
      const short = await wrapLocally(kek, dek, NONCE, BINDING)
      expect(await codeOfAsync(() => unwrapLocally(kek, short, BINDING))).toBe('ERR_DECRYPT_FAILED')
    }
  })

  it('a changed bit anywhere is refused', async () => {
    for (let bit = 0; bit < wrapped.length * 8; bit++) {
      const changed = wrapped.slice()
      changed[bit >> 3]! ^= 1 << (bit & 7)
      expect(await codeOfAsync(() => unwrapLocally(kek, changed, BINDING))).toBe(
        'ERR_DECRYPT_FAILED',
      )
    }
  })

  it('imports a KEK that cannot be exported, and takes its bytes at call time', async () => {
    const secret = SecretBytes.copy(KEK)
    const importing = importLocalKek(secret)
    secret.dispose()
    const key = await importing
    expect(key.cipher.extractable).toBe(false)
    expect(await unwrapLocally(key, wrapped, BINDING)).toEqual(DEK)
  })
})
