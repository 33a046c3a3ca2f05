/**
 * Tracks permits; each expires after `holdMs`, because on Workers a request can die with its I/O and
 * never give its permit back. Synchronous.
 */
export class Permits {
  readonly #most: number
  readonly #holdMs: number
  readonly #held = new Map<number, number>()
  #next = 0

  /** @param holdMs - a permit that is held for longer is given out again */
  constructor(most: number, holdMs: number) {
    this.#most = most
    this.#holdMs = holdMs
  }

  /** Returns how many permits are held. */
  get held(): number {
    return this.#held.size
  }

  /** Returns a permit, or `undefined` if all are held. */
  take(nowMs: number): number | undefined {
    if (this.#held.size >= this.#most) this.#dropExpired(nowMs)
    if (this.#held.size >= this.#most) return undefined
    const permit = this.#next++
    this.#held.set(permit, nowMs)
    return permit
  }

  /** Gives a permit back. An expired one is ignored. */
  give(permit: number): void {
    this.#held.delete(permit)
  }

  #dropExpired(nowMs: number): void {
    for (const [permit, sinceMs] of this.#held) {
      // A clock that was put back must not hold a permit for ever.
      if (nowMs - sinceMs >= this.#holdMs || nowMs < sinceMs) this.#held.delete(permit)
    }
  }
}
