import { describe, expect, it } from 'vitest'
import { EncryptedEnvelope, parseContextJson } from '../../src/index.ts'
import { setUp } from '../unit/wire/fixture.ts'

describe('parsers on odd but possible input', () => {
  it('prints an envelope whose claimed age is beyond what a Date can hold', async () => {
    const { cipher } = setUp()
    const message = await cipher.encrypt(new Uint8Array(1))
    new DataView(message.buffer, message.byteOffset).setBigUint64(68, 8_640_000_000_000_001n)
    expect(() => JSON.stringify(EncryptedEnvelope.parse(message))).not.toThrow()
  })

  it('refuses a JSON context of ten million characters with a KmsError', () => {
    const text = `{"a":"${'x'.repeat(10_000_000)}"}`
    expect(() => parseContextJson(text)).toThrow(
      expect.objectContaining({ code: 'ERR_CONTEXT_INVALID' }),
    )
  })
})
