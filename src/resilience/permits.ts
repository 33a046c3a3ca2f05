/**
 * Who is in, by when they must be out. Synchronous. A permit lapses: on Workers a request can die
 * with its I/O, and what it holds never comes back.
 */
export class Permits {
  readonly #most: number
  readonly #holdMs: number
  readonly #held = new Map<number, number>()
  #next = 0

  /** @param holdMs - a permit that is held for longer is lost, and is given out again */
  constructor(most: number, holdMs: number) {
    this.#most = most
    this.#holdMs = holdMs
  }

  /** How many are in. */
  get held(): number {
    return this.#held.size
  }

  /** A permit, or `undefined` if all are out. */
  take(nowMs: number): number | undefined {
    if (this.#held.size >= this.#most) this.#dropLapsed(nowMs)
    if (this.#held.size >= this.#most) return undefined
    const permit = this.#next++
    this.#held.set(permit, nowMs)
    return permit
  }

  /** Gives a permit back. One that lapsed is nobody's. */
  give(permit: number): void {
    this.#held.delete(permit)
  }

  #dropLapsed(nowMs: number): void {
    for (const [permit, sinceMs] of this.#held) {
      // A clock that was put back must not hold a permit for ever.
      if (nowMs - sinceMs >= this.#holdMs || nowMs < sinceMs) this.#held.delete(permit)
    }
  }
}
