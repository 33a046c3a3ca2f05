/** What is asked of a body at once, and the least of it that is worth a turn of the cipher. */
const READ_BYTES = 262_144
const LEAST_BYTES = 65_536

/**
 * A body through a transform. Not `pipeThrough`: on Workers it reads 4 KiB at a time, which makes
 * it four times as slow, and it holds on to memory for each read until the request ends.
 *
 * @param options - `keepsPieces`: the transform passes on what it is given, so that no buffer may
 * be used again
 */
export function throughTransform(
  body: ReadableStream<Uint8Array> | null,
  transform: TransformStream<Uint8Array, Uint8Array>,
  options: { readonly keepsPieces: boolean },
): ReadableStream<Uint8Array> {
  const pieces = readerOf(body ?? empty(), options.keepsPieces)
  void pump(pieces, transform.writable.getWriter())
  return transform.readable
}

/** Never rejects: a failure of either side reaches the other, and the reader of the transform. */
async function pump(
  pieces: PieceReader,
  writer: WritableStreamDefaultWriter<Uint8Array>,
): Promise<void> {
  // The other side may fail, or be given up, while a slow client is waited for.
  writer.closed.catch((error: unknown) => pieces.cancel(error).catch(() => undefined))
  try {
    for (;;) {
      await writer.ready // back-pressure: nothing is read that nobody asks for
      const { done, value } = await pieces.read()
      if (value !== undefined && value.length > 0) await writer.write(value)
      if (done) break
    }
    await writer.close()
  } catch (error) {
    await Promise.allSettled([writer.abort(error), pieces.cancel(error)])
  }
}

/**
 * Reads the first piece before there is an answer: what fails until then rejects, and can still be
 * a clean problem. What fails later errors the stream, and that must break the connection.
 *
 * @param onBroken - called when the stream fails after its first piece
 */
export async function begun(
  source: ReadableStream<Uint8Array>,
  onBroken: (error: unknown) => void,
): Promise<ReadableStream<Uint8Array>> {
  const reader = source.getReader()
  let first: ReadableStreamReadResult<Uint8Array> | undefined = await reader.read()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller): Promise<void> {
        try {
          const { done, value } = first ?? (await reader.read())
          first = undefined
          if (done) controller.close()
          else controller.enqueue(value)
        } catch (error) {
          onBroken(error)
          throw error // errors this stream
        }
      },
      async cancel(reason): Promise<void> {
        await reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}

/** At most this many bytes of the beginning of a body; the rest is never read. */
export async function readPrefix(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const prefix = new Uint8Array(maxBytes)
  const pieces = readerOf(body ?? empty(), false)
  let held = 0
  while (held < maxBytes) {
    const { done, value } = await pieces.read()
    const part = value?.subarray(0, maxBytes - held)
    if (part !== undefined) prefix.set(part, held)
    held += part?.length ?? 0
    if (done) return prefix.subarray(0, held)
  }
  await pieces.cancel(undefined)
  return prefix
}

/** One reader's two verbs. The last piece may come together with `done`. */
interface PieceReader {
  read(): Promise<ReadableStreamReadResult<Uint8Array>>
  cancel(reason: unknown): Promise<void>
}

function readerOf(body: ReadableStream<Uint8Array>, fresh: boolean): PieceReader {
  const reader = byteReaderOf(body)
  if (reader === undefined) return body.getReader()
  let buffer = new ArrayBuffer(READ_BYTES)
  return {
    async read() {
      const result = await reader.read(new Uint8Array(buffer), { min: LEAST_BYTES })
      // One buffer goes back and forth where a piece is used up before the next is asked for.
      const used = fresh ? undefined : result.value?.buffer
      buffer = used ?? new ArrayBuffer(READ_BYTES)
      return result
    },
    cancel: (reason) => reader.cancel(reason),
  }
}

/** `undefined` where the stream was not made of bytes, as some servers' bodies are not. */
function byteReaderOf(body: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  try {
    return body.getReader({ mode: 'byob' })
  } catch {
    return undefined
  }
}

function empty(): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start(controller): void {
      controller.close()
    },
  })
}
