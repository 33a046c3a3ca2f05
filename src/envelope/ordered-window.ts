import { type Bytes, concatBytes } from '../bytes/index.ts'

/** Chunks of one group: two groups are in flight, and more gains nothing (measured). */
const GROUP = 8

const ignore = (): undefined => undefined

/**
 * Chunks in the order of their starts, sixteen in flight at most. WebCrypto works on several at
 * once; what comes out is given on in groups, because a turn of a stream costs as much as a chunk,
 * and nothing is given on before everything in front of it.
 */
export class OrderedWindow {
  readonly #emit: (bytes: Bytes) => void
  #gathering: Promise<Bytes>[] = []
  #working: Promise<Bytes>[] = []

  constructor(emit: (bytes: Bytes) => void) {
    this.#emit = emit
  }

  /** Adds work that was started. A promise is to be waited for: enough is in flight. */
  add(work: Promise<Bytes>): Promise<void> | undefined {
    // A failure is seen when its turn comes: until then it must not count as unhandled.
    work.catch(ignore)
    return this.#gathering.push(work) < GROUP ? undefined : this.#next()
  }

  async drain(): Promise<void> {
    await this.#next()
    await this.#next()
  }

  async #next(): Promise<void> {
    const work = this.#working
    this.#working = this.#gathering
    this.#gathering = []
    const parts: Bytes[] = []
    try {
      for (const part of work) parts.push(await part)
    } finally {
      if (parts.length > 0) this.#emit(concatBytes(...parts)) // what came before a failure is good
    }
  }
}
