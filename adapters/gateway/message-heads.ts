import { EncryptedEnvelope } from '../../src/index.ts'

/** Holds every head: 64 KiB of header and what surrounds it. */
export const HEAD_BYTES = 73_728

/** Returns the length of an envelope whose head was replaced and whose body was not. */
export function rewrappedBytesOf(
  before: EncryptedEnvelope,
  start: Uint8Array,
  envelopeBytes: number,
): number {
  return envelopeBytes - before.headBytes + headOf(start).headBytes
}

/** Returns what the first bytes of an envelope say about it. */
export function headOf(start: Uint8Array): EncryptedEnvelope {
  return EncryptedEnvelope.parse(start, { prefix: true, maxWraps: 16 })
}
