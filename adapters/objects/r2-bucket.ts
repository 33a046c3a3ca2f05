import type { Bytes } from '../../src/bytes/index.ts'
import { checkBinding } from '../../src/stores/index.ts'
import { BoundedCalls, type ObjectCallOptions } from './bounded-calls.ts'
import type {
  ByteSpan,
  Found,
  ObjectRead,
  ObjectStore,
  ObjectWrite,
  PartUpload,
  StoredObject,
  StreamPut,
  WrittenObject,
} from './object-store.ts'
import type { R2BodyBinding, R2BucketBinding, R2ObjectBinding } from './r2-binding.ts'
import { r2List } from './r2-list.ts'
import { r2StreamPut } from './r2-stream-put.ts'
import { R2Upload } from './r2-upload.ts'
import { r2Condition, r2Options, r2Work } from './r2-work.ts'

/** Options of {@link r2Bucket}. */
export type R2BucketOptions = ObjectCallOptions

/**
 * Returns an R2 binding as the store of an `EncryptedBucket`.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function r2Bucket(binding: R2BucketBinding, options: R2BucketOptions = {}): ObjectStore {
  checkBinding('binding', binding, 'createMultipartUpload')
  return new R2Store(binding, new BoundedCalls('r2', options))
}

class R2Store implements ObjectStore {
  readonly provider = 'r2'
  /** R2 completes an upload in parts whatever is there. */
  readonly conditionalUploads = false
  readonly streamPut: StreamPut | undefined
  readonly list: ObjectStore['list']
  readonly #binding: R2BucketBinding
  readonly #calls: BoundedCalls

  constructor(binding: R2BucketBinding, calls: BoundedCalls) {
    this.#binding = binding
    this.#calls = calls
    this.streamPut = r2StreamPut(binding, calls)
    this.list = r2List(binding, calls)
  }

  read({ key, onlyIf, signal }: ObjectRead, { start, end }: ByteSpan): Promise<Found<Bytes>> {
    const range = { offset: start, length: end - start }
    return this.#calls.repeated('get', signal, () =>
      r2Work(async () => {
        const found = await this.#get(key, { range, ...r2Condition(onlyIf) })
        if (found === null) return { state: 'missing' }
        if (!('body' in found)) return { state: 'unmet', etag: found.etag }
        const content = new Uint8Array(await found.arrayBuffer())
        return { state: 'found', object: storedObject(found), content }
      }),
    )
  }

  async open({ key, onlyIf, signal }: ObjectRead): Promise<Found<ReadableStream<Uint8Array>>> {
    const found = await this.#calls.repeated('get', signal, () =>
      r2Work(() => this.#binding.get(key, r2Condition(onlyIf))),
    )
    if (found === null) return { state: 'missing' }
    if (!('body' in found)) return { state: 'unmet', etag: found.etag }
    const content = this.#calls.stream(found.body as ReadableStream<Uint8Array>, signal)
    return { state: 'found', object: storedObject(found), content }
  }

  async put(write: ObjectWrite, bytes: Bytes): Promise<WrittenObject | undefined> {
    const { key, onlyIf, signal } = write
    const options = { ...r2Options(write), ...r2Condition(onlyIf) }
    const written = await this.#calls.repeated('put', signal, () =>
      r2Work(() => this.#binding.put(key, bytes, options)),
    )
    return written ?? undefined
  }

  async startUpload(write: ObjectWrite): Promise<PartUpload> {
    const upload = await this.#calls.once('createMultipartUpload', write.signal, () =>
      r2Work(() => this.#binding.createMultipartUpload(write.key, r2Options(write))),
    )
    return new R2Upload(upload, this.#calls)
  }

  async discard(key: string, { version }: Pick<WrittenObject, 'version'>): Promise<void> {
    await this.#calls.once('delete', undefined, () =>
      r2Work(async () => {
        // R2 has no conditional delete: another write between the two would be lost with ours.
        const held = await this.#binding.head(key)
        if (held?.version === version) await this.#binding.delete(key)
      }),
    )
  }

  /** R2 refuses every range of an empty object as an unspecified error. */
  async #get(
    key: string,
    options: { range: { offset: number; length: number } },
  ): Promise<R2ObjectBinding | R2BodyBinding | null> {
    try {
      return await this.#binding.get(key, options)
    } catch (error) {
      const held = await this.#binding.head(key)
      if (held?.size !== 0) throw error
      const { range: _, ...rest } = options
      return this.#binding.get(key, rest)
    }
  }
}

function storedObject(found: R2ObjectBinding): StoredObject {
  const { etag, size, version, uploaded, customMetadata = {} } = found
  return {
    ...{ etag, size, version, uploaded },
    metadata: (name) => (Object.hasOwn(customMetadata, name) ? customMetadata[name] : undefined),
  }
}
