import type { Bytes } from '../bytes/index.ts'

/**
 * Cuts a stream of pieces into blocks of one size. The rest of a piece is copied, because its
 * owner may use the buffer again; whole blocks are views, to be used within the turn.
 */
export class BlockSplitter {
  readonly #carry: Bytes
  #held = 0

  constructor(blockBytes: number) {
    this.#carry = new Uint8Array(blockBytes)
  }

  *push(piece: Bytes): Generator<Bytes, void, undefined> {
    const size = this.#carry.length
    let at = 0
    if (this.#held > 0) {
      at = Math.min(size - this.#held, piece.length)
      this.#carry.set(piece.subarray(0, at), this.#held)
      this.#held += at
      if (this.#held < size) return
      this.#held = 0
      yield this.#carry
    }
    for (; piece.length - at >= size; at += size) yield piece.subarray(at, at + size)
    if (at === piece.length) return
    this.#carry.set(piece.subarray(at))
    this.#held = piece.length - at
  }

  /** Bytes that did not fill a block. */
  rest(): Bytes {
    return this.#carry.subarray(0, this.#held)
  }
}
