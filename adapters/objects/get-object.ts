import { checkCondition, checkGetOptions, checkRange } from './call-options.ts'
import { type EncryptedObject, encryptedObject } from './encrypted-object.ts'
import { getRange } from './get-range.ts'
import { bindMetadata } from './metadata.ts'
import { factsOf } from './object-facts.ts'
import { checkObjectKey } from './object-key.ts'
import type { GetObjectOptions, ObjectNotRead } from './object-types.ts'
import type { BucketSettings } from './options.ts'
import { PieceSource } from './piece-source.ts'
import { MAX_HEAD_BYTES, storedEnvelope } from './stored-envelope.ts'

/** Reads an object, or a part of it. */
export async function getObject(
  settings: BucketSettings,
  key: string,
  options: GetObjectOptions,
): Promise<EncryptedObject | ObjectNotRead | null> {
  checkObjectKey(key)
  checkGetOptions(options)
  const { range, signal, defer } = options
  const onlyIf = checkCondition(options.onlyIf)
  const read = { key, signal, ...(onlyIf !== undefined && { onlyIf }) }
  if (range !== undefined) {
    return getRange(settings, read, checkRange(range), { signal, defer })
  }
  const found = await settings.store.open(read)
  if (found.state === 'missing') return null
  if (found.state === 'unmet') return { key, etag: found.etag }
  const pieces = new PieceSource(found.content)
  try {
    const start = await pieces.take(Math.min(MAX_HEAD_BYTES, found.object.size))
    pieces.unread(start)
    const stored = storedEnvelope(found.object, start)
    const plaintext = new PieceSource(opened(settings, key, pieces, stored, { signal, defer }))
    // The first piece, or the end, proves key, context, aad and metadata.
    await plaintext.isDone()
    const { metadata, plaintextBytes } = stored
    const facts = {
      ...factsOf(key, found.object),
      size: plaintextBytes,
      lengthVerified: metadata.plaintextBytes !== undefined || plaintext.ended,
      range: { offset: 0, length: plaintextBytes },
      customMetadata: metadata.custom,
    }
    return encryptedObject(facts, plaintext.stream())
  } catch (error) {
    pieces.cancel(error)
    throw error
  }
}

function opened(
  { cipher, contextOf, aadOf }: BucketSettings,
  key: string,
  pieces: PieceSource,
  { metadata }: ReturnType<typeof storedEnvelope>,
  { signal, defer }: GetObjectOptions,
): ReadableStream<Uint8Array> {
  const aad = bindMetadata(aadOf(key), metadata)
  const options = { context: contextOf(key), aad, ...{ signal, defer } }
  return pieces.stream().pipeThrough(cipher.decryptStream(options as object))
}
