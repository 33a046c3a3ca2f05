import type { Bytes } from '../bytes/index.ts'

/** The only way to clock and randomness; tests and simulations bring their own. */
export interface Runtime {
  /** Wall clock, milliseconds since the epoch. It can stop between I/O (Workers): compare on use. */
  now(): number
  /** Fills and returns the array with bytes of the platform's generator. Synchronous by contract. */
  randomFill(bytes: Bytes): Bytes
}
