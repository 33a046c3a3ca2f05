import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EncryptedEnvelope } from '../../../src/index.ts'
import { codeOfAsync } from '../../vectors/hex.ts'
import { coldReader, localKms, OPTIONS, setUp, through } from '../wire/fixture.ts'
import { CountingKms } from './fixture.ts'

describe('text', () => {
  it('W4.29: comes back as it was, whatever it is', async () => {
    const { cipher } = setUp()
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 60 }), async (text) => {
        fc.pre(!/\p{Cs}/u.test(text))
        const sealed = await cipher.encryptText(text, OPTIONS)
        expect(sealed).toMatch(/^ek1\.[A-Za-z0-9_-]+$/)
        expect(await cipher.decryptText(sealed, OPTIONS)).toBe(text)
      }),
      { numRuns: 200 },
    )
  })

  it.each(['', '\u0000', '\ufeffbom', 'e\u0301 and \u00e9', '\u{10ffff}', 'line\r\nend'])(
    'is never normalised: %j',
    async (text) => {
      const { cipher } = setUp()
      expect(await cipher.decryptText(await cipher.encryptText(text))).toBe(text)
    },
  )

  it.each(['\ud800', 'x\udfff', '\udc00\ud800'])(
    'W1.10: with a lone surrogate it is refused: %j',
    async (text) => {
      const kms = new CountingKms(localKms())
      const { cipher } = setUp({ kms })
      await expect(cipher.encryptText(text)).rejects.toBeInstanceOf(TypeError)
      expect(kms.calls).toEqual([])
    },
  )

  it('is the record in another form: the same bytes, and the bytes open as well', async () => {
    const { cipher, kms } = setUp()
    const sealed = await cipher.encryptText('4111 1111', OPTIONS)
    const bytes = new Uint8Array(Buffer.from(sealed.slice(4), 'base64url'))
    expect(EncryptedEnvelope.parse(bytes).kind).toBe('record')
    expect(Buffer.from(await coldReader(kms).decrypt(bytes, OPTIONS)).toString()).toBe('4111 1111')
  })

  it('plaintext that is not text is a mistake of the program, not a failed decrypt', async () => {
    const { cipher } = setUp()
    const binary = await cipher.encrypt(new Uint8Array([0xff, 0xfe]), OPTIONS)
    const sealed = `ek1.${Buffer.from(binary).toString('base64url')}`
    await expect(cipher.decryptText(sealed, OPTIONS)).rejects.toBeInstanceOf(TypeError)
  })

  it('W4.30: anything but the one text of a message is refused without a KMS call', async () => {
    const kms = new CountingKms(localKms())
    const sealed = await setUp({ kms }).cipher.encryptText('4111 1111', OPTIONS)
    kms.calls.length = 0
    const reader = coldReader(kms)
    const wrong = [
      '',
      'ek1',
      'ek1.',
      sealed.slice(4),
      `EK1.${sealed.slice(4)}`,
      `ek2.${sealed.slice(4)}`,
      ` ${sealed}`,
      `${sealed}\n`,
      `${sealed}=`,
      `${sealed}A`,
      sealed.replace('.', '..'),
      `${sealed.slice(0, 50)} ${sealed.slice(50)}`,
      `${sealed.slice(0, 50)}+${sealed.slice(51)}`,
      `${sealed.slice(0, 50)}\u0130${sealed.slice(51)}`,
    ]
    for (const text of wrong) {
      const code = await codeOfAsync(() => reader.decryptText(text, OPTIONS))
      expect(code, JSON.stringify(text.slice(0, 12))).toMatch(
        /^ERR_(WIRE_MALFORMED|DECRYPT_FAILED)$/,
      )
    }
    expect(kms.calls.length).toBeLessThanOrEqual(1)
    expect(await reader.decryptText(sealed, OPTIONS)).toBe('4111 1111')
  })

  it('a stream in its text form is not text: it is refused, never opened by accident', async () => {
    const { cipher } = setUp()
    const stream = await through(cipher.encryptStream(OPTIONS), new Uint8Array(3))
    const sealed = `ek1.${Buffer.from(stream).toString('base64url')}`
    const code = await codeOfAsync(() => cipher.decryptText(sealed, OPTIONS))
    expect(code).toBe('ERR_WIRE_KIND_REFUSED')
  })
})
