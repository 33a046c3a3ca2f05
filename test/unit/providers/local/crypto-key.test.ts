/** A local KEK that is a key of WebCrypto: its bytes are not in this process's reach. */
import { describe, expect, it, vi } from 'vitest'
import { EnvelopeCipher, isKmsError, type KeyManagementService } from '../../../../src/index.ts'
import { createLocalKms } from '../../../../src/providers/local/index.ts'
import { sequence } from '../../wire/fixture.ts'

const options = { context: { tenant: 'acme' }, aad: { row: '42' } }
const bytes = sequence(32, 1)

interface Facts {
  readonly raw?: Uint8Array<ArrayBuffer>
  readonly name?: string
  readonly extractable?: boolean
  readonly usages?: readonly KeyUsage[]
}

function imported(facts: Facts = {}): Promise<CryptoKey> {
  const { raw = bytes, name = 'AES-CBC', extractable = false, usages = ['encrypt'] } = facts
  return crypto.subtle.importKey('raw', raw, name, extractable, usages)
}

const kmsOf = (key: CryptoKey | Uint8Array): KeyManagementService =>
  createLocalKms({ versions: [{ version: 1, key }] })
const cipherOf = (key: CryptoKey | Uint8Array): EnvelopeCipher =>
  new EnvelopeCipher({ kms: kmsOf(key) })

describe('a local KEK as a CryptoKey', () => {
  it('is the key that the same bytes make, both ways', async () => {
    const key = await imported()
    for (const [writer, reader] of [
      [key, bytes],
      [bytes, key],
      [key, structuredClone(key)],
    ] as const) {
      const text = await cipherOf(writer).encryptText('4111 1111', options)
      expect(await cipherOf(reader).decryptText(text, options)).toBe('4111 1111')
    }
  })

  it('opens nothing of another key', async () => {
    const text = await cipherOf(await imported()).encryptText('4111 1111', options)
    const other = await imported({ raw: sequence(32, 2) })
    await expect(cipherOf(other).decryptText(text, options)).rejects.toMatchObject({
      code: 'ERR_DECRYPT_FAILED',
    })
  })

  it('serves many first uses at once', async () => {
    const kms = kmsOf(await imported())
    const call = { context: { 'edge-kms:dk': 'x' } }
    const made = await Promise.all([1, 2, 3].map(() => kms.generateDataKey(call)))
    for (const { wraps, plaintext } of made) {
      const opened = await kms.unwrapDataKey(wraps, call)
      expect(opened.plaintext.expose()).toEqual(plaintext.expose())
    }
  })

  it.each<[string, Facts]>([
    ['that can be exported', { extractable: true }],
    ['of 128 bits', { raw: sequence(16, 1) }],
    ['of AES-GCM', { name: 'AES-GCM' }],
    ['for decrypting alone', { usages: ['decrypt'] }],
  ])('is refused: one %s', async (_name, facts) => {
    const key = await imported(facts)
    let error: unknown
    try {
      kmsOf(key)
    } catch (thrown) {
      error = thrown
    }
    expect(isKmsError(error, 'ERR_KMS_CONFIG') && error.message).toMatch(/AES-CBC with 256 bits/)
  })

  it.each([
    ['without its class', { algorithm: { name: 'AES-CBC', length: 256 }, usages: ['encrypt'] }],
    ['without an algorithm', { algorithm: null, usages: ['encrypt'] }],
    ['without anything', { algorithm: undefined }],
  ])('refuses what is left of a key %s', (_, key) => {
    expect(() => kmsOf({ extractable: false, ...key } as never)).toThrow(
      expect.objectContaining({
        code: 'ERR_KMS_CONFIG',
        message: expect.stringContaining('AES-CBC with 256 bits'),
      }),
    )
  })

  it('takes a key of another frame, whose class is another one', async () => {
    const key = await imported()
    vi.stubGlobal('CryptoKey', Map)
    try {
      expect(kmsOf(key).providerName).toBe('local')
    } finally {
      vi.unstubAllGlobals()
    }
  })
})
