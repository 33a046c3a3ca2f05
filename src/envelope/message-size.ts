import { CHUNKED } from '../ciphers/index.ts'
import { KmsError } from '../errors.ts'
import { checkBodyLength, LIMITS, type MessageKind } from '../wire/index.ts'

/** The longest plaintext of one stream, in bytes: the final chunk is always shorter than the others. */
export const MAX_STREAM_BYTES: number = CHUNKED.maxChunks * CHUNKED.chunkBytes - 1

/** Returns the length of the chunks, final one included, that hold this much plaintext. */
export function sealedBytesOf(plaintextBytes: number): number {
  const chunks = Math.floor(plaintextBytes / CHUNKED.chunkBytes) + 1
  return plaintextBytes + chunks * CHUNKED.tagBytes
}

/**
 * Returns the length of the plaintext in a stream body of this length.
 *
 * @throws KmsError `ERR_DECRYPT_FAILED` if no stream has a body of this length: it was truncated (W4.16)
 */
export function streamPlaintextBytes(bodyBytes: number): number {
  const sealed = bodyBytes - CHUNKED.headerBytes
  const last = sealed % CHUNKED.sealedChunkBytes
  if (sealed < 0 || last < CHUNKED.tagBytes) throw new KmsError('ERR_DECRYPT_FAILED')
  const whole = Math.floor(sealed / CHUNKED.sealedChunkBytes)
  return whole * CHUNKED.chunkBytes + last - CHUNKED.tagBytes
}

/**
 * Returns the length of the plaintext in a body of this kind and length.
 *
 * @throws KmsError `ERR_WIRE_KIND_REFUSED`, `ERR_WIRE_MALFORMED`, `ERR_DECRYPT_FAILED`
 */
export function plaintextBytesOf(kind: MessageKind, bodyBytes: number): number {
  if (kind === 'data-key-record') {
    throw new KmsError('ERR_WIRE_KIND_REFUSED', { message: 'a data-key-record has no plaintext' })
  }
  if (kind.startsWith('stream')) return streamPlaintextBytes(bodyBytes)
  checkBodyLength(kind, bodyBytes)
  return bodyBytes - LIMITS.nonceBytes - LIMITS.tagBytes
}
