import { describe, expect, it } from 'vitest'
import {
  binaryString,
  concatBytes,
  copyBytes,
  decodeBase64,
  decodeBase64Url,
  decodeUtf8,
  encodeBase64,
  encodeBase64Url,
  equalBytes,
  equalBytesConstantTime,
  standsAt,
  toBytes,
  utf8Length,
} from '../../../src/bytes/index.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)

describe('what is taken for bytes', () => {
  it('is a Uint8Array, and the same one', () => {
    const own = bytes(1, 2)
    expect(toBytes(own, 'x')).toBe(own)
    const buffer = Buffer.from([1, 2])
    expect(toBytes(buffer, 'x')).toBe(buffer)
  })

  it('is copied out of shared memory, which another thread could change', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(2))
    shared.set([1, 2])
    const taken = toBytes(shared, 'x')
    shared.fill(0)
    expect(taken).toEqual(bytes(1, 2))
    expect(taken.buffer).toBeInstanceOf(ArrayBuffer)
  })

  it.each([
    undefined,
    null,
    'ab',
    [1, 2],
    new ArrayBuffer(2),
    new DataView(new ArrayBuffer(2)),
    {},
  ])('is nothing else: %o', (value) => {
    expect(() => toBytes(value as Uint8Array, 'x')).toThrow(TypeError)
  })

  it('is copied with a buffer of its own', () => {
    const view = bytes(1, 2, 3, 4).subarray(1, 3)
    const copy = copyBytes(view)
    expect(copy).toEqual(bytes(2, 3))
    expect(copy.buffer.byteLength).toBe(2)
    view.fill(0)
    expect(copy).toEqual(bytes(2, 3))
  })

  it('is joined in order', () => {
    expect(concatBytes()).toEqual(bytes())
    expect(concatBytes(bytes(1), bytes(), bytes(2, 3))).toEqual(bytes(1, 2, 3))
  })
})

describe.each([
  ['equalBytes', equalBytes],
  ['equalBytesConstantTime', equalBytesConstantTime],
])('%s', (_, equal) => {
  it('is true for equal bytes only', () => {
    const all = bytes(...Array.from({ length: 32 }, (__, i) => i))
    expect(equal(all, all.slice())).toBe(true)
    expect(equal(bytes(), bytes())).toBe(true)
    expect(equal(all, all.slice(0, 31))).toBe(false)
    expect(equal(all.slice(0, 31), all)).toBe(false)
    for (let i = 0; i < 256; i++) {
      const other = all.slice()
      other[i >> 3]! ^= 1 << (i & 7)
      expect(equal(all, other)).toBe(false)
    }
    // Two differences that would cancel out where they were added or xored.
    expect(equal(bytes(1, 2), bytes(2, 1))).toBe(false)
    expect(equal(bytes(1, 1), bytes(0, 0))).toBe(false)
  })
})

describe('bytes inside bytes', () => {
  it('stand at a place or do not', () => {
    const all = bytes(1, 2, 3, 4)
    expect(standsAt(all, 1, bytes(2, 3))).toBe(true)
    expect(standsAt(all, 2, bytes(3, 4))).toBe(true)
    expect(standsAt(all, 4, bytes())).toBe(true)
    expect(standsAt(all, 1, bytes(2, 4))).toBe(false)
    expect(standsAt(all, 3, bytes(4, 5))).toBe(false)
    expect(standsAt(all, 9, bytes(1))).toBe(false)
  })

  it('are one string for bytes of one length', () => {
    const seen = new Set<string>()
    for (let a = 0; a < 256; a++) {
      for (let b = 0; b < 256; b++) seen.add(binaryString(bytes(a, b, b, a, 7)))
    }
    expect(seen.size).toBe(65_536)
    const all = bytes(9, 1, 2, 3, 9)
    expect(binaryString(all, 1, 4)).toBe(binaryString(bytes(1, 2, 3)))
    expect(binaryString(all, 2)).toBe(binaryString(bytes(2, 3, 9)))
  })
})

describe('base64', () => {
  // RFC 4648 section 10
  it.each([
    ['', ''],
    ['f', 'Zg=='],
    ['fo', 'Zm8='],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg=='],
    ['fooba', 'Zm9vYmE='],
    ['foobar', 'Zm9vYmFy'],
  ])('of %j is %j', (text, standard) => {
    const data = new Uint8Array(Buffer.from(text))
    const url = standard.replace(/=/g, '')
    expect([encodeBase64(data), encodeBase64Url(data)]).toEqual([standard, url])
    expect(decodeBase64(standard)).toEqual(data)
    expect(decodeBase64Url(url)).toEqual(data)
  })

  it('has its own alphabet in each form', () => {
    const data = bytes(0xfb, 0xff, 0xfe)
    expect([encodeBase64(data), encodeBase64Url(data)]).toEqual(['+//+', '-__-'])
    expect(decodeBase64('-__-')).toBeUndefined()
    expect(decodeBase64Url('+//+')).toBeUndefined()
  })

  it.each([
    'A',
    'AAAAA',
    'Zg',
    'Zg=',
    'Zg===',
    'Zh==',
    'Zm9=',
    '=',
    '====',
    'Zg==Zg==',
    'Zm 9v',
    'Zm9v\n',
  ])('is refused in its standard form: %j', (text) => {
    expect(decodeBase64(text)).toBeUndefined()
  })

  it.each([
    'A',
    'AAAAA',
    'Zg==',
    'Zh',
    'Zm9',
    ' Zg',
    'Zg\n',
    'Z\u00e9',
    '\u0141AAA',
    'AA.A',
    'AA@A',
    'AA[A',
  ])('is refused in its URL form: %j', (text) => {
    expect(decodeBase64Url(text)).toBeUndefined()
  })
})

describe('UTF-8', () => {
  it('keeps a byte order mark, which is data', () => {
    expect(decodeUtf8(bytes(0xef, 0xbb, 0xbf, 0x61))).toBe('\ufeffa')
  })

  it.each([
    ['a continuation byte alone', bytes(0x80)],
    ['a character cut short', bytes(0xe2, 0x82)],
    ['an overlong form', bytes(0xc0, 0x80)],
    ['a surrogate', bytes(0xed, 0xa0, 0x80)],
    ['a code point too high', bytes(0xf4, 0x90, 0x80, 0x80)],
  ])('is refused: %s', (_, data) => {
    expect(decodeUtf8(data)).toBeUndefined()
  })

  it.each([
    ['', 0],
    ['a\u007f', 2],
    ['\u0080\u07ff', 4],
    ['\u0800\ud7ff\ue000\uffff', 12],
    ['\u{10000}\u{10ffff}', 8],
    ['\ud800', -1],
    ['\udc00', -1],
    ['\ud800\ud800\udc00', -1],
    ['\udc00\ud800', -1],
    ['a\udbff', -1],
    ['\ud800\ue000', -1],
  ])('of %j has a length, or none', (text, length) => {
    expect(utf8Length(text)).toBe(length)
  })
})

it.each([0, 1, 2, 3])(
  'a long header is found %i bytes off a word, and not with any byte of it changed',
  (off) => {
    for (const length of [4, 66, 67, 68, 69]) {
      const header = crypto.getRandomValues(new Uint8Array(length))
      const words = new Uint32Array(copyBytes(header).buffer, 0, length >>> 2)
      const room = new Uint8Array(off + 4 + length + 20)
      const message = room.subarray(off)
      message.set(header, 4)
      expect(standsAt(message, 4, header, words)).toBe(true)
      expect(standsAt(message.subarray(0, 3 + length), 4, header, words)).toBe(false)
      for (let i = 0; i < length; i += 1) {
        message[4 + i] = (message[4 + i] as number) ^ 0x10
        expect(standsAt(message, 4, header, words)).toBe(false)
        message[4 + i] = (message[4 + i] as number) ^ 0x10
      }
    }
  },
)
