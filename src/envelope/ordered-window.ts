import { type Bytes, concatBytes } from '../bytes/index.ts'

/** Chunks in flight: enough for a platform with threads, and more gains nothing (measured). */
const WINDOW = 16

/** Chunks that are given on together where that is worth a copy. */
const GROUP = 8

/** More than the promises between an AEAD call and us. */
const MICROTASKS = 8

const ignore = (): undefined => undefined

/**
 * Chunks in the order of their starts, sixteen in flight at most: WebCrypto works on several at
 * once. Nothing is given on before everything in front of it.
 */
export class OrderedWindow {
  readonly #emit: (bytes: Bytes) => void
  readonly #work: Promise<Bytes>[] = []
  #group: number | undefined

  constructor(emit: (bytes: Bytes) => void) {
    this.#emit = emit
  }

  /** Adds work that was started. A promise is to be waited for: enough is in flight. */
  add(work: Promise<Bytes>): Promise<void> | undefined {
    // A failure is seen when its turn comes: until then it must not count as unhandled.
    work.catch(ignore)
    return this.#work.push(work) < WINDOW ? undefined : this.#next()
  }

  async drain(): Promise<void> {
    while (this.#work.length > 0) await this.#next()
  }

  async #next(): Promise<void> {
    this.#group ??= await this.#groupFor()
    const parts: Bytes[] = []
    try {
      for (const work of this.#work.splice(0, this.#group)) parts.push(await work)
    } finally {
      // Results before a failure are good.
      if (parts.length > 0)
        this.#emit(parts.length > 1 ? concatBytes(...parts) : (parts[0] as Bytes))
    }
  }

  /**
   * If the platform encrypts in place (workerd), a chunk that was just started is done without a
   * turn of the event loop, and a turn of a stream costs more than copying into one large piece.
   * If threads do the work, copying keeps them waiting.
   */
  async #groupFor(): Promise<number> {
    let group = 1
    this.#work.at(-1)?.then(() => (group = GROUP), ignore)
    for (let turn = 0; turn < MICROTASKS; turn++) await Promise.resolve()
    return group
  }
}
