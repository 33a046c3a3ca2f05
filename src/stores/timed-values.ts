import { type Bytes, concatBytes, copyBytes } from '../bytes/index.ts'
import type { Runtime } from '../ports/index.ts'
import { checkTtl, checkValue } from './checks.ts'

const EXPIRY_BYTES = 8

/** A value as it is kept. */
export interface TimedValue {
  readonly bytes: Bytes
  readonly ttlMs: number
}

/**
 * Values behind the time at which they end, by this client's clock: for backends that keep values
 * longer than they are told. The end is eight bytes, a big-endian IEEE 754 number of milliseconds.
 */
export class TimedValues {
  readonly #runtime: Runtime
  readonly #maxValueBytes: number

  constructor(runtime: Runtime, maxValueBytes: number) {
    this.#runtime = runtime
    this.#maxValueBytes = maxValueBytes
  }

  /** @throws TypeError, RangeError */
  pack(value: Bytes, ttlMs: number): TimedValue {
    const whole = checkTtl(ttlMs)
    const end = new Uint8Array(EXPIRY_BYTES)
    new DataView(end.buffer).setFloat64(0, this.#runtime.now() + whole)
    return { bytes: concatBytes(end, checkValue(value, this.#maxValueBytes)), ttlMs: whole }
  }

  /**
   * @returns `undefined` for a value that has ended
   * @throws what `unreadable` gives, for bytes that `pack` cannot have made
   */
  unpack(stored: Bytes, unreadable: () => Error): Bytes | undefined {
    const length = stored.length - EXPIRY_BYTES
    if (length < 0 || length > this.#maxValueBytes) throw unreadable()
    const endsAtMs = new DataView(stored.buffer, stored.byteOffset).getFloat64(0)
    if (!Number.isFinite(endsAtMs)) throw unreadable()
    return this.#runtime.now() < endsAtMs ? copyBytes(stored.subarray(EXPIRY_BYTES)) : undefined
  }
}
