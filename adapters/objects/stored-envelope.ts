import { type Bytes, concatBytes } from '../../src/bytes/index.ts'
import { isKmsError, KmsError } from '../../src/errors.ts'
import { EncryptedEnvelope } from '../../src/index.ts'
import { fromStored, type ObjectMetadata } from './metadata.ts'
import type { Found, ObjectRead, ObjectStore, StoredObject } from './object-store.ts'

/** Bytes of the first read: the head of most envelopes, and with it a short object whole. */
export const FIRST_BYTES = 8_192
/** No head is longer. */
export const MAX_HEAD_BYTES = 73_728

/** An object and the beginning of its envelope, parsed. Nothing of it is authentic. */
export interface StoredEnvelope {
  readonly object: StoredObject
  readonly metadata: ObjectMetadata
  readonly envelope: EncryptedEnvelope
  /** Length of the plaintext that an envelope of this length has. */
  readonly plaintextBytes: number
  /** First bytes of the envelope, at least its head. */
  readonly start: Bytes
}

/** Reads the beginning of an object; a second read is only needed for a head with many wraps. */
export async function readStoredEnvelope(
  store: ObjectStore,
  read: ObjectRead,
): Promise<Found<StoredEnvelope>> {
  const found = await store.read(read, { start: 0, end: FIRST_BYTES })
  if (found.state !== 'found') return found
  const { object, content } = found
  try {
    return { state: 'found', object, content: storedEnvelope(object, content) }
  } catch (error) {
    const isShort = isKmsError(error, 'ERR_WIRE_MALFORMED') && object.size > content.length
    if (!isShort || object.metadata('edge-kms') === undefined) throw error
  }
  const rest = await readPinned(store, read, object, FIRST_BYTES, MAX_HEAD_BYTES)
  const start = concatBytes(content, rest)
  return { state: 'found', object, content: storedEnvelope(object, start) }
}

/**
 * Parses the beginning of an object.
 *
 * @throws KmsError `ERR_WIRE_*` if it is not an envelope or `EncryptedBucket` did not write it; `ERR_DECRYPT_FAILED`
 * if its length is not the one that it states
 */
export function storedEnvelope(object: StoredObject, start: Bytes): StoredEnvelope {
  const metadata = fromStored(object)
  const envelope = EncryptedEnvelope.parse(start, { prefix: true })
  const plaintextBytes = envelope.plaintextBytes(object.size)
  // Truncated at a chunk, or too long: refused before the body is read.
  if ((metadata.plaintextBytes ?? plaintextBytes) !== plaintextBytes) {
    throw new KmsError('ERR_DECRYPT_FAILED')
  }
  return { object, metadata, envelope, plaintextBytes, start }
}

/**
 * Reads a span of the version that was seen first, cut at its end.
 *
 * @throws KmsError `ERR_STORE_CONFLICT`, retryable, if the object has changed
 */
export async function readPinned(
  store: ObjectStore,
  { key, signal }: ObjectRead,
  { etag, size, version }: StoredObject,
  start: number,
  end: number,
): Promise<Bytes> {
  const span = { start, end: Math.min(end, size) }
  if (span.start >= span.end) return new Uint8Array(0)
  const found = await store.read({ key, signal, onlyIf: { etagMatches: etag } }, span)
  // R2 gives the same ETag to the same bytes: only its version distinguishes two objects.
  if (found.state === 'found' && found.object.version === version) return found.content
  throw changed(store)
}

/** Returns the error of an object that changed between two reads. */
export function changed({ provider }: ObjectStore): KmsError {
  return new KmsError('ERR_STORE_CONFLICT', {
    provider,
    retryable: true,
    message: 'the object changed while it was read',
  })
}
