/** Castagnoli's polynomial, bits reversed (RFC 9260 appendix A). */
const POLYNOMIAL = 0x82f6_3b78

/** Made at the first use. */
let table: Uint32Array | undefined

/** CRC-32C of the bytes, an unsigned number of 32 bits. It finds damage, not intent. */
export function crc32c(bytes: Uint8Array): number {
  table ??= Uint32Array.from({ length: 256 }, remainderOf)
  let crc = 0xffff_ffff
  for (const byte of bytes) crc = (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] as number)
  return ~crc >>> 0
}

function remainderOf(_: unknown, byte: number): number {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0)
  return crc
}
