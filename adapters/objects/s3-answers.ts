import type { HttpResponse } from '../../src/http/index.ts'
import { isEtag } from './etag.ts'
import type { ByteSpan, StoredObject, WrittenObject } from './object-store.ts'

/** A server that ignores the range, or answers another one, must not make offsets lie. */
const CONTENT_RANGE = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16})$/

/**
 * Returns what a ranged GetObject says of the object.
 *
 * @throws what `wrong` returns, for an answer that does not fit the span
 */
export function objectOf(
  answer: HttpResponse,
  span: ByteSpan,
  wrong: (message: string) => Error,
): StoredObject {
  const { headers } = answer
  const uploaded = Date.parse(headers.get('last-modified') ?? '')
  return {
    ...writtenOf(answer, () => wrong('the answer has no ETag')),
    size: sizeOf(answer, span, wrong),
    uploaded: Number.isNaN(uploaded) ? undefined : new Date(uploaded),
    metadata: (name) => headers.get(`x-amz-meta-${name}`) ?? undefined,
  }
}

/**
 * Returns what the answer to a write, or a read, says of the version.
 *
 * @throws what `wrong` returns, for an answer without an ETag
 */
export function writtenOf({ headers }: HttpResponse, wrong: () => Error): WrittenObject {
  const etag = /^"(.*)"$/.exec(headers.get('etag') ?? '')?.[1]
  if (!isEtag(etag)) throw wrong()
  return { etag, version: headers.get('x-amz-version-id') ?? undefined }
}

function sizeOf(
  { status, headers, body }: HttpResponse,
  { start, end }: ByteSpan,
  wrong: (message: string) => Error,
): number {
  const range = headers.get('content-range') ?? ''
  // The whole object, where it is not longer than the span.
  if (status === 200 && start === 0 && body.length <= end) return body.length
  const [first, last, size] = (CONTENT_RANGE.exec(range) ?? []).slice(1).map(Number)
  const isRange = status === 206 && first === start && size !== undefined
  if (isRange && last === Math.min(end, size) - 1 && body.length === last - start + 1) return size
  throw wrong('the answer is not the range that was asked for')
}
