import { describe, expect, it } from 'vitest'
import type { EncryptionContext, WrappedKey } from '../../../src/kms/index.ts'
import {
  encodeKeyHeader,
  type KeyHeader,
  LIMITS,
  type MessageKind,
  parseMessage,
  storedPart,
} from '../../../src/wire/index.ts'
import golden from '../../vectors/golden.json' with { type: 'json' }
import { codeOf, fromHex, toHex, utf8 } from '../../vectors/hex.ts'
import {
  joinBytes,
  type RawHeader,
  rawHeader,
  rawMap,
  rawMessage,
  type RawWrap,
  unsigned,
} from '../../vectors/raw-header.ts'

const MALFORMED = 'ERR_WIRE_MALFORMED'
const LIMIT = 'ERR_WIRE_LIMIT_EXCEEDED'
const ACME = rawMap([['tenant', 'acme']])

function read(message: Uint8Array<ArrayBuffer>, maxWraps = 16): KeyHeader {
  const acceptKinds: MessageKind[] = ['data-key-record']
  return parseMessage(message, { acceptVersions: [1], acceptKinds, maxWraps }).header!
}
/** The code with which a reader refuses this header; `undefined` if it takes it. */
const refusal = (header: RawHeader, maxWraps?: number): string | undefined =>
  codeOf(() => read(rawMessage(0x20, rawHeader(header)), maxWraps))
const refusalOfWrap = (wrap: RawWrap): string | undefined => refusal({ wraps: [wrap] })
const refusalOfStored = (stored: Uint8Array): string | undefined => refusal({ stored })

const FIELDS = {
  salt: fromHex(golden.inputs.salt),
  createdAtMs: golden.inputs.createdAt,
  stored: golden.inputs.context as EncryptionContext,
  commitment: fromHex(golden.storedContext.commitment),
}
const WRAP: WrappedKey = {
  provider: 'aws-kms',
  kekId: golden.inputs.kekId,
  kekVersion: '',
  wrapped: new Uint8Array(184).fill(0xa5),
}
const many = (count: number): WrappedKey[] =>
  Array.from({ length: count }, (_, i) => ({ ...WRAP, kekId: `key ${String(i)}` }))

describe('key header, written', () => {
  it('W3.1: has the fields of the wire format in order and width', () => {
    const stored = encodeKeyHeader(FIELDS, [WRAP])
    expect(toHex(stored.bytes)).toBe(golden.storedContext.keyHeader)
    const commitment = fromHex(golden.contextNotStored.commitment)
    const bare = encodeKeyHeader({ ...FIELDS, stored: {}, commitment }, [WRAP])
    expect(toHex(bare.bytes)).toBe(golden.contextNotStored.keyHeader)
    expect(bare.bytes.length).toBe(347)
  })

  it('W3.2: has wraps with the fields of the wire format in order and width', () => {
    const wrap = { provider: 'p', kekId: 'id', kekVersion: 'ver', wrapped: fromHex('01020304') }
    const { bytes, fixedBytes } = encodeKeyHeader(FIELDS, [wrap])
    expect(toHex(bytes.subarray(fixedBytes.length))).toBe(
      ['01', '0170', '00026964', '0003766572', '000401020304'].join(''),
    )
  })

  it('W2.3: sets bit 0 of flags if and only if something is stored', () => {
    expect(storedPart({})).toEqual({ flags: 0, bytes: new Uint8Array(2) })
    expect(storedPart({ a: '' }).flags).toBe(1)
    expect(encodeKeyHeader({ ...FIELDS, stored: {} }, [WRAP]).bytes[72]).toBe(0)
    expect(encodeKeyHeader(FIELDS, [WRAP]).bytes[72]).toBe(1)
  })

  it('W3.17: keeps wraps in the order that the writer gives', () => {
    const wraps = [3, 1, 2].map((i) => ({ ...WRAP, kekId: `key ${String(i)}` }))
    const { bytes } = encodeKeyHeader(FIELDS, wraps)
    const ids = read(rawMessage(0x20, bytes)).wraps.map((wrap) => wrap.kekId)
    expect(ids).toEqual(['key 3', 'key 1', 'key 2'])
  })
})

describe('key header, read', () => {
  it('W3.1, W3.2: gives every field of the golden header back', () => {
    const header = read(fromHex(golden.storedContext.dataKeyRecord))
    expect(toHex(header.salt)).toBe(golden.inputs.salt)
    expect(toHex(header.commitment)).toBe(golden.storedContext.commitment)
    expect(header.createdAtMs).toBe(golden.inputs.createdAt)
    expect(header.flags).toBe(1)
    expect({ ...header.stored }).toEqual(golden.inputs.context)
    expect(header.wraps).toEqual([WRAP])
    expect(toHex(header.bytes)).toBe(golden.storedContext.keyHeader)
    expect(golden.storedContext.keyHeader.startsWith(toHex(header.fixedBytes))).toBe(true)
    expect(header.fixedBytes.length).toBe(91)
  })

  it('asks for more at every length that cuts the header short', () => {
    const whole = fromHex(golden.storedContext.dataKeyRecord)
    for (let length = 0; length < whole.length; length++) {
      expect(
        codeOf(() => read(whole.slice(0, length))),
        String(length),
      ).toBe(MALFORMED)
    }
  })

  it('W3.3: refuses a header of more than 65,536 bytes', () => {
    // 74 bytes before the wraps; each wrap has 13 bytes beside its kekVersion and wrapped DEK.
    const wraps = (last: number): RawWrap[] => [
      ...Array.from({ length: 10 }, (_, i) => ({
        kekId: `k${String(i)}`,
        kekVersion: '',
        wrapped: new Uint8Array(6_000),
      })),
      { kekId: 'kk', kekVersion: '', wrapped: new Uint8Array(last) },
    ]
    const rest = 65_536 - rawHeader({ wraps: wraps(1) }).length + 1
    expect(rawHeader({ wraps: wraps(rest) }).length).toBe(65_536)
    expect(refusal({ wraps: wraps(rest) })).toBeUndefined()
    expect(refusal({ wraps: wraps(rest + 1) })).toBe(LIMIT)
  })

  it('W3.3: does not ask for more than a wrap beyond that size, whatever the lengths say', () => {
    const wraps = Array.from({ length: 16 }, (_, i) => ({
      kekId: `k${String(i)}`.padEnd(2_048, 'x'),
      kekVersion: 'v'.repeat(256),
      wrapped: new Uint8Array(16_384),
    }))
    expect(refusal({ wraps })).toBe(LIMIT)
  })

  it('W3.4: refuses a provider name that is not 1 to 32 bytes of a-z, 0-9 and hyphen', () => {
    for (const provider of ['a', 'a'.repeat(32), 'vault-transit', '9-']) {
      expect(refusalOfWrap({ provider })).toBeUndefined()
    }
    for (const provider of [
      '',
      'a'.repeat(33),
      'A',
      'a_b',
      'a b',
      'a\n',
      'a\0',
      '\u00e4',
      'aws.kms',
    ]) {
      expect(refusalOfWrap({ provider }), JSON.stringify(provider)).toBe(MALFORMED)
    }
  })

  it('W3.5: refuses a kekId that is not 1 to 2,048 bytes', () => {
    expect(refusalOfWrap({ kekId: 'a'.repeat(2_048) })).toBeUndefined()
    expect(refusalOfWrap({ kekId: '' })).toBe(MALFORMED)
    expect(refusalOfWrap({ kekId: 'a'.repeat(2_049) })).toBe(MALFORMED)
  })

  it('W3.6: refuses a kekVersion of more than 256 bytes', () => {
    expect(refusalOfWrap({ kekVersion: '' })).toBeUndefined()
    expect(refusalOfWrap({ kekVersion: 'a'.repeat(256) })).toBeUndefined()
    expect(refusalOfWrap({ kekVersion: 'a'.repeat(257) })).toBe(MALFORMED)
  })

  it('W3.7: refuses a wrapped DEK that is not 1 to 6,144 bytes', () => {
    expect(refusalOfWrap({ wrapped: new Uint8Array(1) })).toBeUndefined()
    expect(refusalOfWrap({ wrapped: new Uint8Array(16_384) })).toBeUndefined()
    expect(refusalOfWrap({ wrapped: new Uint8Array(0) })).toBe(MALFORMED)
    expect(refusalOfWrap({ wrapped: new Uint8Array(16_385) })).toBe(MALFORMED)
  })

  it('W3.8: refuses a count of 0', () => {
    expect(refusal({ wraps: [] })).toBe(MALFORMED)
  })

  it('W3.9: refuses a count above the configured cap, before it reads a wrap', () => {
    const wraps = many(3)
    expect(refusal({ wraps }, 3)).toBeUndefined()
    expect(refusal({ wraps }, 2)).toBe(LIMIT)
    expect(refusal({ count: 255, wraps: [] }, 5)).toBe(LIMIT)
    expect(LIMITS.defaultMaxWraps).toBe(5)
  })

  it('W3.11: refuses two wraps with one provider and kekId', () => {
    expect(refusal({ wraps: [{}, { kekVersion: '2' }] })).toBe(MALFORMED)
    expect(refusal({ wraps: [{}, { provider: 'other' }] })).toBeUndefined()
    expect(refusal({ wraps: [{}, { kekId: 'App' }] })).toBeUndefined()
    // Not by the joined text: these differ in both fields.
    expect(
      refusal({
        wraps: [
          { provider: 'a', kekId: 'b c' },
          { provider: 'a-b', kekId: 'c' },
        ],
      }),
    ).toBeUndefined()
  })

  it('W3.12: refuses every flag but bit 0', () => {
    expect(refusal({ flags: 0 })).toBeUndefined()
    for (let bit = 1; bit < 8; bit++) {
      expect(refusal({ flags: 1 << bit }), String(bit)).toBe(MALFORMED)
      expect(refusal({ flags: (1 << bit) | 1, stored: ACME }), String(bit)).toBe(MALFORMED)
    }
  })

  it('W3.12: refuses bit 0 with an empty stored map', () => {
    expect(refusalOfStored(ACME)).toBeUndefined()
    expect(refusalOfStored(rawMap([]))).toBe(MALFORMED)
    expect(refusalOfStored(new Uint8Array(0))).toBe(MALFORMED)
  })

  it('W3.13: refuses bytes left over inside the stored map', () => {
    expect(refusalOfStored(joinBytes(ACME, new Uint8Array(1)))).toBe(MALFORMED)
    expect(refusalOfStored(joinBytes(ACME, rawMap([['x', 'y']]).slice(2)))).toBe(MALFORMED)
  })

  it('W3.13: refuses a stored map that ends early', () => {
    for (let length = 0; length < ACME.length; length++) {
      expect(refusalOfStored(ACME.slice(0, length)), String(length)).toBe(MALFORMED)
    }
    expect(refusalOfStored(rawMap([['tenant', 'acme']], 2))).toBe(MALFORMED)
  })

  it('W3.14: refuses a stored map that is not the output of ctx', () => {
    const entries = Array.from(
      { length: 65 },
      (_, i) => [`k${String(i).padStart(2, '0')}`, ''] as const,
    )
    expect(refusalOfStored(rawMap(entries.slice(0, 64)))).toBeUndefined()
    expect(
      refusalOfStored(
        rawMap([
          ['a', '1'],
          ['b', '2'],
        ]),
      ),
    ).toBeUndefined()
    for (const map of [
      rawMap([
        ['b', '2'],
        ['a', '1'],
      ]), // order
      rawMap([
        ['a', '1'],
        ['a', '1'],
      ]), // a repeated key
      rawMap([
        ['a', '1'],
        ['a', '2'],
      ]),
      rawMap([
        ['\u{10000}', '2'],
        ['\ufb33', '1'],
      ]), // the order of UTF-16
      rawMap([['', 'x']]), // an empty key
      rawMap([['edge-kms:dk', 'x']]), // a reserved key
      rawMap([
        ['A', '1'],
        ['a', '2'],
      ]), // equal except for case
      rawMap(entries), // too many
      rawMap([['k', 'v'.repeat(4_096 - 6)]]), // too long by one byte
    ]) {
      expect(refusalOfStored(map)).toBe(MALFORMED)
    }
  })

  it('W3.15: refuses a createdAt above 2^53-1', () => {
    expect(refusal({ createdAt: 2n ** 53n - 1n })).toBeUndefined()
    expect(refusal({ createdAt: 2n ** 53n })).toBe(MALFORMED)
    expect(refusal({ createdAt: 2n ** 64n - 1n })).toBe(MALFORMED)
    const createdAt = 2n ** 53n - 2n ** 32n - 3n
    expect(read(rawMessage(0x20, rawHeader({ createdAt }))).createdAtMs).toBe(Number(createdAt))
  })

  it('W3.16: refuses text that is not UTF-8, and keeps every text that is', () => {
    const bad = [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]]
    for (const bytes of bad.map((list) => new Uint8Array(list))) {
      expect(refusalOfWrap({ kekId: bytes })).toBe(MALFORMED)
      expect(refusalOfWrap({ kekVersion: bytes })).toBe(MALFORMED)
      expect(refusalOfStored(rawMap([[bytes, 'x']]))).toBe(MALFORMED)
      expect(refusalOfStored(rawMap([['x', bytes]]))).toBe(MALFORMED)
    }
    // A byte order mark is data, and U+FFFD is a character like any other.
    for (const kekId of ['\ufeffapp', 'a\ufffdb', '\u{1f511}']) {
      const message = rawMessage(0x20, rawHeader({ wraps: [{ kekId: utf8(kekId) }] }))
      expect(read(message).wraps[0]!.kekId).toBe(kekId)
    }
  })

  it('W1.12: gives the stored map without a prototype', () => {
    const map = rawMap([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ])
    const { stored } = read(rawMessage(0x20, rawHeader({ stored: map })))
    expect(Object.getPrototypeOf(stored)).toBeNull()
    expect(Object.keys(stored)).toEqual(['__proto__', 'constructor'])
  })

  it('reads lengths as unsigned and big-endian', () => {
    const kekId = 'k'.repeat(0x0102)
    expect(toHex(unsigned(kekId.length, 2))).toBe('0102')
    const header = read(rawMessage(0x20, rawHeader({ wraps: [{ kekId }] })))
    expect(header.wraps[0]!.kekId).toBe(kekId)
  })
})
