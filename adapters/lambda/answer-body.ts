import { concatBytes, encodeBase64, encodeUtf8 } from '../../src/bytes/index.ts'
import { untilAborted } from '../../src/runtime/index.ts'

/** What a streamed answer may have as its body. */
export type AnswerBody = ReadableStream<Uint8Array> | Uint8Array | string

/** Reads a body piece by piece, never an empty one, until its end or the signal's abort. */
export async function* piecesOf(
  body: AnswerBody | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array | string, void> {
  if (!(body instanceof ReadableStream)) {
    if (body !== undefined && body.length > 0) yield body
    return
  }
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await untilAborted(reader.read(), signal)
      if (done) return
      if (value.length > 0) yield value
    }
  } finally {
    // After the end this does nothing. Else the source hears that nobody reads on.
    reader.cancel().catch(() => undefined)
  }
}

/** Returns a whole body in base64. */
export async function base64Of(
  body: AnswerBody | undefined,
  signal: AbortSignal | undefined,
): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of piecesOf(body, signal)) {
    pieces.push(typeof piece === 'string' ? encodeUtf8(piece) : piece)
  }
  return encodeBase64(concatBytes(...pieces))
}
