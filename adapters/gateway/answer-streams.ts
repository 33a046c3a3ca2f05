import { GatewayError } from './problem.ts'

/** Facts about the end of a stream that its maker must know. */
export interface StreamEnds {
  /** It failed after its first piece. */
  readonly onBroken: (error: unknown) => void
  /** Its reader gave it up. */
  readonly onCancel: (reason: unknown) => void
}

/** An answer of which the first piece is there. */
export interface BegunAnswer {
  /** `undefined` for an empty answer. */
  readonly first: Uint8Array | undefined
  /** Returns all of it at once. */
  whole(): Promise<Uint8Array<ArrayBuffer>>
  /**
   * Returns all of it as it is made.
   *
   * @param bytes - its length, if it is known: a stream of another length fails, and the piece that
   * completes it is held until the source has ended well. A client that counts bytes does not wait for
   * the end, so it must never have them all before the last tag is verified.
   */
  stream(bytes: number | undefined, ends: StreamEnds): Promise<ReadableStream<Uint8Array>>
}

type Piece = ReadableStreamReadResult<Uint8Array>
type Next = () => Promise<Piece>

/**
 * Reads the first piece before it answers: a failure until then rejects, and can still be
 * a clean problem. A later failure errors the stream, and that must break the connection.
 */
export async function begun(source: ReadableStream<Uint8Array>): Promise<BegunAnswer> {
  const reader = source.getReader()
  const first = await reader.read()
  const next = startingWith(first, () => reader.read())
  return {
    first: first.value,
    async whole() {
      const pieces: BlobPart[] = []
      for (let piece = await next(); !piece.done; piece = await next()) {
        pieces.push(piece.value as Uint8Array<ArrayBuffer>)
      }
      return new Uint8Array(await new Blob(pieces).arrayBuffer())
    },
    async stream(bytes, ends) {
      const read = bytes === undefined ? next : counted(next, bytes)
      return streamOf(startingWith(await read(), read), ends, reader)
    },
  }
}

function startingWith(first: Piece, rest: Next): Next {
  let held: Piece | undefined = first
  return () => {
    const piece = held
    held = undefined
    return piece === undefined ? rest() : Promise.resolve(piece)
  }
}

function streamOf(
  next: Next,
  { onBroken, onCancel }: StreamEnds,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller): Promise<void> {
        try {
          const { done, value } = await next()
          if (done) controller.close()
          else controller.enqueue(value)
        } catch (error) {
          onBroken(error)
          throw error // errors this stream
        }
      },
      async cancel(reason): Promise<void> {
        onCancel(reason)
        await reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}

/** Gives out the piece that completes the length only after the source has ended well. */
function counted(next: Next, bytes: number): Next {
  let left = bytes
  let ended: Piece | undefined
  return async () => {
    const piece = ended ?? (await next())
    if (piece.done) {
      if (left !== 0) throw wrongLength()
      return piece
    }
    left -= piece.value.length
    if (left > 0) return piece
    ended = await next()
    if (left < 0 || !ended.done) throw wrongLength()
    return piece
  }
}

function wrongLength(): GatewayError {
  return new GatewayError('ERR_GATEWAY_INTERNAL')
}
