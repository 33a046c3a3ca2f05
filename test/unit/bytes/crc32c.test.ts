import { describe, expect, it } from 'vitest'
import { crc32c, encodeUtf8 } from '../../../src/bytes/index.ts'

describe('R10 CRC-32C', () => {
  it.each([
    ['nothing', new Uint8Array(0), 0],
    ['the check value of the catalogue of CRCs', encodeUtf8('123456789'), 0xe306_9283],
    ['32 zero bytes (RFC 3720 B.4)', new Uint8Array(32), 0x8a91_36aa],
    ['32 bytes of ones (RFC 3720 B.4)', new Uint8Array(32).fill(255), 0x62a8_ab43],
    [
      '32 bytes that rise (RFC 3720 B.4)',
      Uint8Array.from({ length: 32 }, (_, i) => i),
      0x46dd_794e,
    ],
    [
      '32 bytes that fall (RFC 3720 B.4)',
      Uint8Array.from({ length: 32 }, (_, i) => 31 - i),
      0x113f_db5c,
    ],
  ])('of %s', (_what, bytes, sum) => {
    expect(crc32c(bytes)).toBe(sum)
  })
})
