import type { Bytes } from '../bytes/index.ts'

const FIRST_BYTES = 1_024

/** Collects pieces in one array that doubles: a stream of tiny pieces costs no object for each of them. */
export class GrowingBuffer {
  #bytes: Bytes = new Uint8Array(0)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Copies the piece. */
  push(piece: Uint8Array): void {
    const length = this.#length + piece.length
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#bytes.length, FIRST_BYTES))
      larger.set(this.view())
      this.#bytes = larger
    }
    this.#bytes.set(piece, this.#length)
    this.#length = length
  }

  /** Returns what was collected, as a view that is valid until the next push. */
  view(): Bytes {
    return this.#bytes.subarray(0, this.#length)
  }
}
