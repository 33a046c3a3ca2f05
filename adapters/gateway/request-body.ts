/** What is asked of a body at once. Less may come: a least number would fail at the end of some. */
const READ_BYTES = 262_144
/** A client that has sent nothing for so long waits for the answer's end. */
const IDLE_MS = 250
/** What is read in vain, at most, for a client that sends on whatever it is told. */
const MAX_DISCARDED_BYTES = 67_108_864

/** The body of a request: through a transform, its beginning, or read in vain. */
export class RequestBody {
  readonly #stream: ReadableStream<Uint8Array> | null
  #pieces: PieceReader | undefined

  constructor(request: Request) {
    this.#stream = request.body
  }

  /**
   * The body through a transform. Not `pipeThrough`: on Workers it reads 4 KiB at a time, which
   * makes it four times as slow, and it holds on to memory for each read until the request ends.
   * If the transform fails, the rest of the body is left alone: discard or cancel it.
   *
   * @param options - `keepsPieces`: the transform passes on what it is given, so that no buffer may
   * be used again
   */
  through(
    transform: TransformStream<Uint8Array, Uint8Array>,
    options: { readonly keepsPieces: boolean },
  ): ReadableStream<Uint8Array> {
    void pump(this.#open(options.keepsPieces), transform.writable.getWriter())
    return transform.readable
  }

  /** At most this many bytes of the beginning. */
  async prefix(maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const prefix = new Uint8Array(maxBytes)
    const pieces = this.#open(false)
    let held = 0
    while (held < maxBytes) {
      const { done, value } = await pieces.read()
      const part = value?.subarray(0, maxBytes - held)
      if (part !== undefined) prefix.set(part, held)
      held += part?.length ?? 0
      if (done) break
    }
    return prefix.subarray(0, held)
  }

  /**
   * Reads what is left, and throws it away: a server that closes a connection on which the client
   * still sends resets it, and the answer may be lost.
   */
  async discard(): Promise<void> {
    if (this.#stream === null) return
    const pieces = this.#open(false)
    let discarded = 0
    while (discarded < MAX_DISCARDED_BYTES) {
      const result = await orIdle(pieces.read().catch(() => undefined))
      if (result === undefined || result.done) break
      discarded += result.value.length
    }
    await this.cancel(undefined)
  }

  /** Nobody wants the rest. */
  async cancel(reason: unknown): Promise<void> {
    await this.#pieces?.cancel(reason).catch(() => undefined)
  }

  /** Nothing would be read in vain. */
  get isEmpty(): boolean {
    return this.#stream === null
  }

  #open(fresh: boolean): PieceReader {
    this.#pieces ??= this.#stream === null ? NO_PIECES : readerOf(this.#stream, fresh)
    return this.#pieces
  }
}

/** Never rejects: a failure of either side reaches the reader of the transform. */
async function pump(
  pieces: PieceReader,
  writer: WritableStreamDefaultWriter<Uint8Array>,
): Promise<void> {
  try {
    for (;;) {
      await writer.ready // back-pressure: nothing is read that nobody asks for
      const { done, value } = await pieces.read()
      if (value !== undefined && value.length > 0) await writer.write(value)
      if (done) break
    }
    await writer.close()
  } catch (error) {
    await writer.abort(error).catch(() => undefined)
  }
}

/** One reader's two verbs. The last piece may come together with `done`. */
interface PieceReader {
  read(): Promise<ReadableStreamReadResult<Uint8Array>>
  cancel(reason: unknown): Promise<void>
}

const NO_PIECES: PieceReader = {
  read: () => Promise.resolve({ done: true, value: undefined }),
  cancel: () => Promise.resolve(),
}

function readerOf(body: ReadableStream<Uint8Array>, fresh: boolean): PieceReader {
  const reader = byteReaderOf(body)
  if (reader === undefined) return body.getReader()
  let buffer = new ArrayBuffer(READ_BYTES)
  return {
    async read() {
      const result = await reader.read(new Uint8Array(buffer))
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

/** What the work gives, or `undefined` if it takes too long. */
async function orIdle<T>(work: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const idle = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, IDLE_MS, undefined)
  })
  try {
    return await Promise.race([work, idle])
  } finally {
    clearTimeout(timer)
  }
}
