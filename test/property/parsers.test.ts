import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  compareUtf8,
  decodeBase64,
  decodeBase64Url,
  decodeUtf8,
  encodeBase64,
  encodeBase64Url,
  encodeUtf8,
  isWellFormed,
  utf8Length,
  writeUtf8,
} from '../../src/bytes/index.ts'
import { EncryptedEnvelope, isKmsError, parseContextJson } from '../../src/index.ts'
import {
  CONTEXT_LIMITS,
  contextId,
  encodeContext,
  type EncryptionContext,
} from '../../src/kms/index.ts'
import {
  decodeTextForm,
  encodeHead,
  encodeKeyHeader,
  encodeTextForm,
  type MessageKind,
  parseHead,
} from '../../src/wire/index.ts'

const bytes = (minLength: number, maxLength: number) =>
  fc.uint8Array({ minLength, maxLength }).map((array) => new Uint8Array(array))
/** By the platform: a lone surrogate is of category Cs. */
const isWhole = (t: string) => !/\p{Cs}/u.test(t)
/** Unicode text without lone surrogates. */
const text = (minLength: number, maxLength: number) =>
  fc.string({ unit: 'binary', minLength, maxLength }).filter(isWhole)
/** Any string that JavaScript can hold: code units at random, so many lone surrogates. */
const anyString = fc
  .array(fc.oneof(fc.nat(0xffff), fc.integer({ min: 0xd7f0, max: 0xe00f }), fc.nat(0x7f)), {
    maxLength: 24,
  })
  .map((units) => String.fromCharCode(...units))

const entries = (key: fc.Arbitrary<string>) =>
  fc
    .uniqueArray(fc.tuple(key, text(0, 12)), {
      selector: ([name]) => name.replace(/[A-Z]/g, (letter) => letter.toLowerCase()),
      maxLength: 6,
    })
    .map((pairs): EncryptionContext => ({ __proto__: null, ...Object.fromEntries(pairs) }) as never)
const context = entries(text(1, 8).filter((key) => !key.toLowerCase().startsWith('edge-kms:')))
/** Few letters, so that the texts before and after a border are often equal. */
const alike = entries(
  fc.string({ unit: fc.constantFrom('a', 'b', '1', ':'), minLength: 1, maxLength: 3 }),
)

const wraps = fc.uniqueArray(
  fc.record({
    provider: fc.stringMatching(/^[a-z0-9-]{1,32}$/),
    kekId: text(1, 40),
    kekVersion: text(0, 12),
    wrapped: bytes(1, 200),
  }),
  { selector: ({ provider, kekId }) => `${provider} ${kekId}`, minLength: 1, maxLength: 16 },
)
const fields = fc.record({
  salt: bytes(32, 32),
  commitment: bytes(32, 32),
  createdAtMs: fc.nat(Number.MAX_SAFE_INTEGER),
  stored: context,
})
const KINDS: readonly MessageKind[] = [
  'record',
  'stream',
  'record-by-reference',
  'stream-by-reference',
  'data-key-record',
]
const policy = { acceptVersions: [1], acceptKinds: KINDS, maxWraps: 16 }

/** Runs a parser; anything but a KmsError is thrown on. */
function parses(work: () => unknown): boolean {
  try {
    work()
    return true
  } catch (error) {
    if (!isKmsError(error)) throw error
    return false
  }
}

const hex = (array: Uint8Array) => Buffer.from(array).toString('hex')
const sorted = (map: EncryptionContext) => JSON.stringify(Object.entries(map).sort())

describe('the encoding of a context (R6)', () => {
  const ctx = (map: EncryptionContext) => encodeContext(map, CONTEXT_LIMITS.maxContextBytes)

  it.each([
    ['any maps', context],
    ['maps that are alike', alike],
  ])('is equal for equal maps only: %s', (_, maps) => {
    fc.assert(
      fc.property(maps, maps, (a, b) => {
        const same = sorted(a) === sorted(b)
        expect(hex(ctx(a)) === hex(ctx(b))).toBe(same)
        expect(contextId(a) === contextId(b)).toBe(same)
      }),
      { numRuns: 1_000 },
    )
  })

  it('does not depend on the order of insertion', () => {
    fc.assert(
      fc.property(context, (map) => {
        const reversed = Object.fromEntries(Object.entries(map).reverse())
        expect(ctx(Object.assign(Object.create(null), reversed))).toEqual(ctx(map))
        expect(contextId(Object.assign(Object.create(null), reversed))).toBe(contextId(map))
      }),
    )
  })

  it('reads back from JSON as it was', () => {
    fc.assert(
      fc.property(context, (map) => {
        expect(sorted(parseContextJson(JSON.stringify(map, null, 1)))).toBe(sorted(map))
      }),
    )
  })
})

describe('a key header', () => {
  it('reads as it was written, and writes as it was read', () => {
    fc.assert(
      fc.property(
        fields,
        wraps,
        fc.constantFrom<MessageKind>('record', 'stream'),
        (data, list, kind) => {
          const written = encodeKeyHeader(data, list)
          const message = encodeHead(kind, written.bytes)
          const head = parseHead(message, policy)
          if ('need' in head || head.header === undefined) throw new Error('the head is whole')
          expect(head).toMatchObject({ kind, bodyAt: message.length })
          expect(head.header).toEqual({ ...written, stored: head.header.stored })
          expect(sorted(head.header.stored)).toBe(sorted(data.stored))
          expect(encodeKeyHeader(head.header, head.header.wraps).bytes).toEqual(written.bytes)
        },
      ),
    )
  })

  it('asks for more of each beginning, and never for more than there is', () => {
    fc.assert(
      fc.property(fields, wraps, fc.nat(), (data, list, cut) => {
        const message = encodeHead('record', encodeKeyHeader(data, list).bytes)
        const length = cut % message.length
        const head = parseHead(message.slice(0, length), policy)
        if (!('need' in head)) throw new Error('a beginning was taken for the whole')
        expect(head.need).toBeGreaterThan(length)
        expect(head.need).toBeLessThanOrEqual(message.length)
      }),
    )
  })
})

describe('bytes from anybody', () => {
  const start = fc.constantFrom<number[]>([], [0x65, 0x6b, 1], [0x65, 0x6b, 1, 1])
  it('are parsed or refused with a KmsError', () => {
    fc.assert(
      fc.property(start, bytes(0, 300), fc.boolean(), (first, rest, prefix) => {
        parses(() => EncryptedEnvelope.parse(new Uint8Array([...first, ...rest]), { prefix }))
      }),
      { numRuns: 3_000 },
    )
  })

  it('are one envelope in one text: what is accepted is what the writer writes', () => {
    fc.assert(
      fc.property(fc.oneof(anyString, fc.base64String(), text(0, 20)), (tail) => {
        const input = `ek1.${tail}`
        if (parses(() => decodeTextForm(input))) {
          expect(encodeTextForm(decodeTextForm(input))).toBe(input)
        }
      }),
      { numRuns: 3_000 },
    )
  })

  it('are a JSON context only where JSON.parse agrees', () => {
    const scrap = fc.constantFrom('{', '}', '"', ':', ',', '\\', 'a', '\\u0061', ' ', '1', '\n')
    fc.assert(
      fc.property(fc.array(scrap, { maxLength: 14 }), (scraps) => {
        const input = `{"k":"${scraps.join('')}`
        if (parses(() => parseContextJson(input))) {
          expect({ ...parseContextJson(input) }).toEqual(JSON.parse(input))
        }
      }),
      { numRuns: 3_000 },
    )
  })
})

describe('codecs', () => {
  it('write base64 as the platform does, and read it back', () => {
    fc.assert(
      fc.property(bytes(0, 100), (data) => {
        expect(encodeBase64(data)).toBe(Buffer.from(data).toString('base64'))
        expect(encodeBase64Url(data)).toBe(Buffer.from(data).toString('base64url'))
        expect(decodeBase64(encodeBase64(data))).toEqual(data)
        expect(decodeBase64Url(encodeBase64Url(data))).toEqual(data)
        expect(decodeTextForm(encodeTextForm(data))).toEqual(data)
      }),
    )
  })

  it('read no text that they would not write', () => {
    const scraps = fc.string({
      unit: fc.constantFrom('A', 'B', 'Q', '/', '+', '-', '_', '=', '\n'),
    })
    fc.assert(
      fc.property(scraps, (input) => {
        const [url, standard] = [decodeBase64Url(input), decodeBase64(input)]
        if (url !== undefined) expect(encodeBase64Url(url)).toBe(input)
        if (standard !== undefined) expect(encodeBase64(standard)).toBe(input)
      }),
      { numRuns: 2_000 },
    )
  })

  it('measure, write and read UTF-8 as the platform does, and know a lone surrogate', () => {
    fc.assert(
      fc.property(fc.oneof(anyString, text(0, 30)), fc.nat(5), (input, at) => {
        expect(isWellFormed(input)).toBe(isWhole(input))
        if (!isWhole(input)) {
          expect(utf8Length(input)).toBe(-1)
          return
        }
        const expected = new TextEncoder().encode(input)
        expect(utf8Length(input)).toBe(expected.length)
        const out = new Uint8Array(at + expected.length)
        expect(writeUtf8(input, out, at)).toBe(out.length)
        expect(hex(out.subarray(at))).toBe(hex(expected))
        expect(hex(encodeUtf8(input))).toBe(hex(expected))
        expect(decodeUtf8(expected)).toBe(input)
      }),
      { numRuns: 2_000 },
    )
  })

  it('order strings as their UTF-8 bytes are ordered', () => {
    // The border between U+E000–U+FFFF and surrogates is where UTF-16 order differs.
    const near = fc
      .array(fc.constantFrom('a', 'é', '\ud7ff', '\ue000', '\uffff', '😀', '\u{10ffff}'), {
        maxLength: 4,
      })
      .map((parts) => parts.join(''))
    const any = fc.oneof(near, text(0, 6))
    fc.assert(
      fc.property(any, any, (a, b) => {
        const order = Buffer.compare(Buffer.from(a), Buffer.from(b))
        expect(Math.sign(compareUtf8(a, b))).toBe(order)
      }),
      { numRuns: 2_000 },
    )
  })
})
