import { describe, expect, it } from 'vitest'
import { decryptRecord, encryptRecord, recordAad } from '../../../src/ciphers/index.ts'
import { isKmsError } from '../../../src/errors.ts'
import { codeOfAsync, toHex, utf8 } from '../../vectors/hex.ts'

const importKey = (fill: number): Promise<CryptoKey> => {
  const raw = new Uint8Array(32).fill(fill)
  return crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt'])
}
const nonce = new Uint8Array(12).fill(7)
const plaintext = utf8('4111 1111')
const head = new Uint8Array(0)

describe('record cipher', () => {
  it('W4.5: is head, nonce, ciphertext and a tag of 16 bytes', async () => {
    const key = await importKey(1)
    const aad = recordAad({ row: '42' })
    const message = await encryptRecord(key, nonce, plaintext, aad, utf8('head'))
    expect(message.length).toBe(4 + 12 + 9 + 16)
    expect(toHex(message.subarray(0, 16))).toBe(toHex(utf8('head')) + '07'.repeat(12))
    const algorithm = { name: 'AES-GCM', iv: nonce, additionalData: aad, tagLength: 128 }
    const sealed = await crypto.subtle.encrypt(algorithm, key, plaintext)
    expect(toHex(message.subarray(16))).toBe(toHex(new Uint8Array(sealed)))
  })

  it('W4.6: authenticates a label and ctx(aad), with or without an aad', () => {
    const label = toHex(utf8('edge-kms/v1/record')) + '00'
    expect(toHex(recordAad(undefined))).toBe(`${label}0000`)
    expect(toHex(recordAad({}))).toBe(`${label}0000`)
    expect(toHex(recordAad({ a: '' }))).toBe(`${label}00010001610000`)
  })

  it('W4.6: does not open under another aad', async () => {
    const key = await importKey(1)
    const body = await encryptRecord(key, nonce, plaintext, recordAad({ row: '42' }), head)
    expect(await decryptRecord(key, body, recordAad({ row: '42' }))).toEqual(plaintext)
    for (const aad of [undefined, { row: '43' }, { Row: '42' }, { row: '42', column: '' }]) {
      const code = await codeOfAsync(() => decryptRecord(key, body, recordAad(aad)))
      expect(code).toBe('ERR_DECRYPT_FAILED')
    }
    const bare = await codeOfAsync(() => decryptRecord(key, body, new Uint8Array(0)))
    expect(bare).toBe('ERR_DECRYPT_FAILED')
  })

  it('W6.9: every failure is one code with one message and nothing else', async () => {
    const key = await importKey(1)
    const aad = recordAad({})
    const body = await encryptRecord(key, nonce, plaintext, aad, head)
    const failures: unknown[] = []
    const attempt = (work: Promise<unknown>): Promise<unknown> =>
      work.then(
        () => failures.push('opened'),
        (error: unknown) => failures.push(error),
      )
    for (let bit = 0; bit < body.length * 8; bit++) {
      const changed = body.slice()
      changed[bit >> 3]! ^= 1 << (bit & 7)
      await attempt(decryptRecord(key, changed, aad))
    }
    for (let length = 0; length < body.length; length++) {
      await attempt(decryptRecord(key, body.slice(0, length), aad))
    }
    await attempt(decryptRecord(await importKey(2), body, aad))
    expect(failures).toHaveLength(37 * 8 + 37 + 1)
    for (const error of failures) {
      expect(isKmsError(error, 'ERR_DECRYPT_FAILED')).toBe(true)
      expect((error as Error).message).toBe('decryption failed')
      expect((error as Error).cause).toBeUndefined()
      const facts = Object.entries(error as object).filter(([, value]) => value !== undefined)
      expect(facts.map(([name]) => name).sort()).toEqual(['code', 'name', 'retryable'])
    }
  })

  it('takes its inputs at call time: later changes do not reach the message', async () => {
    const key = await importKey(1)
    const text = plaintext.slice()
    const aad = recordAad({ row: '42' })
    const pending = encryptRecord(key, nonce, text, aad, head)
    text.fill(0)
    aad.fill(0)
    const opened = await decryptRecord(key, await pending, recordAad({ row: '42' }))
    expect(opened).toEqual(plaintext)
  })
})
