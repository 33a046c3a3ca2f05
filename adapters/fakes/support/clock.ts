/** The server's clock, which tests may put forward. */
export interface FakeClock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Puts the clock forward, or back by a negative number: credentials expire, keys are deleted, what was signed is too old. */
  advance(ms: number): void
}

/** A clock that follows another one, at a distance. */
export function movableClock(now: () => number): FakeClock {
  let offsetMs = 0
  return {
    now: () => now() + offsetMs,
    advance(ms) {
      offsetMs += ms
    },
  }
}
