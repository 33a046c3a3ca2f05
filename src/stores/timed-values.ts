import { type Bytes, concatBytes, copyBytes } from '../bytes/index.ts'
import type { Runtime } from '../ports/index.ts'
import { checkTtl, checkValue } from './checks.ts'

const EXPIRY_BYTES = 8

/** A value with its expiry time, as a backend keeps it. */
export interface TimedValue {
  readonly bytes: Bytes
  readonly ttlMs: number
}

/**
 * Puts the expiry time, by this client's clock, in front of a value: for backends that keep values longer than
 * asked. The time is eight bytes, a big-endian IEEE 754 number of milliseconds since the epoch.
 */
export class TimedValues {
  readonly #runtime: Runtime
  readonly #maxValueBytes: number

  constructor(runtime: Runtime, maxValueBytes: number) {
    this.#runtime = runtime
    this.#maxValueBytes = maxValueBytes
  }

  /**
   * Returns the value with its expiry time in front.
   *
   * @throws TypeError, RangeError
   */
  pack(value: Bytes, ttlMs: number): TimedValue {
    const whole = checkTtl(ttlMs)
    const end = new Uint8Array(EXPIRY_BYTES)
    new DataView(end.buffer).setFloat64(0, this.#runtime.now() + whole)
    return { bytes: concatBytes(end, checkValue(value, this.#maxValueBytes)), ttlMs: whole }
  }

  /**
   * Returns the value, or `undefined` if it has expired.
   *
   * @throws what `unreadable` returns, for bytes that `pack` cannot have made
   */
  unpack(stored: Bytes, unreadable: () => Error): Bytes | undefined {
    const length = stored.length - EXPIRY_BYTES
    if (length < 0 || length > this.#maxValueBytes) throw unreadable()
    const endsAtMs = new DataView(stored.buffer, stored.byteOffset).getFloat64(0)
    if (!Number.isFinite(endsAtMs)) throw unreadable()
    return this.#runtime.now() < endsAtMs ? copyBytes(stored.subarray(EXPIRY_BYTES)) : undefined
  }
}
