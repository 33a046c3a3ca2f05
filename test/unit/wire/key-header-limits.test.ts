import { describe, expect, it } from 'vitest'
import type { WrappedKey } from '../../../src/kms/index.ts'
import { encodeKeyHeader, LIMITS, parseHead } from '../../../src/wire/index.ts'
import { codeOf } from '../../vectors/hex.ts'
import { rawHeader, rawMap, rawMessage } from '../../vectors/raw-header.ts'

const MALFORMED = 'ERR_WIRE_MALFORMED'
const LIMIT = 'ERR_WIRE_LIMIT_EXCEEDED'
const FIELDS = {
  salt: new Uint8Array(32),
  createdAtMs: 1_767_225_600_000,
  stored: {},
  commitment: new Uint8Array(32),
}
const WRAP: WrappedKey = {
  provider: 'local',
  kekId: 'app',
  kekVersion: '1',
  wrapped: new Uint8Array(72),
}
const many = (count: number): WrappedKey[] =>
  Array.from({ length: count }, (_, i) => ({ ...WRAP, kekId: `key ${String(i)}` }))

describe('key header, written: what no reader would take is never written', () => {
  it('refuses to write what a reader would refuse', () => {
    const refused = (wraps: WrappedKey[]): string | undefined =>
      codeOf(() => encodeKeyHeader(FIELDS, wraps))
    expect(refused([])).toBe(MALFORMED)
    expect(refused(many(17))).toBe(MALFORMED)
    expect(refused([WRAP, WRAP])).toBe(MALFORMED)
    for (const change of [
      { provider: '' },
      { provider: 'A' },
      { provider: 'a'.repeat(33) },
      { kekId: '' },
      { kekId: 'a'.repeat(2_049) },
      { kekId: '\ud800' },
      { kekVersion: 'a'.repeat(257) },
      { kekVersion: '\ud800' },
      { wrapped: new Uint8Array(0) },
      { wrapped: new Uint8Array(16_385) },
    ]) {
      expect(refused([{ ...WRAP, ...change }]), JSON.stringify(change).slice(0, 60)).toBe(MALFORMED)
    }
    const large = many(16).map((wrap) => ({ ...wrap, wrapped: new Uint8Array(6_000) }))
    expect(refused(large)).toBe(LIMIT)
  })

  it('writes a header of exactly the most bytes, and none of one more', () => {
    const wraps = many(16).map((wrap) => ({ ...wrap, wrapped: new Uint8Array(4_000) }))
    const left = LIMITS.headerBytes - encodeKeyHeader(FIELDS, wraps).bytes.length
    const grown = (by: number): WrappedKey[] => [
      { ...WRAP, kekId: 'key 0', wrapped: new Uint8Array(4_000 + Math.ceil(by / 2)) },
      { ...WRAP, kekId: 'key 1', wrapped: new Uint8Array(4_000 + Math.floor(by / 2)) },
      ...wraps.slice(2),
    ]
    expect(encodeKeyHeader(FIELDS, grown(left)).bytes).toHaveLength(LIMITS.headerBytes)
    expect(codeOf(() => encodeKeyHeader(FIELDS, grown(left + 1)))).toBe(LIMIT)
  })
})

describe('key header, read in pieces', () => {
  it('W3.13: entries that reach past the stored context are malformed, and no reason to wait for more', () => {
    const policy = { acceptVersions: [1], acceptKinds: ['stream'], maxWraps: 5 } as const
    const parse = (stored: Uint8Array): unknown =>
      parseHead(rawMessage(0x02, rawHeader({ stored })), policy)
    const whole = rawMap([['tenant', 'acme']])
    expect(parse(whole)).toHaveProperty('header')
    expect(codeOf(() => parse(whole.slice(0, -1)))).toBe(MALFORMED)
    expect(codeOf(() => parse(rawMap([['tenant', 'acme']], 2)))).toBe(MALFORMED)
  })
})
