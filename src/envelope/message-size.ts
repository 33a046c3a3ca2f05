import { CHUNKED } from '../ciphers/index.ts'
import { KmsError } from '../errors.ts'
import { LIMITS, malformed, type MessageKind } from '../wire/index.ts'

/** The longest plaintext of one stream, in bytes: the final chunk is always shorter than the others. */
export const MAX_STREAM_BYTES: number = CHUNKED.maxChunks * CHUNKED.chunkBytes - 1

const RECORD_OVERHEAD = LIMITS.nonceBytes + LIMITS.tagBytes
const LEAST_STREAM = CHUNKED.headerBytes + CHUNKED.tagBytes

/** Returns the length of the shortest body that a message of this kind can have, in bytes. */
export function leastBodyBytes(kind: MessageKind): number {
  if (kind === 'data-key-record') return 0
  return kind.startsWith('stream') ? LEAST_STREAM : RECORD_OVERHEAD
}

/**
 * Returns the error of a body of a wrong length. A stream that was cut looks like one with a wrong tag
 * (W4.16); a record is refused by its parser (W4.8).
 */
export function wrongBody(kind: MessageKind): KmsError {
  return kind.startsWith('stream')
    ? new KmsError('ERR_DECRYPT_FAILED')
    : malformed('the body has a wrong length')
}

/** Returns the length of the longest body of a record with this much plaintext, in bytes. */
export function recordBodyBytes(plaintextBytes: number): number {
  return plaintextBytes + RECORD_OVERHEAD
}

/** Returns the length of the chunks, the final one included, that hold this much plaintext. */
export function sealedBytesOf(plaintextBytes: number): number {
  const chunks = Math.floor(plaintextBytes / CHUNKED.chunkBytes) + 1
  return plaintextBytes + chunks * CHUNKED.tagBytes
}

/**
 * Returns the length of the plaintext in a body of this kind and length.
 *
 * @throws KmsError `ERR_WIRE_KIND_REFUSED` for a data-key record; `ERR_WIRE_MALFORMED` or, for a stream,
 * `ERR_DECRYPT_FAILED` if no message has a body of this length
 */
export function plaintextBytesOf(kind: MessageKind, bodyBytes: number): number {
  demandPlaintext(kind)
  if (bodyBytes < leastBodyBytes(kind)) throw wrongBody(kind)
  if (!kind.startsWith('stream')) return bodyBytes - RECORD_OVERHEAD
  const sealed = bodyBytes - CHUNKED.headerBytes
  const last = sealed % CHUNKED.sealedChunkBytes
  if (last < CHUNKED.tagBytes) throw wrongBody(kind)
  const whole = Math.floor(sealed / CHUNKED.sealedChunkBytes)
  return whole * CHUNKED.chunkBytes + last - CHUNKED.tagBytes
}

/** @throws KmsError `ERR_WIRE_KIND_REFUSED` for a data-key record, which has no plaintext */
export function demandPlaintext(kind: MessageKind): void {
  if (kind !== 'data-key-record') return
  throw new KmsError('ERR_WIRE_KIND_REFUSED', { message: 'a data-key-record has no plaintext' })
}
