import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../../src/bytes/index.ts'
import { isKmsError } from '../../../src/errors.ts'
import { parseJsonObject, stringField } from '../../../src/http/index.ts'

describe('R9 JSON of an answer', () => {
  it.each(['', 'null', 'true', '7', '"text"', '{', '{"a":1}x', '<html>', '{"a":1}{"b":2}'])(
    '%j holds no object',
    (text) => {
      expect(parseJsonObject(encodeUtf8(text))).toBeUndefined()
    },
  )

  it('nor does what is not UTF-8, or cut inside a character', () => {
    const bytes = encodeUtf8('{"a":"ü"}')
    expect(parseJsonObject(new Uint8Array([0xff, 0xfe, 0x7b, 0x7d]))).toBeUndefined()
    expect(parseJsonObject(bytes.slice(0, 7))).toBeUndefined()
    expect(parseJsonObject(bytes)).toEqual({ a: 'ü' })
  })

  it.each(['7', 'null', '["text"]', '{"b":1}', 'true'])('%s is not a string field', (value) => {
    const answer = parseJsonObject(encodeUtf8(`{"a":${value}}`)) ?? {}
    let caught: unknown
    try {
      stringField(answer, 'a')
    } catch (error) {
      caught = error
    }
    expect(isKmsError(caught, 'ERR_KMS_RESPONSE_INVALID')).toBe(true)
  })

  it('what an object inherits is not a field', () => {
    const answer = parseJsonObject(encodeUtf8('{"__proto__":{"KeyId":"forged"}}')) ?? {}
    for (const name of ['KeyId', 'toString', 'constructor'])
      expect(() => stringField(answer, name)).toThrow()
    const heir = Object.create({ KeyId: 'forged' }) as Record<string, unknown>
    expect(() => stringField(heir, 'KeyId')).toThrow()
    expect(stringField({ KeyId: 'own' }, 'KeyId')).toBe('own')
  })
})
