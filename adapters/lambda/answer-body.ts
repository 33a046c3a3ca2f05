import { concatBytes, encodeBase64, encodeUtf8 } from '../../src/bytes/index.ts'
import { wrongOption } from '../../src/checks/index.ts'
import { untilAborted } from '../../src/runtime/index.ts'

/** The bodies that a streamed answer may have. */
export type AnswerBody =
  ReadableStream<Uint8Array> | AsyncIterable<Uint8Array | string> | Uint8Array | string

/**
 * Reads a body piece by piece, never an empty one, until its end or the signal's abort.
 *
 * @throws KmsError `ERR_KMS_CONFIG` for any other body, and for a piece that is neither bytes nor text
 */
export async function* piecesOf(
  body: AnswerBody | null | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array | string, void> {
  if (body === undefined || body === null) return
  if (isPiece(body)) {
    if (body.length > 0) yield body
    return
  }
  const { read, stop } = sourceOf(body)
  try {
    for (;;) {
      const { done, value } = await untilAborted(read(), signal)
      if (done === true) return
      // Left out, the answer would end cleanly and be shorter.
      if (!isPiece(value)) throw wrongOption('each piece of body', 'a Uint8Array or text', value)
      if (value.length > 0) yield value
    }
  } finally {
    // After the end this does nothing. Else the source hears that nobody reads on; it may take its time.
    stop().catch(() => undefined)
  }
}

function isPiece(value: unknown): value is Uint8Array | string {
  return typeof value === 'string' || value instanceof Uint8Array
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
  const begin: unknown = Reflect.get(Object(body) as object, Symbol.asyncIterator)
  if (typeof begin !== 'function')
    throw wrongOption('body', 'a ReadableStream, an async iterable, bytes or text', body)
  const iterator = body[Symbol.asyncIterator]()
  return { read: () => iterator.next(), stop: async () => iterator.return?.() }
}

/** Returns a whole body in base64. */
export async function base64Of(
  body: AnswerBody | null | undefined,
  signal: AbortSignal | undefined,
): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of piecesOf(body, signal)) {
    pieces.push(typeof piece === 'string' ? encodeUtf8(piece) : piece)
  }
  return encodeBase64(concatBytes(...pieces))
}
