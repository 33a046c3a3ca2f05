import { fromKmsResult } from 'edge-kms'
import { parseRange } from './range.ts'

type FilesBinding = Env['FILES']

/** Writes a file. The vault must know its length: a body that is cut off is then never stored. */
export async function putFile(
  files: FilesBinding,
  key: string,
  request: Request,
): Promise<Response> {
  const { body, headers } = request
  const length = headers.get('content-length')
  if (body === null || length === null) return new Response(null, { status: 411 })
  const type = headers.get('content-type') ?? 'application/octet-stream'
  fromKmsResult(await files.put(key, body, { plaintextBytes: Number(length), type }))
  return new Response(null, { status: 201 })
}

/** Answers with a file, or with 206 and the part that the `Range` header names. */
export async function getFile(
  files: FilesBinding,
  key: string,
  request: Request,
): Promise<Response> {
  const range = parseRange(request.headers.get('range'))
  const found = fromKmsResult(await files.get(key, range))
  if (found === null) return new Response('not found', { status: 404 })
  if (found === 'outside') return new Response('the range is not in the file', { status: 416 })
  const { body, offset, length, size, type } = found
  const headers = new Headers({ 'content-type': type, 'accept-ranges': 'bytes' })
  if (range !== undefined) {
    headers.set('content-range', `bytes ${offset}-${offset + length - 1}/${size}`)
  }
  return new Response(ofLength(body, length), { status: range === undefined ? 200 : 206, headers })
}

/** A stream from RPC has no length, and without one a client cannot tell a short body from a whole one. */
function ofLength(body: ReadableStream<Uint8Array>, length: number): ReadableStream<Uint8Array> {
  const fixed = new FixedLengthStream(length)
  void body.pipeTo(fixed.writable).catch(() => undefined) // the reader of the other end gets the error
  return fixed.readable
}
