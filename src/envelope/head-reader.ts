import { type Bytes, concatBytes, copyBytes } from '../bytes/index.ts'
import type { KmsError } from '../errors.ts'
import { malformed, type MessageHead, parseHead, type ReadPolicy } from '../wire/index.ts'

/** Reads the head of a message from a stream of pieces, and gives back what comes after it. */
export class HeadReader {
  readonly #policy: ReadPolicy
  #pieces: Bytes[] = []
  #held = 0
  #need = 4

  constructor(policy: ReadPolicy) {
    this.#policy = policy
  }

  /** The head and the first bytes of the body as soon as they are there. */
  push(piece: Bytes): { readonly head: MessageHead; readonly body: Bytes } | undefined {
    this.#pieces.push(copyBytes(piece))
    this.#held += piece.length
    // Each parse gets further than the one before, so small pieces do not make it quadratic.
    if (this.#held < this.#need) return undefined
    const bytes = concatBytes(...this.#pieces)
    const head = parseHead(bytes, this.#policy)
    if ('need' in head) {
      this.#pieces = [bytes]
      this.#need = head.need
      return undefined
    }
    this.#pieces = []
    return { head, body: bytes.subarray(head.bodyAt) }
  }

  /** The stream ended inside the head. */
  end(): KmsError {
    return malformed('cut short')
  }
}
