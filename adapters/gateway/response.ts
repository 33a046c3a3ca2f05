/** On every answer: what passes here is secret or sealed, so nothing may store or sniff it. */
export const RESPONSE_HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
} as const

/** An answer that went well. */
export function answer(body: BodyInit | null, contentType: string): Response {
  return new Response(body, { headers: { ...RESPONSE_HEADERS, 'content-type': contentType } })
}

/** Bytes: plaintext or an envelope. */
export function bytesAnswer(body: ReadableStream<Uint8Array>): Response {
  return answer(body, 'application/octet-stream')
}

/** A JSON document with a line end, so that a terminal shows it well. */
export function jsonAnswer(value: unknown): Response {
  return answer(`${JSON.stringify(value, undefined, 2)}\n`, 'application/json')
}
