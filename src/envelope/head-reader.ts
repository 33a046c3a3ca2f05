import type { Bytes } from '../bytes/index.ts'
import type { KmsError } from '../errors.ts'
import { malformed, type MessageHead, parseHead, type ReadPolicy } from '../wire/index.ts'
import { GrowingBuffer } from './growing-buffer.ts'
import { leastBodyBytes, wrongBody } from './message-size.ts'

/** The head of a message, and the first bytes of its body. */
export interface FoundHead {
  readonly head: MessageHead
  /** At least as long as the shortest body of this kind. */
  readonly body: Bytes
}

/**
 * Reads the head of a message from a stream of pieces. It answers only once the shortest body of the
 * kind is there too, so that nobody asks a KMS about a message that cannot be one (W6.1).
 */
export class HeadReader {
  readonly #policy: ReadPolicy
  readonly #held = new GrowingBuffer()
  #head: MessageHead | undefined
  #need = 4

  constructor(policy: ReadPolicy) {
    this.#policy = policy
  }

  /** Copies the piece and returns the head as soon as enough is there. */
  push(piece: Bytes): FoundHead | undefined {
    this.#held.push(piece)
    // Each parse gets further than the one before, so small pieces do not make it quadratic.
    if (this.#held.length < this.#need) return undefined
    const bytes = this.#held.view()
    if (this.#head === undefined) {
      const head = parseHead(bytes, this.#policy)
      if ('need' in head) {
        this.#need = head.need
        return undefined
      }
      this.#head = head
      this.#need = head.bodyAt + leastBodyBytes(head.kind)
    }
    if (bytes.length < this.#need) return undefined
    return { head: this.#head, body: bytes.subarray(this.#head.bodyAt) }
  }

  /** Returns the error of a stream that ended before `push` found the head. */
  end(): KmsError {
    return this.#head === undefined ? malformed('cut short') : wrongBody(this.#head.kind)
  }
}
