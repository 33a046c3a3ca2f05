import { GatewayError } from './problem.ts'

/** Bytes that one read asks of a body. A read may give less, at the end of a body for example. */
const READ_BYTES = 262_144

/** One reader's two verbs. The last piece may come together with `done`. */
export interface PieceReader {
  /** @throws GatewayError `ERR_GATEWAY_BODY_INCOMPLETE` if the client or the network fails */
  read(): Promise<ReadableStreamReadResult<Uint8Array>>
  cancel(reason: unknown): Promise<void>
}

/**
 * Returns a piece as bytes: a body made by code may hold any kind of buffer, of which `length` says nothing.
 *
 * @throws GatewayError `ERR_GATEWAY_BAD_REQUEST` for anything but bytes
 */
function bytesOf(piece: unknown): Uint8Array {
  if (piece instanceof Uint8Array) return piece
  if (ArrayBuffer.isView(piece)) {
    return new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength)
  }
  if (piece instanceof ArrayBuffer) return new Uint8Array(piece)
  const detail = 'the pieces of the body must be bytes'
  throw new GatewayError('ERR_GATEWAY_BAD_REQUEST', { detail })
}

/**
 * Returns a reader of a request's body.
 *
 * @param fresh - no buffer may be used again
 */
export function pieceReaderOf(
  body: ReadableStream<Uint8Array> | null,
  fresh: boolean,
): PieceReader {
  if (body === null) return NO_PIECES
  const reader = byobReaderOf(body, fresh) ?? plainReaderOf(body)
  return {
    async read() {
      try {
        return await reader.read()
      } catch (error) {
        if (error instanceof GatewayError) throw error
        throw incomplete() // whatever the server says of it
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }
}

/** Returns a reader that fails unless the body has exactly this length. */
export function measured(
  reader: PieceReader,
  bytes: number | undefined,
  onPiece: (piece: Uint8Array) => void,
): PieceReader {
  let seen = 0
  return {
    async read() {
      const result = await reader.read()
      seen += result.value?.length ?? 0
      const isWrong = result.done ? seen !== bytes : seen > (bytes ?? Infinity)
      if (bytes !== undefined && isWrong) throw incomplete()
      if (result.value !== undefined) onPiece(result.value)
      return result
    },
    cancel: (reason) => reader.cancel(reason),
  }
}

const NO_PIECES: PieceReader = {
  read: () => Promise.resolve({ done: true, value: undefined }),
  cancel: () => Promise.resolve(),
}

function plainReaderOf(body: ReadableStream<Uint8Array>): PieceReader {
  const reader = body.getReader()
  return {
    async read() {
      const result = await reader.read()
      return result.done ? result : { done: false, value: bytesOf(result.value) }
    },
    cancel: (reason) => reader.cancel(reason),
  }
}

/** `undefined` where the stream was not made of bytes, as some servers' bodies are not. */
function byobReaderOf(body: ReadableStream<Uint8Array>, fresh: boolean): PieceReader | undefined {
  let reader: ReadableStreamBYOBReader
  try {
    reader = body.getReader({ mode: 'byob' })
  } catch {
    return undefined
  }
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

function incomplete(): GatewayError {
  return new GatewayError('ERR_GATEWAY_BODY_INCOMPLETE')
}
