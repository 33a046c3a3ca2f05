import { describe, expect, it } from 'vitest'
import type { WrappedKey } from '../../../src/kms/index.ts'
import { encodeKeyHeader } from '../../../src/wire/index.ts'
import { codeOf } from '../../vectors/hex.ts'

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
  wrapped: new Uint8Array(60),
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
      { wrapped: new Uint8Array(6_145) },
    ]) {
      expect(refused([{ ...WRAP, ...change }]), JSON.stringify(change).slice(0, 60)).toBe(MALFORMED)
    }
    const large = many(16).map((wrap) => ({ ...wrap, wrapped: new Uint8Array(6_000) }))
    expect(refused(large)).toBe(LIMIT)
  })
})
