import type { Bytes } from '../../src/bytes/index.ts'
import { isEtag } from './etag.ts'
import type { PartUpload, UploadedPart, WrittenObject } from './object-store.ts'
import { writtenOf } from './s3-answers.ts'
import type { S3Client } from './s3-client.ts'
import { completeBody, elementOf, isErrorBody } from './s3-xml.ts'

/** The options of an upload in parts. */
export interface S3UploadFacts {
  readonly key: string
  readonly uploadId: string
  /** Headers of the condition, for the request that makes the object. */
  readonly condition: Readonly<Record<string, string>>
}

/** An upload in parts over S3's API. */
export class S3Upload implements PartUpload {
  readonly #client: S3Client
  readonly #facts: S3UploadFacts

  constructor(client: S3Client, facts: S3UploadFacts) {
    this.#client = client
    this.#facts = facts
  }

  async put(partNumber: number, body: Bytes, signal: AbortSignal): Promise<UploadedPart> {
    const { key, uploadId } = this.#facts
    const operation = 'UploadPart'
    const answer = await this.#client.send({
      ...{ operation, method: 'PUT', key, body, signal },
      query: { partNumber: String(partNumber), uploadId },
    })
    const wrong = (): Error => this.#client.calls.wrongAnswer(operation, 'the answer has no ETag')
    return { partNumber, etag: writtenOf(answer, wrong).etag }
  }

  /** Sent only once, because the upload no longer exists after a lost answer. */
  async complete(parts: readonly UploadedPart[]): Promise<WrittenObject | undefined> {
    const { key, uploadId, condition } = this.#facts
    const operation = 'CompleteMultipartUpload'
    const { status, body, headers } = await this.#client.sendOnce({
      ...{ operation, method: 'POST', key, body: completeBody(parts), answers: [412] },
      query: { uploadId },
      headers: { ...condition, 'content-type': 'application/xml' },
      ...('if-match' in condition && { hopesFor: 'NoSuchKey' }),
    })
    if (status === 412 || status === 404) return undefined
    // S3 answers 200 before it knows the result, and reports a failure in the body.
    const etag = elementOf(body, 'ETag')?.replaceAll('"', '')
    if (!isEtag(etag) || isErrorBody(body)) {
      throw this.#client.calls.wrongAnswer(operation, 'the answer holds an error, or no ETag')
    }
    return { etag, version: headers.get('x-amz-version-id') ?? undefined }
  }

  async abort(): Promise<void> {
    const { key, uploadId } = this.#facts
    await this.#client.send({
      ...{ operation: 'AbortMultipartUpload', method: 'DELETE', key, query: { uploadId } },
      answers: [204],
      hopesFor: 'NoSuchUpload',
    })
  }
}
