import { EncryptedEnvelope, KmsError } from '../../src/index.ts'

/** `docs/wire-format.md`, W4.10 to W4.14, in bytes. */
const STREAM = { header: 56, chunk: 16_384, tag: 16 } as const
const SEALED_CHUNK = STREAM.chunk + STREAM.tag
/** Holds every head: 64 KiB of header and what surrounds it. */
export const HEAD_BYTES = 73_728

/** Returns the length of a stream envelope, from its first bytes and the length of its plaintext. */
export function sealedBytesOf(start: Uint8Array, plaintextBytes: number): number {
  const chunks = Math.floor(plaintextBytes / STREAM.chunk) + 1
  return headOf(start).headBytes + STREAM.header + plaintextBytes + chunks * STREAM.tag
}

/**
 * Returns the length of the plaintext in a stream envelope.
 *
 * @param envelopeBytes - length of the whole envelope
 * @throws KmsError `ERR_DECRYPT_FAILED` if no stream has this length: it was truncated (W4.16)
 */
export function plaintextBytesOf(envelope: EncryptedEnvelope, envelopeBytes: number): number {
  const sealed = envelopeBytes - envelope.headBytes - STREAM.header
  const final = sealed % SEALED_CHUNK
  if (sealed < 0 || final < STREAM.tag) throw new KmsError('ERR_DECRYPT_FAILED')
  return sealed - (Math.floor(sealed / SEALED_CHUNK) + 1) * STREAM.tag
}

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
