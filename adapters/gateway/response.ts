/** On every answer: what passes here is secret or sealed, so nothing may store or sniff it. */
export const RESPONSE_HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
} as const

/** Returns an answer that went well. */
export function answer(body: BodyInit | null, contentType: string): Response {
  return new Response(body, { headers: { ...RESPONSE_HEADERS, 'content-type': contentType } })
}

/**
 * Returns an answer of bytes, plaintext or an envelope.
 *
 * @param bytes - the length of the body, if it is known
 */
export function bytesAnswer(
  body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer>,
  bytes: number | undefined,
): Response {
  const headers = { ...RESPONSE_HEADERS, 'content-type': 'application/octet-stream' }
  if (body instanceof ReadableStream) return sizedResponse(body, bytes, { headers })
  return new Response(body, { headers: { ...headers, 'content-length': String(body.length) } })
}

/** Returns a JSON document with a line end, so that a terminal shows it well. */
export function jsonAnswer(value: unknown): Response {
  return answer(`${JSON.stringify(value, undefined, 2)}\n`, 'application/json')
}

/** Of workerd: it ignores the header `Content-Length` of any other stream. */
type FixedLengthStreamClass = new (bytes: number) => TransformStream<Uint8Array, Uint8Array>

/**
 * Returns an answer that states the length of its stream, so that a client notices a cut in every
 * version of HTTP.
 *
 * @param bytes - `undefined` leaves the framing to the server
 */
export function sizedResponse(
  stream: ReadableStream<Uint8Array>,
  bytes: number | undefined,
  init: { readonly status?: number; readonly headers: HeadersInit },
): Response {
  if (bytes === undefined) return new Response(stream, init)
  const headers = new Headers(init.headers)
  headers.set('content-length', String(bytes))
  return new Response(fixed(stream, bytes), { ...init, headers })
}

function fixed(stream: ReadableStream<Uint8Array>, bytes: number): ReadableStream<Uint8Array> {
  const { FixedLengthStream } = globalThis as { FixedLengthStream?: FixedLengthStreamClass }
  if (FixedLengthStream === undefined) return stream
  const { readable, writable } = new FixedLengthStream(bytes)
  // A failure reaches the reader of the other end.
  stream.pipeTo(writable).catch(() => undefined)
  return readable
}
