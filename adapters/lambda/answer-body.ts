import { concatBytes, encodeBase64, encodeUtf8 } from '../../src/bytes/index.ts'
import { untilAborted } from '../../src/runtime/index.ts'

/** The bodies that a streamed answer may have. */
export type AnswerBody =
  ReadableStream<Uint8Array> | AsyncIterable<Uint8Array | string> | Uint8Array | string

/** Reads a body piece by piece, never an empty one, until its end or the signal's abort. */
export async function* piecesOf(
  body: AnswerBody | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array | string, void> {
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
    if (body !== undefined && body.length > 0) yield body
    return
  }
  const { read, stop } = sourceOf(body)
  try {
    for (;;) {
      const { done, value } = await untilAborted(read(), signal)
      if (done === true) return
      if (value.length > 0) yield value
    }
  } finally {
    // After the end this does nothing. Else the source hears that nobody reads on; it may take its time.
    stop().catch(() => undefined)
  }
}

interface Source {
  readonly read: () => Promise<
    | { readonly done?: false; readonly value: Uint8Array | string }
    | { readonly done: true; readonly value?: unknown }
  >
  readonly stop: () => Promise<unknown>
}

function sourceOf(body: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array | string>): Source {
  if (body instanceof ReadableStream) {
    const reader = body.getReader()
    return { read: () => reader.read(), stop: () => reader.cancel() }
  }
  const iterator = body[Symbol.asyncIterator]()
  return { read: () => iterator.next(), stop: async () => iterator.return?.() }
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
