import { type Bytes, concatBytes, toBytes } from '../../src/bytes/index.ts'

/** Takes bytes from a stream in lengths of the caller's choice. */
export class PieceSource {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  #rest: Bytes | undefined
  #ended = false

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader()
  }

  /** Returns the next piece as it comes, `undefined` at the end. */
  async next(): Promise<Bytes | undefined> {
    const rest = this.#rest
    this.#rest = undefined
    if (rest !== undefined) return rest
    while (!this.#ended) {
      const { done, value } = await this.#reader.read()
      if (done) this.#ended = true
      else if (value.length > 0) return toBytes(value, 'a piece of a stream')
    }
    return undefined
  }

  /** Puts bytes back, to be taken first. */
  unread(bytes: Bytes): void {
    this.#rest = this.#rest === undefined ? bytes : concatBytes(bytes, this.#rest)
  }

  /** Returns exactly `length` bytes in a buffer of their own, fewer at the end of the stream. */
  async take(length: number): Promise<Bytes> {
    const taken = new Uint8Array(length)
    let at = 0
    while (at < length) {
      const piece = await this.next()
      if (piece === undefined) return taken.slice(0, at)
      const fits = piece.subarray(0, length - at)
      taken.set(fits, at)
      at += fits.length
      if (fits.length < piece.length) this.#rest = piece.subarray(fits.length)
    }
    return taken
  }

  /** Whether the end was seen and nothing is left. */
  get ended(): boolean {
    return this.#ended && this.#rest === undefined
  }

  /** Whether nothing is left; waits for the next piece to know it. */
  async isDone(): Promise<boolean> {
    const piece = await this.next()
    if (piece === undefined) return true
    this.unread(piece)
    return false
  }

  /** Tells the source that nobody will read on. */
  cancel(reason: unknown): void {
    void this.#reader.cancel(reason).catch(() => undefined)
  }

  /** Returns what is left as a stream. */
  stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        pull: async (to) => {
          const piece = await this.next()
          if (piece === undefined) to.close()
          else to.enqueue(piece)
        },
        cancel: (reason) => {
          this.cancel(reason)
        },
      },
      { highWaterMark: 0 },
    )
  }
}
