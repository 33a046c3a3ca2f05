import type { Bytes } from '../../src/bytes/index.ts'
import type { DecryptedRange } from '../../src/index.ts'
import { type EncryptedObject, encryptedObject, type ReturnedRange } from './encrypted-object.ts'
import { bindMetadata } from './metadata.ts'
import { factsOf } from './object-facts.ts'
import type { ObjectRead } from './object-store.ts'
import type { GetObjectOptions, ObjectNotRead, ObjectRange } from './object-types.ts'
import type { BucketSettings } from './options.ts'
import { readPinned, readStoredEnvelope, type StoredEnvelope } from './stored-envelope.ts'

/** Plaintext of one read: whole chunks of 16 KiB, below what one read of S3 returns. */
const WINDOW_BYTES = 4_194_304

/** Reads a part of an object: one read for the head, one for each 4 MiB of the range. */
export async function getRange(
  settings: BucketSettings,
  read: ObjectRead,
  range: ObjectRange,
  options: GetObjectOptions,
): Promise<EncryptedObject | ObjectNotRead | null> {
  const { key } = read
  const found = await readStoredEnvelope(settings.store, read)
  if (found.state === 'missing') return null
  if (found.state === 'unmet') return { key, etag: found.etag }
  const stored = found.content
  const { metadata, plaintextBytes: size, object } = stored
  const wanted = placeOf(range, size)
  const decrypt = decrypter(settings, read, stored, options)
  if (wanted.length === 0) {
    // The length is the store's word: an object that was cut or moved must not look like one that ends here.
    await decrypt(wanted.offset, wanted.offset, object.size)
    const message = `the range begins at ${String(wanted.offset)}, the object has ${String(size)} bytes`
    throw new RangeError(message)
  }
  const first = await decrypt(wanted.offset, windowEnd(wanted.offset, wanted))
  const facts = {
    ...factsOf(key, object),
    size,
    lengthVerified: metadata.plaintextBytes !== undefined || first.lengthVerified,
    range: wanted,
    customMetadata: metadata.custom,
  }
  return encryptedObject(facts, windows(first.plaintext, wanted, decrypt))
}

/** With the `size` of the envelope, its end is verified too. */
type Decrypt = (start: number, end: number, size?: number) => Promise<DecryptedRange>

/** Returns a function that decrypts a part; it has read the beginning of the envelope already. */
function decrypter(
  { store, cipher, contextOf, aadOf }: BucketSettings,
  read: ObjectRead,
  { object, start: head, metadata }: StoredEnvelope,
  { signal, defer }: GetObjectOptions,
): Decrypt {
  const { key } = read
  const aad = bindMetadata(aadOf(key), metadata)
  const message = { context: contextOf(key), aad, ...{ signal, defer } } as object
  const bytesOf = (start: number, end: number): Promise<Uint8Array> =>
    Math.min(end, object.size) <= head.length
      ? Promise.resolve(head.slice(start, end))
      : readPinned(store, read, object, start, end)
  return (start, end, size) =>
    cipher.decryptRange(bytesOf, { start, end, ...(size !== undefined && { size }) }, message)
}

function windows(
  first: Bytes,
  wanted: ReturnedRange,
  decrypt: Decrypt,
): ReadableStream<Uint8Array> {
  const end = wanted.offset + wanted.length
  let at = wanted.offset
  let held: Bytes | undefined = first
  return new ReadableStream<Uint8Array>(
    {
      async pull(to) {
        held ??= (await decrypt(at, windowEnd(at, wanted))).plaintext
        at += held.length
        to.enqueue(held)
        held = undefined
        if (at >= end) to.close()
      },
    },
    { highWaterMark: 0 },
  )
}

/** Windows end where a chunk does, so that no chunk is read twice. */
function windowEnd(at: number, { offset, length }: ReturnedRange): number {
  return Math.min(at - (at % WINDOW_BYTES) + WINDOW_BYTES, offset + length)
}

/** Returns the place of a range, cut at the end of the object: without length if nothing of it lies there. */
function placeOf(range: ObjectRange, size: number): ReturnedRange {
  const {
    suffix,
    offset = 0,
    length = Infinity,
  } = range as {
    readonly suffix?: number
    readonly offset?: number
    readonly length?: number
  }
  const from = suffix === undefined ? offset : Math.max(0, size - suffix)
  return { offset: from, length: Math.max(0, Math.min(length, size - from)) }
}
