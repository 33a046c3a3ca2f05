/**
 * Results in the order of their starts, a bounded number of them in flight. WebCrypto works on
 * several chunks at once, and nothing is given on before everything in front of it.
 */
export class OrderedWindow<T> {
  readonly #inFlight: Promise<T>[] = []
  readonly #max: number
  readonly #emit: (value: T) => void

  constructor(max: number, emit: (value: T) => void) {
    this.#max = max
    this.#emit = emit
  }

  /** Adds work that was started; waits while too much is in flight. */
  async add(work: Promise<T>): Promise<void> {
    // A later failure is seen when its turn comes: until then it must not count as unhandled.
    work.catch(() => undefined)
    this.#inFlight.push(work)
    if (this.#inFlight.length >= this.#max) await this.#next()
  }

  async drain(): Promise<void> {
    while (this.#inFlight.length > 0) await this.#next()
  }

  async #next(): Promise<void> {
    this.#emit(await (this.#inFlight.shift() as Promise<T>))
  }
}
