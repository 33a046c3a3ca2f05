import { describe, expect, it } from 'vitest'
import { openRecord, recordAad, sealRecord, XAES } from '../../../src/ciphers/index.ts'
import { isKmsError } from '../../../src/errors.ts'
import { codeOfAsync, toHex, utf8 } from '../../vectors/hex.ts'
import { joinBytes } from '../../vectors/raw-header.ts'

const importKey = (fill: number): Promise<CryptoKey> => {
  const raw = new Uint8Array(32).fill(fill)
  return crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt'])
}
const prefix = new Uint8Array(XAES.prefixBytes).fill(6)
const suffix = new Uint8Array(XAES.suffixBytes).fill(7)
const plaintext = utf8('4111 1111')

describe('record cipher', () => {
  it('W4.5: is head, nonce, ciphertext and a tag of 16 bytes', async () => {
    const key = await importKey(1)
    const aad = recordAad({ row: '42' })
    const head = joinBytes(utf8('head'), prefix)
    const message = await sealRecord(key, head, suffix, plaintext, aad)
    expect(message.length).toBe(4 + 24 + 9 + 16)
    expect(toHex(message.subarray(0, 28))).toBe(
      toHex(utf8('head')) + '06'.repeat(12) + '07'.repeat(12),
    )
    const algorithm = { name: 'AES-GCM', iv: suffix, additionalData: aad, tagLength: 128 }
    const sealed = await crypto.subtle.encrypt(algorithm, key, plaintext)
    expect(toHex(message.subarray(28))).toBe(toHex(new Uint8Array(sealed)))
    expect(await openRecord(key, message, aad, 4)).toEqual(plaintext)
  })

  it('W4.6: authenticates a label and ctx(aad), with or without an aad', () => {
    const label = toHex(utf8('edge-kms/v1/record')) + '00'
    expect(toHex(recordAad(undefined))).toBe(`${label}0000`)
    expect(toHex(recordAad({}))).toBe(`${label}0000`)
    expect(toHex(recordAad({ a: '' }))).toBe(`${label}00010001610000`)
  })

  it('W4.6: does not open under another aad', async () => {
    const key = await importKey(1)
    const body = await sealRecord(key, prefix, suffix, plaintext, recordAad({ row: '42' }))
    expect(await openRecord(key, body, recordAad({ row: '42' }))).toEqual(plaintext)
    for (const aad of [undefined, { row: '43' }, { Row: '42' }, { row: '42', column: '' }]) {
      const code = await codeOfAsync(() => openRecord(key, body, recordAad(aad)))
      expect(code).toBe('ERR_DECRYPT_FAILED')
    }
    const bare = await codeOfAsync(() => openRecord(key, body, new Uint8Array(0)))
    expect(bare).toBe('ERR_DECRYPT_FAILED')
  })

  it('W6.9: every failure is one code with one message and nothing else', async () => {
    const key = await importKey(1)
    const aad = recordAad({})
    const body = await sealRecord(key, prefix, suffix, plaintext, aad)
    const failures: unknown[] = []
    const attempt = (work: Promise<unknown>): Promise<unknown> =>
      work.then(
        () => failures.push('opened'),
        (error: unknown) => failures.push(error),
      )
    // The prefix selects the subkey, which is given here: it is not part of what AES-GCM sees.
    const from = XAES.prefixBytes
    for (let bit = from * 8; bit < body.length * 8; bit++) {
      const changed = body.slice()
      changed[bit >> 3]! ^= 1 << (bit & 7)
      await attempt(openRecord(key, changed, aad))
    }
    for (let length = 0; length < body.length; length++) {
      await attempt(openRecord(key, body.slice(0, length), aad))
    }
    await attempt(openRecord(await importKey(2), body, aad))
    expect(failures).toHaveLength(37 * 8 + 49 + 1)
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
    const [head, end] = [prefix.slice(), suffix.slice()]
    const pending = sealRecord(key, head, end, text, aad)
    for (const bytes of [text, aad, head, end]) bytes.fill(0)
    const opened = await openRecord(key, await pending, recordAad({ row: '42' }))
    expect(opened).toEqual(plaintext)
  })
})
