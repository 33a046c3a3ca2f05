import type { Bytes } from '../../src/bytes/index.ts'
import { KmsError } from '../../src/errors.ts'
import type { HttpResponse } from '../../src/http/index.ts'
import type {
  ByteSpan,
  Found,
  ObjectCondition,
  ObjectListing,
  ObjectPage,
  ObjectRead,
  ObjectStore,
  ObjectWrite,
  PartUpload,
  StoredObject,
  WrittenObject,
} from './object-store.ts'
import { objectOf, writtenOf } from './s3-answers.ts'
import { S3_READ_BYTES, type S3BucketOptions, S3Client } from './s3-client.ts'
import { listS3 } from './s3-list.ts'
import { S3Upload } from './s3-upload.ts'
import { elementOf } from './s3-xml.ts'

/**
 * Returns a bucket behind S3's API as the store of an `EncryptedBucket`: AWS's, R2's, MinIO's.
 *
 * Requests are signed by aws4fetch. Each upload request has its bytes in memory, so that it states its Content-Length
 * and can be sent again.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function s3Bucket(options: S3BucketOptions): ObjectStore {
  return new S3Store(new S3Client(options))
}

const EMPTY: StoredObject = { etag: '', size: 0, metadata: () => undefined }

class S3Store implements ObjectStore {
  readonly provider = 's3'
  readonly conditionalUploads = true
  readonly #client: S3Client

  constructor(client: S3Client) {
    this.#client = client
  }

  async read({ key, onlyIf, signal }: ObjectRead, span: ByteSpan): Promise<Found<Bytes>> {
    const answer = await this.#client.send({
      operation: 'GetObject',
      method: 'GET',
      key,
      headers: { range: rangeOf(span), ...conditionHeaders(onlyIf) },
      answers: [206, 304, 412, 416],
      hopesFor: 'NoSuchKey',
      signal,
    })
    const { status, headers, body } = answer
    if (status === 404) return { state: 'missing' }
    if (status === 304 || status === 412) {
      return { state: 'unmet', etag: headers.get('etag')?.replaceAll('"', '') }
    }
    // No range of an empty object exists, and S3 then says nothing else about it.
    if (status === 416 && span.start === 0)
      return { state: 'found', object: EMPTY, content: body.slice(0, 0) }
    const object = objectOf(answer, span, (message) =>
      this.#client.calls.wrongAnswer('GetObject', message),
    )
    return { state: 'found', object, content: body }
  }

  async open(read: ObjectRead): Promise<Found<ReadableStream<Uint8Array>>> {
    const first = await this.read(read, { start: 0, end: S3_READ_BYTES })
    if (first.state !== 'found') return first
    const { object } = first
    const pinned = { ...read, onlyIf: { etagMatches: object.etag } }
    let at = 0
    let piece: Bytes | undefined = first.content
    const content = new ReadableStream<Uint8Array>(
      {
        pull: async (to) => {
          piece ??= await this.#next(pinned, at, object.size)
          at += piece.length
          if (piece.length > 0) to.enqueue(piece)
          piece = undefined
          if (at >= object.size) to.close()
        },
      },
      { highWaterMark: 0 },
    )
    return { state: 'found', object, content }
  }

  async put(write: ObjectWrite, body: Bytes): Promise<WrittenObject | undefined> {
    const { key, onlyIf, signal } = write
    const answer = await this.#client.send({
      operation: 'PutObject',
      method: 'PUT',
      key,
      headers: { ...writeHeaders(write), ...conditionHeaders(writeCondition(onlyIf)) },
      body,
      answers: [412],
      ...(onlyIf?.etagMatches !== undefined && { hopesFor: 'NoSuchKey' }),
      signal,
    })
    return this.#written('PutObject', answer)
  }

  async startUpload(write: ObjectWrite): Promise<PartUpload> {
    const { key, onlyIf, signal } = write
    const condition = conditionHeaders(writeCondition(onlyIf))
    const { body } = await this.#client.send({
      operation: 'CreateMultipartUpload',
      method: 'POST',
      key,
      query: { uploads: '' },
      headers: writeHeaders(write),
      signal,
    })
    const uploadId = elementOf(body, 'UploadId')
    if (uploadId === undefined || uploadId === '') {
      throw this.#client.calls.wrongAnswer('CreateMultipartUpload', 'the answer has no UploadId')
    }
    return new S3Upload(this.#client, { key, uploadId, condition })
  }

  list(listing: ObjectListing): Promise<ObjectPage> {
    return listS3(this.#client, listing)
  }

  async discard(key: string, { etag, version }: WrittenObject): Promise<void> {
    await this.#client.send({
      operation: 'DeleteObject',
      method: 'DELETE',
      key,
      ...(version !== undefined && { query: { versionId: version } }),
      headers: { 'if-match': `"${etag}"` },
      answers: [204, 412],
      hopesFor: 'NoSuchKey',
    })
  }

  async #next(read: ObjectRead, start: number, size: number): Promise<Bytes> {
    const end = Math.min(start + S3_READ_BYTES, size)
    const found = await this.read(read, { start, end })
    if (found.state === 'found' && found.content.length === end - start) return found.content
    const facts = { provider: this.provider, operation: 'GetObject', retryable: true }
    throw new KmsError('ERR_STORE_CONFLICT', {
      ...facts,
      message: 'the object changed while it was read',
    })
  }

  #written(operation: string, answer: HttpResponse): WrittenObject | undefined {
    if (answer.status === 412 || answer.status === 404) return undefined
    return writtenOf(answer, () =>
      this.#client.calls.wrongAnswer(operation, 'the answer has no ETag'),
    )
  }
}

function rangeOf({ start, end }: ByteSpan): string {
  return `bytes=${String(start)}-${String(end - 1)}`
}

function writeHeaders({ metadata }: ObjectWrite): Record<string, string> {
  const entries = Object.entries(metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])
  return {
    'content-type': 'application/octet-stream',
    ...(Object.fromEntries(entries) as Record<string, string>),
  }
}

/** @throws KmsError `ERR_KMS_UNSUPPORTED`: S3 writes only if the object does not exist, or if it has this ETag */
function writeCondition(onlyIf: ObjectCondition | undefined): ObjectCondition | undefined {
  const absent = onlyIf?.etagDoesNotMatch
  if (absent === undefined || absent === '*') return onlyIf
  throw new KmsError('ERR_KMS_UNSUPPORTED', {
    provider: 's3',
    message: 'S3 writes only if etagDoesNotMatch is *',
  })
}

function conditionHeaders(onlyIf: ObjectCondition | undefined): Record<string, string> {
  const { etagMatches, etagDoesNotMatch: absent } = onlyIf ?? {}
  return {
    ...(etagMatches !== undefined && { 'if-match': `"${etagMatches}"` }),
    ...(absent !== undefined && { 'if-none-match': absent === '*' ? '*' : `"${absent}"` }),
  }
}
