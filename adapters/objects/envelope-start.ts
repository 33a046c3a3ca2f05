import { type Bytes, concatBytes } from '../../src/bytes/index.ts'
import type { PieceSource } from './piece-source.ts'

/**
 * Bytes that identify an envelope: no head is longer than 72 KiB, and each stream begins with a random salt behind its
 * head.
 */
const START_BYTES = 81_920

/** The envelope as it is taken: how long it was, and how it began. */
export class EnvelopeStart {
  readonly #pieces: PieceSource
  readonly #start: Bytes[] = []
  #startBytes = 0
  readonly #total: number | undefined
  #taken = 0

  /** @param total - length of the envelope, if it is known */
  constructor(pieces: PieceSource, total: number | undefined) {
    this.#pieces = pieces
    this.#total = total
  }

  /** Length of the envelope, if it is known. */
  get meant(): number | undefined {
    return this.#total
  }

  /** Whether the source came to its end, with as many bytes as were announced. */
  get isWhole(): boolean {
    return this.#pieces.ended && this.#taken === (this.#total ?? this.#taken)
  }

  /**
   * Waits for the end of the source.
   *
   * @throws RangeError for more or fewer bytes than were announced
   */
  async demandEnd(): Promise<void> {
    const isDone = await this.#pieces.isDone()
    if (isDone && this.isWhole) return
    const got = isDone ? String(this.#taken) : `more than ${String(this.#taken)}`
    throw new RangeError(`the envelope has ${got} bytes instead of ${String(this.#total)}`)
  }

  /** Bytes taken so far. */
  get taken(): number {
    return this.#taken
  }

  /** Its first bytes. */
  get bytes(): Bytes {
    return concatBytes(...this.#start)
  }

  /** Returns exactly `length` bytes, fewer at the end. */
  async take(length: number): Promise<Bytes> {
    const bytes = await this.#pieces.take(length)
    this.#taken += bytes.length
    const missing = START_BYTES - this.#startBytes
    if (missing > 0 && bytes.length > 0) {
      const kept = bytes.slice(0, missing)
      this.#start.push(kept)
      this.#startBytes += kept.length
    }
    return bytes
  }

  /** Returns up to `length` bytes, `undefined` at the end. */
  async next(length: number): Promise<Bytes | undefined> {
    const bytes = await this.take(length)
    return bytes.length === 0 ? undefined : bytes
  }
}
