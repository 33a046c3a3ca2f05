import { measured, type PieceReader, pieceReaderOf } from './piece-reader.ts'

/** A client that has sent nothing for so long waits for the answer's end. */
const IDLE_MS = 250
/** Maximum bytes to read and drop from a client that keeps sending after a refusal. */
const MAX_DISCARDED_BYTES = 67_108_864

/** Options of {@link RequestBody.through}. */
export interface ThroughOptions {
  /** The transform passes on what it is given, so that no buffer may be used again. */
  readonly keepsPieces: boolean
  /** The length that the request states: a body of another length fails. */
  readonly bytes?: number | undefined
  /** Sees each piece before the transform does. */
  readonly onPiece?: (piece: Uint8Array) => void
}

/** The body of a request: through a transform, its beginning, or read in vain. */
export class RequestBody {
  readonly #stream: ReadableStream<Uint8Array> | null
  #pieces: PieceReader | undefined

  constructor(request: Request) {
    this.#stream = request.body
  }

  /**
   * Returns the body through a transform. Not `pipeThrough`: on Workers it reads 4 KiB at a time, which
   * makes it four times as slow, and it holds on to memory for each read until the request ends.
   * If the transform fails, the rest of the body is left alone: discard or cancel it.
   */
  through(
    transform: TransformStream<Uint8Array, Uint8Array>,
    { keepsPieces, bytes, onPiece = () => undefined }: ThroughOptions,
  ): ReadableStream<Uint8Array> {
    const pieces = measured(this.#open(keepsPieces), bytes, onPiece)
    void pump(pieces, transform.writable.getWriter())
    return transform.readable
  }

  /** Returns at most this many bytes of the beginning. */
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
    this.#pieces ??= pieceReaderOf(this.#stream, fresh)
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

/** Returns the result of the work, or `undefined` if it takes too long. */
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
