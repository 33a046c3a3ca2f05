import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  CONTEXT_LIMITS,
  canonicalContext,
  contextId,
  type EncryptionContext,
  encodeContext,
  encodeKmsContext,
  kmsContext,
  parseContextJson,
} from '../../../src/kms/index.ts'
import { recordAad, streamContext } from '../../../src/ciphers/index.ts'
import golden from '../../vectors/golden.json' with { type: 'json' }
import { codeOf, fromHex, toHex } from '../../vectors/hex.ts'

const INVALID = 'ERR_CONTEXT_INVALID'
const encode = (map: EncryptionContext | undefined): string =>
  toHex(encodeContext(map, CONTEXT_LIMITS.maxContextBytes))
const entries = (count: number): EncryptionContext =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${String(i)}`, '']))
/** A map whose encoding has exactly this length. */
const ofLength = (length: number): EncryptionContext => ({ k: 'v'.repeat(length - 7) })

describe('context encoding', () => {
  it('W1.1: is a count, then length-prefixed keys and values', () => {
    expect(encode({})).toBe('0000')
    expect(encode(undefined)).toBe('0000')
    expect(encode({ tenant: 'acme' })).toBe('0001000674656e616e74000461636d65')
    expect(encode({ a: '' })).toBe('00010001610000')
    const long = 'x'.repeat(0x0123)
    expect(encode({ a: long }).slice(0, 14)).toBe('00010001610123')
  })

  it('W1.1: two different maps never have the same encoding, in whatever order they were made', () => {
    const map = fc.dictionary(
      fc.stringMatching(/^[a-c]{1,3}$/),
      fc.stringMatching(/^[a-c\0]{0,3}$/),
    )
    fc.assert(
      fc.property(map, map, (a, b) => {
        const reversed = Object.fromEntries(Object.entries(a).reverse())
        expect(encode(reversed)).toBe(encode(a))
        const same =
          JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort())
        expect(encode(a) === encode(b)).toBe(same)
        expect(contextId(a) === contextId(b)).toBe(same)
      }),
      { numRuns: 500 },
    )
  })

  it('W1.2: sorts by UTF-8 bytes, where UTF-16 would sort otherwise', () => {
    expect(encode({ '\u{10000}': '2', '\ufb33': '1' })).toBe(
      '00020003efacb30001310004f0908080000132',
    )
    expect(encode({ b: '', a: '' })).toBe(encode({ a: '', b: '' }))
    expect(encode({ ab: '', a: '' })).toBe('000200016100000002616200' + '00')
  })

  it('W1.3: refuses an empty key, and takes an empty value', () => {
    expect(codeOf(() => encode({ '': 'x' }))).toBe(INVALID)
    expect(codeOf(() => encode({ x: '' }))).toBeUndefined()
  })

  it('W1.4: refuses more than 64 entries', () => {
    expect(codeOf(() => encode(entries(64)))).toBeUndefined()
    expect(codeOf(() => encode(entries(65)))).toBe(INVALID)
  })

  it('W1.5: refuses a context of more than 4,096 bytes', () => {
    expect(canonicalContext(ofLength(4_096)).bytes.length).toBe(4_096)
    expect(codeOf(() => canonicalContext(ofLength(4_097)))).toBe(INVALID)
    // Bytes, not characters: this one has 2,000 characters and 6,000 bytes.
    expect(codeOf(() => canonicalContext({ k: '\u20ac'.repeat(2_000) }))).toBe(INVALID)
  })

  it('W1.6: refuses an aad of more than 8,192 bytes, in records and streams', () => {
    for (const use of [recordAad, streamContext]) {
      expect(codeOf(() => use(ofLength(8_192)))).toBeUndefined()
      expect(codeOf(() => use(ofLength(8_193)))).toBe(INVALID)
    }
  })

  it('W1.7: refuses keys that begin with edge-kms: under ASCII case folding', () => {
    for (const key of ['edge-kms:', 'edge-kms:dk', 'Edge-kms:x', 'EDGE-KMS:other', 'edge-kmS:']) {
      expect(
        codeOf(() => encode({ [key]: 'x' })),
        key,
      ).toBe(INVALID)
      expect(
        codeOf(() => recordAad({ [key]: 'x' })),
        key,
      ).toBe(INVALID)
    }
    // The last one has the Kelvin sign, which folds to k in Unicode only.
    for (const key of ['edge-kms', 'x-edge-kms:', 'edge_kms:x', 'edge-\u212ams:x']) {
      expect(codeOf(() => encode({ [key]: 'x' }))).toBeUndefined()
    }
  })

  it('W1.8: refuses keys that are equal under ASCII case folding', () => {
    expect(codeOf(() => encode({ tenant: '1', Tenant: '2' }))).toBe(INVALID)
    expect(codeOf(() => encode({ AZ: '', az: '' }))).toBe(INVALID)
    // Letters beyond A to Z are not folded.
    expect(codeOf(() => encode({ '\u00e4': '', '\u00c4': '' }))).toBeUndefined()
    expect(codeOf(() => encode({ k: '', '\u212a': '' }))).toBeUndefined()
  })

  it('W1.9: refuses values that are not strings', () => {
    for (const value of [1, true, null, undefined, {}, ['a'], Symbol('x'), new String('a')]) {
      expect(codeOf(() => encode({ a: value } as never))).toBe(INVALID)
    }
  })

  it('W1.9: refuses what is not a plain object, rather than take it for an empty one', () => {
    for (const map of [null, 'a', 1, [], ['a'], new Map([['a', 'b']]), new Headers({ a: 'b' })]) {
      expect(codeOf(() => encode(map as never))).toBe(INVALID)
    }
  })

  it('W1.10: refuses lone surrogates in keys and values', () => {
    for (const text of ['\ud800', '\udc00', 'a\ud800b', '\udc00\ud800', '\ud800\ud800\udc00']) {
      expect(codeOf(() => encode({ [text]: 'x' }))).toBe(INVALID)
      expect(codeOf(() => encode({ x: text }))).toBe(INVALID)
    }
    expect(codeOf(() => encode({ x: '\ud800\udc00' }))).toBeUndefined()
  })

  it('does not normalise: two spellings are two texts', () => {
    expect(encode({ a: '\u00e9' })).not.toBe(encode({ a: 'e\u0301' }))
    expect(encode({ '\u00e9': '', 'e\u0301': '' }).slice(0, 4)).toBe('0002')
  })

  it('W1.12: keeps __proto__ and constructor as ordinary keys', () => {
    const own = parseContextJson('{"__proto__":"a","constructor":"b","toString":"c"}')
    expect(Object.keys(own)).toEqual(['__proto__', 'constructor', 'toString'])
    expect(Object.getPrototypeOf(own)).toBeNull()
    const { map } = canonicalContext(own)
    expect(Object.getPrototypeOf(map)).toBeNull()
    expect(Object.keys(map)).toEqual(Object.keys(own))
    expect(encode(own)).not.toBe(encode({ constructor: 'b', toString: 'c' }))
    expect(Object.getPrototypeOf(parseContextJson('{}'))).toBeNull()
  })

  it('W1.15: K has 65 entries, a reserved key and more than 4,096 bytes', () => {
    const most = kmsContext(entries(64), new Uint8Array(32), 0)
    expect(toHex(encodeKmsContext(most)).slice(0, 4)).toBe('0041')
    const longest = kmsContext(ofLength(4_096), new Uint8Array(32), Number.MAX_SAFE_INTEGER)
    expect(encodeKmsContext(longest).length).toBeGreaterThan(4_096)
    for (const k of [most, longest]) expect(codeOf(() => encode(k))).toBe(INVALID)
  })

  it('W1.13: K is the context and edge-kms:dk, which names this data key', () => {
    const k = kmsContext({ tenant: 'acme' }, fromHex(golden.inputs.salt), golden.inputs.createdAt)
    expect({ ...k }).toEqual(golden.kmsContext.map)
    expect(toHex(encodeKmsContext(k))).toBe(golden.kmsContext.hex)
    const older = kmsContext({ tenant: 'acme' }, fromHex(golden.inputs.salt), 1)
    expect(older['edge-kms:dk']).toBe('ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8.1')
  })

  it('W1.13: K has room for the largest context', () => {
    const salt = fromHex(golden.inputs.salt)
    const largest = { ...entries(63), k: 'v'.repeat(4_096 - 2 - 5 - (10 * 6 + 53 * 7)) }
    expect(encodeContext(largest, CONTEXT_LIMITS.maxContextBytes).length).toBe(4_096)
    expect(encodeKmsContext(kmsContext(largest, salt, Number.MAX_SAFE_INTEGER)).length).toBe(
      4_096 + 4 + 11 + 43 + 1 + 16,
    )
  })
})

describe('context from JSON text', () => {
  it('W1.11: refuses a key that occurs twice', () => {
    expect({ ...parseContextJson('{"a":"1","b":"2"}') }).toEqual({ a: '1', b: '2' })
    for (const text of [
      '{"a":"1","a":"1"}',
      '{"a":"1","\\u0061":"2"}',
      '{"__proto__":"","__proto__":""}',
    ]) {
      expect(codeOf(() => parseContextJson(text))).toBe(INVALID)
    }
  })

  it('reads what JSON.parse reads, for objects of strings', () => {
    const value = fc.string({ unit: 'binary' })
    fc.assert(
      fc.property(fc.dictionary(value, value), fc.nat(2), (map, space) => {
        expect({ ...parseContextJson(JSON.stringify(map, null, space)) }).toEqual(map)
      }),
      { numRuns: 100 },
    )
  })

  it('refuses everything else', () => {
    for (const text of [
      '',
      '{',
      '{}x',
      '[]',
      '"a"',
      'null',
      '{"a":1}',
      '{"a":null}',
      '{"a":{}}',
      '{"a":["b"]}',
      '{"a":"b",}',
      '{,}',
      '{"a" "b"}',
      "{'a':'b'}",
      '{a:"b"}',
      '{"a":"\n"}',
      '{"a":"\\x"}',
      '{"a":"b"}{"a":"b"}',
      '{"a":"b"},',
    ]) {
      expect(
        codeOf(() => parseContextJson(text)),
        text,
      ).toBe(INVALID)
    }
  })
})
