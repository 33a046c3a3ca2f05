/** Keeps a copy of the first bytes that pass by, for a look at the head of an envelope. */
export class BodyStart {
  readonly #bytes: Uint8Array<ArrayBuffer>[] = []
  #left: number

  /** @param maxBytes - how many are kept at most */
  constructor(maxBytes: number) {
    this.#left = maxBytes
  }

  /** Copies what it needs: a reader may use the buffer again. */
  take(piece: Uint8Array): void {
    if (this.#left === 0) return
    const part = piece.slice(0, this.#left)
    this.#left -= part.length
    this.#bytes.push(part)
  }

  /** Returns the bytes so far, and keeps no more. */
  end(): Uint8Array<ArrayBuffer> {
    this.#left = 0
    const length = this.#bytes.reduce((sum, part) => sum + part.length, 0)
    const whole = new Uint8Array(length)
    let at = 0
    for (const part of this.#bytes.splice(0)) {
      whole.set(part, at)
      at += part.length
    }
    return whole
  }
}
