import { type Bytes, encodeUtf8, isWellFormed } from '../../src/bytes/index.ts'
import { describe } from '../../src/checks/index.ts'

/** The values that `put` takes, as R2 does. `null` is an empty object. */
export type ObjectValue =
  ReadableStream<Uint8Array> | ArrayBuffer | ArrayBufferView | string | Blob | null

/** A value as a stream, and its length where it is known. */
export interface ValueStream {
  readonly stream: ReadableStream<Uint8Array>
  readonly plaintextBytes: number | undefined
}

/** A value in memory is handed on in pieces, so that the cipher can hold its reader back. */
const PIECE_BYTES = 262_144

/**
 * Returns a value as a stream. Bytes are copied: the caller may use the buffer again.
 *
 * @throws TypeError for any other value, and for text with a lone surrogate
 */
export function valueStream(value: ObjectValue, announced: number | undefined): ValueStream {
  if (value instanceof ReadableStream) return { stream: value, plaintextBytes: announced }
  if (value instanceof Blob)
    return { stream: value.stream(), plaintextBytes: announced ?? value.size }
  const bytes = bytesOf(value)
  return { stream: piecesOf(bytes), plaintextBytes: announced ?? bytes.length }
}

function bytesOf(value: Exclude<ObjectValue, ReadableStream | Blob>): Bytes {
  if (value === null) return new Uint8Array(0)
  if (typeof value === 'string') {
    if (!isWellFormed(value))
      throw new TypeError('value has a lone surrogate: UTF-8 cannot hold it')
    return encodeUtf8(value)
  }
  if (value instanceof ArrayBuffer) return new Uint8Array(value.slice(0))
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
  }
  throw new TypeError(
    `value must be a stream, an ArrayBuffer or a view of one, a string, a Blob or null, got ${describe(value)}`,
  )
}

function piecesOf(bytes: Bytes): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream<Uint8Array>({
    pull(to) {
      if (at < bytes.length) to.enqueue(bytes.subarray(at, (at += PIECE_BYTES)))
      if (at >= bytes.length) to.close()
    },
  })
}
