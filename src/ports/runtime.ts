import type { Bytes } from '../bytes/index.ts'

/** Access to the clock and to randomness. Tests and simulations replace it. */
export interface Runtime {
  /**
   * Returns the wall clock, in milliseconds since the epoch. On Workers it may stop between I/O: compare times when
   * you use them.
   */
  now(): number
  /** Fills and returns the array with bytes of the platform's generator. Synchronous by contract. */
  randomFill(bytes: Bytes): Bytes
}
