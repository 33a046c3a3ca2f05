import type { Bytes } from '../../src/bytes/index.ts'
import { concatBytes } from '../../src/bytes/index.ts'
import { configError, plainOptions, refuseOthers, wrongOption } from '../../src/checks/index.ts'
import { isKmsError } from '../../src/errors.ts'
import { EncryptedEnvelope } from '../../src/index.ts'
import type {
  ObjectSource,
  RecordPage,
  RewrapObjectCall,
  RotationRecord,
  SourceOptions,
  SwapOutcome,
} from '../../src/rotation/sources/index.ts'
import { type EncryptedBucket, storeOf } from './encrypted-bucket.ts'
import { isObjectKey } from './object-key.ts'
import type { ObjectStore } from './object-store.ts'
import { FIRST_BYTES, MAX_HEAD_BYTES, readPinned } from './stored-envelope.ts'

/** Options of {@link objectSource}. */
export interface ObjectSourceOptions {
  /** The bucket whose objects are rotated; its cipher has the KEKs that they are rewrapped under. */
  readonly bucket: EncryptedBucket
  /** Names the source: 1 to 64 letters, digits, `.`, `_` and `-`. `objects` by default. */
  readonly name?: string
  /** Only the objects whose keys begin with it. */
  readonly prefix?: string
}

/** The field of every record. */
const FIELD = 'object'
/** Objects of one page: at most 18 MiB of heads. */
const MAX_PAGE = 256
const READS_AT_ONCE = 8
const NAME = /^[\w.-]{1,64}$/

/**
 * Returns the objects of an `EncryptedBucket` on R2 or S3 as a source of a rotation. A page reads the first bytes of
 * each object. A rewrap of an inline object streams it through and writes it only if nobody replaced it meanwhile; an
 * object by reference does not change, because its data key is in the data-key store, which is a source of its own.
 *
 * @throws KmsError `ERR_KMS_CONFIG`, also for a bucket whose store cannot list
 *
 * @example
 * ```ts
 * import { EncryptedBucket, objectSource } from 'edge-kms/objects'
 *
 * export const filesOf = (bucket: EncryptedBucket) => objectSource({ bucket, name: 'files', prefix: 'acme/' })
 * ```
 */
export function objectSource(options: ObjectSourceOptions): ObjectSource {
  const { bucket, name = 'objects', prefix = '', ...others } = plainOptions(options)
  refuseOthers(others)
  const store = storeOf(bucket)
  if (store === undefined) throw wrongOption('bucket', 'an EncryptedBucket', bucket)
  if (store.list === undefined) throw configError("the bucket's store must have a method list()")
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw wrongOption('name', '1 to 64 letters, digits, `.`, `_` and `-`', name)
  }
  if (typeof prefix !== 'string') throw wrongOption('prefix', 'a string', prefix)
  return new BucketSource(bucket, store as ListingStore, name, prefix)
}

type ListingStore = ObjectStore & { readonly list: NonNullable<ObjectStore['list']> }

class BucketSource implements ObjectSource {
  readonly kind = 'objects'
  readonly name: string
  readonly #bucket: EncryptedBucket
  readonly #store: ListingStore
  readonly #prefix: string

  constructor(bucket: EncryptedBucket, store: ListingStore, name: string, prefix: string) {
    this.name = name
    this.#bucket = bucket
    this.#store = store
    this.#prefix = prefix
  }

  async page(
    cursor: string | undefined,
    limit: number,
    { signal }: SourceOptions,
  ): Promise<RecordPage> {
    if (!Number.isInteger(limit) || limit < 1 || limit > 1_000) {
      throw new RangeError('a page has 1 to 1000 records')
    }
    signal?.throwIfAborted()
    const listing = {
      prefix: this.#prefix,
      after: cursor,
      limit: Math.min(limit, MAX_PAGE),
      signal,
    }
    const { keys, more } = await this.#store.list(listing)
    const records: RotationRecord[] = []
    for (let at = 0; at < keys.length; at += READS_AT_ONCE) {
      const some = keys.slice(at, at + READS_AT_ONCE)
      const read = await Promise.all(some.map((key) => this.#record(key, signal)))
      records.push(...read.filter((record) => record !== undefined))
    }
    const last = keys.at(-1)
    return more && last !== undefined ? { records, cursor: last } : { records }
  }

  async rewrap(id: string, { verify, signal }: RewrapObjectCall): Promise<SwapOutcome> {
    signal?.throwIfAborted()
    try {
      return (await this.#bucket.rewrap(id, { verify, signal })) === null ? 'lost' : 'swapped'
    } catch (error) {
      if (isKmsError(error, 'ERR_STORE_CONFLICT')) return 'lost'
      throw error
    }
  }

  /** Returns `undefined` for an object that was deleted since the list was read. */
  async #record(key: string, signal: AbortSignal | undefined): Promise<RotationRecord | undefined> {
    // A key that no EncryptedBucket takes: a request for it could reach another object.
    if (!isObjectKey(key)) return { id: key, values: { [FIELD]: new Uint8Array(0) } }
    const start = await firstBytes(this.#store, key, signal)
    return start === undefined ? undefined : { id: key, values: { [FIELD]: start } }
  }
}

/** Most heads are short: only an object whose head goes on is read to 72 KiB. */
async function firstBytes(
  store: ObjectStore,
  key: string,
  signal: AbortSignal | undefined,
): Promise<Bytes | undefined> {
  const read = { key, signal }
  const found = await store.read(read, { start: 0, end: FIRST_BYTES })
  if (found.state !== 'found') return undefined
  const { object, content } = found
  if (object.size <= content.length || !isCutHead(content)) return content
  try {
    return concatBytes(content, await readPinned(store, read, object, FIRST_BYTES, MAX_HEAD_BYTES))
  } catch (error) {
    if (!isKmsError(error, 'ERR_STORE_CONFLICT')) throw error
    // Replaced between the two reads: whole in one.
    const again = await store.read(read, { start: 0, end: MAX_HEAD_BYTES })
    return again.state === 'found' ? again.content : undefined
  }
}

/** Whether bytes begin as an envelope does, and end before its head. */
function isCutHead(start: Bytes): boolean {
  try {
    EncryptedEnvelope.parse(start, { prefix: true })
    return false
  } catch (error) {
    return isKmsError(error, 'ERR_WIRE_MALFORMED')
  }
}
