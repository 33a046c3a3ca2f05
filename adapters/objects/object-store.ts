import type { Bytes } from '../../src/bytes/index.ts'

/** One version of an object, as the store describes it. Nothing of it is authentic. */
export interface StoredObject {
  /** Without quotes. */
  readonly etag: string
  /** Bytes that are stored: the length of the envelope. */
  readonly size: number
  /** Names this version, if the store has versions. */
  readonly version?: string | undefined
  readonly uploaded?: Date | undefined
  /** Returns a custom metadata entry by its name in lower case. */
  metadata(name: string): string | undefined
}

/** Answer to a read: what was found, a condition that does not hold, or no object. */
export type Found<T> =
  | { readonly state: 'found'; readonly object: StoredObject; readonly content: T }
  | { readonly state: 'unmet'; readonly etag?: string | undefined }
  | { readonly state: 'missing' }

/** Conditions on the ETag that an object has, without quotes: at least one. A condition that is `undefined` is refused. */
export interface ObjectCondition {
  readonly etagMatches?: string | undefined
  /** `*` stands for any object. */
  readonly etagDoesNotMatch?: string | undefined
}

/** Bytes `start` (inclusive) to `end` (exclusive) of what is stored. */
export interface ByteSpan {
  readonly start: number
  readonly end: number
}

/** One read. */
export interface ObjectRead {
  readonly key: string
  readonly onlyIf?: ObjectCondition | undefined
  readonly signal?: AbortSignal | undefined
}

/** One write. */
export interface ObjectWrite extends ObjectRead {
  /** Names in lower case. */
  readonly metadata: Readonly<Record<string, string>>
}

/** The store's answer to a write. */
export interface WrittenObject {
  readonly etag: string
  readonly version?: string | undefined
  readonly uploaded?: Date | undefined
  /** Bytes that are stored, if the answer has that number. */
  readonly size?: number | undefined
}

/** One part of an upload, stored. */
export interface UploadedPart {
  readonly partNumber: number
  readonly etag: string
}

/** An upload in parts. Nobody sees the object before `complete` has succeeded. */
export interface PartUpload {
  /** Stores a part. Parts have one length, the last may be shorter; they may arrive at the same time. */
  put(partNumber: number, bytes: Bytes, signal: AbortSignal): Promise<UploadedPart>
  /** Makes the object of its parts, in order; `undefined` if the write's condition does not hold. */
  complete(parts: readonly UploadedPart[]): Promise<WrittenObject | undefined>
  /** Drops the parts; succeeds if they are gone. */
  abort(): Promise<void>
}

/** Returns the next bytes, `undefined` at the end. */
export type NextBytes = () => Promise<Bytes | undefined>

/** Writes an object of known length without holding it. */
export interface StreamPut {
  /** The longest object, bytes. */
  readonly maxBytes: number
  /** Writes exactly `size` bytes; `undefined` if the condition does not hold. */
  put(write: ObjectWrite, size: number, next: NextBytes): Promise<WrittenObject | undefined>
}

/** A question for one page of keys. */
export interface ObjectListing {
  /** Only keys that begin with it. */
  readonly prefix: string
  /** The last key of the page before. */
  readonly after?: string | undefined
  /** 1 to 1,000. */
  readonly limit: number
  readonly signal?: AbortSignal | undefined
}

/** One page of keys, in the store's order, which is stable. */
export interface ObjectPage {
  readonly keys: readonly string[]
  /** Whether keys follow. */
  readonly more: boolean
}

/**
 * The operations that `EncryptedBucket` needs of an object store. `r2Bucket` and `s3Bucket` implement it.
 *
 * Every call is bounded in time and fails with a `KmsError`: `ERR_STORE_UNAVAILABLE`, or `ERR_KMS_CONFIG` if the bucket
 * or its options are wrong.
 */
export interface ObjectStore {
  /** Name of the store in errors. */
  readonly provider: string
  /** Whether `onlyIf` of a write also holds for an upload in parts. */
  readonly conditionalUploads: boolean
  /** Reads a span into memory. It is cut at the end of the object; past the end it is empty. */
  read(read: ObjectRead, span: ByteSpan): Promise<Found<Bytes>>
  /** Opens the whole object as a stream; all of it is one version. */
  open(read: ObjectRead): Promise<Found<ReadableStream<Uint8Array>>>
  /** Writes an object from memory; `undefined` if the condition does not hold. */
  put(write: ObjectWrite, bytes: Bytes): Promise<WrittenObject | undefined>
  /** Absent if the platform cannot do that. */
  readonly streamPut?: StreamPut | undefined
  startUpload(write: ObjectWrite): Promise<PartUpload>
  /** Lists keys, for `objectSource`. Absent if the store cannot do that. */
  readonly list?: ((listing: ObjectListing) => Promise<ObjectPage>) | undefined
  /** Deletes exactly this version of an object; leaves any other. */
  discard(key: string, written: Pick<WrittenObject, 'etag' | 'version'>): Promise<void>
}
