import {
  EncryptedBucket,
  type EncryptedBucketOptions,
  type ObjectStore,
} from '../../../adapters/objects/index.ts'
import { EnvelopeCipher, isKmsError, type KmsErrorCode } from '../../../src/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'

/** A bucket that others run, seen past the library too. */
export interface ObjectWorld {
  readonly store: ObjectStore
  /** Whether an upload in parts honours a condition when it is completed: moto ignores If-Match there. */
  readonly swapsUploads: boolean
  readRaw(key: string): Promise<RawObject | undefined>
  writeRaw(key: string, object: RawObject): Promise<void>
  /** Uploads in parts that were begun and neither completed nor aborted. */
  pendingUploads(): Promise<number>
}

/** An object as the bucket holds it. */
export interface RawObject {
  readonly bytes: Uint8Array
  readonly metadata: Readonly<Record<string, string>>
}

/** One case: it throws if it does not hold. */
export interface ObjectCase {
  readonly name: string
  run(world: ObjectWorld, key: string): Promise<void>
}

export const MIB = 1_048_576
/** The shortest part that R2 and S3 take. */
export const PART = 5 * MIB

const keyBytes = (seed: number): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_, at) => (at * 29 + seed * 7) % 256)

/** A cipher whose local key has the number of ours and other bytes. */
export function strangerCipher(): EnvelopeCipher {
  const kms = createLocalKms({ versions: [{ version: 1, key: keyBytes(99) }] })
  return new EnvelopeCipher({ kms })
}

/** A cipher over the versions of one local key. */
export function cipherOf(...versions: readonly number[]): EnvelopeCipher {
  return new EnvelopeCipher({ kms: localOf(...versions) })
}

export function localOf(...versions: readonly number[]): ReturnType<typeof createLocalKms> {
  return createLocalKms({
    versions: versions.map((version) => ({ version, key: keyBytes(version) })),
  })
}

const shared = cipherOf(1)

/** A bucket with the shortest parts. */
export function bucketOf(
  { store }: Pick<ObjectWorld, 'store'>,
  options: Partial<EncryptedBucketOptions> = {},
): EncryptedBucket {
  return new EncryptedBucket({
    bucket: store,
    cipher: shared,
    contextOf: (key) => ({ tenant: key.split('/')[0] ?? '' }),
    partBytes: PART,
    ...options,
  })
}

/** Bytes that no two chunks share. */
export function plaintextOf(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += 1_021) bytes[at] = (at * 7) % 251
  if (length > 0) bytes[length - 1] = 9
  return bytes
}

/** A stream of unknown length; after `failsAfter` bytes it errors. */
export function streamOf(bytes: Uint8Array, failsAfter = Infinity): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream<Uint8Array>({
    pull(to) {
      if (at >= failsAfter) to.error(new Error('the source broke'))
      else if (at >= bytes.length) to.close()
      else to.enqueue(bytes.slice(at, (at = Math.min(at + 65_536, failsAfter, bytes.length))))
    },
  })
}

/** The same store with some methods replaced. */
export function storeWith(store: ObjectStore, changes: Partial<ObjectStore>): ObjectStore {
  return {
    provider: store.provider,
    conditionalUploads: store.conditionalUploads,
    streamPut: store.streamPut,
    read: (read, span) => store.read(read, span),
    open: (read) => store.open(read),
    put: (write, bytes) => store.put(write, bytes),
    startUpload: (write) => store.startUpload(write),
    discard: (key, written) => store.discard(key, written),
    list: store.list?.bind(store),
    ...changes,
  }
}

export function demand(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}

export function demandEqual(got: unknown, expected: unknown, what = 'value'): void {
  const [a, b] = [JSON.stringify(got), JSON.stringify(expected)]
  demand(a === b, `${what}: expected ${b}, got ${a}`)
}

export function demandBytes(got: Uint8Array, expected: Uint8Array): void {
  demandEqual(got.length, expected.length, 'length')
  for (let at = 0; at < got.length; at += 1) {
    if (got[at] !== expected[at]) throw new Error(`byte ${String(at)} differs`)
  }
}

/** Returns what the work throws, which must be a `KmsError` with this code. */
export async function demandCode(work: Promise<unknown>, code: KmsErrorCode): Promise<void> {
  const error = await failureOf(work)
  demand(isKmsError(error, code), `expected ${code}, got ${String(error)}`)
}

/** Returns what the work throws; it must throw. */
export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work
  } catch (error) {
    return error
  }
  throw new Error('it did not fail')
}

export async function demandError(work: Promise<unknown>, about: string): Promise<void> {
  const error = await failureOf(work)
  demand(String(error).includes(about), `expected "${about}", got ${String(error)}`)
}

/** Reads an object whole; it must be there. */
export async function readAll(bucket: EncryptedBucket, key: string): Promise<Uint8Array> {
  const found = await bucket.get(key)
  if (found === null) throw new Error('there is no object')
  return found.bytes()
}
