import { concatBytes } from '../../src/bytes/index.ts'
import { configError } from '../../src/checks/index.ts'
import { KmsError } from '../../src/errors.ts'
import { BoundedCalls } from './bounded-calls.ts'
import { checkRewrapOptions } from './call-options.ts'
import { toStored } from './metadata.ts'
import { checkObjectKey } from './object-key.ts'
import type { RewrapObjectOptions, RewrappedObject } from './object-types.ts'
import type { BucketSettings } from './options.ts'
import { PieceSource } from './piece-source.ts'
import { changed, readStoredEnvelope, type StoredEnvelope } from './stored-envelope.ts'
import { writeEnvelope } from './write-envelope.ts'

/** Another process may rewrap the same record at the same time; then its wraps are as good. */
const TURNS = 3

/** Puts the data key of an object under the KEKs that are configured now. */
export async function rewrapObject(
  settings: BucketSettings,
  key: string,
  given: RewrapObjectOptions,
): Promise<RewrappedObject | null> {
  checkObjectKey(key)
  checkRewrapOptions(given)
  // The caller may change theirs during the reads.
  const options = { ...given }
  const found = await readStoredEnvelope(settings.store, { key, signal: options.signal })
  if (found.state !== 'found') return null
  const stored = found.content
  if (stored.envelope.kind === 'stream-by-reference') {
    await rewrapRecord(settings, key, stored, options)
    return { key, form: 'reference', etag: stored.object.etag }
  }
  const etag = await rewrapInline(settings, key, stored, options)
  return { key, form: 'inline', etag }
}

/** Writes the object again with a new head, if nobody has replaced it meanwhile. */
async function rewrapInline(
  { store, cipher, contextOf, partBytes, partsAtOnce }: BucketSettings,
  key: string,
  { object, metadata, envelope }: StoredEnvelope,
  options: RewrapObjectOptions,
): Promise<string> {
  const { signal } = options
  const message = { ...options, context: contextOf(key) } as object
  const onlyIf = { etagMatches: object.etag }
  const opened = await store.open({ key, signal, onlyIf })
  if (opened.state !== 'found') throw changed(store)
  const pieces = new PieceSource(opened.content.pipeThrough(cipher.rewrapStream(message)))
  try {
    // The transform hands the whole new head on first, as one piece.
    const head = (await pieces.next()) ?? concatBytes()
    pieces.unread(head)
    const total = head.length + object.size - envelope.headBytes
    const write = { key, metadata: toStored(metadata), onlyIf, signal }
    return (await writeEnvelope(store, write, pieces, total, { partBytes, partsAtOnce })).etag
  } catch (error) {
    pieces.cancel(error)
    throw error
  }
}

/** Rewraps the record of the data key: every object under it is rewrapped, and none is moved. */
async function rewrapRecord(
  { cipher, contextOf, dataKeyStore: records }: BucketSettings,
  key: string,
  { envelope }: StoredEnvelope,
  options: RewrapObjectOptions,
): Promise<void> {
  if (records === undefined) {
    throw configError(
      'dataKeyStore is missing: the object is by reference, and its data key is there',
    )
  }
  const { signal } = options
  const calls = new BoundedCalls('data-key-store', {})
  const name = envelope.dataKeyStoreKey
  for (let turn = 0; turn < TURNS; turn += 1) {
    const record = await calls.once('get', signal, (until) => records.get(name, { signal: until }))
    if (record === undefined) throw new KmsError('ERR_ENVELOPE_UNKNOWN_REFERENCE')
    const next = await cipher.rewrap(record, { ...options, context: contextOf(key) } as object)
    const isSwapped = await calls.once('compareAndSwap', signal, (until) =>
      records.compareAndSwap(name, record, next, { signal: until }),
    )
    if (isSwapped) return
  }
  throw new KmsError('ERR_STORE_CONFLICT', {
    provider: 'data-key-store',
    retryable: true,
    message: 'other processes rewrapped the data key at the same time',
  })
}
