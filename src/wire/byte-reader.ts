import { type Bytes, copyBytes } from '../bytes/index.ts'
import { KmsError } from '../errors.ts'

/** Thrown inside the parser when the bytes end too early; `need` is the length that gets further. */
export class NeedMoreBytes extends Error {
  readonly need: number
  constructor(need: number) {
    super()
    this.need = need
  }
}

/** Reads big-endian fields in order. Lengths are checked before anything is taken. */
export class ByteReader {
  readonly #bytes: Bytes
  #at: number

  constructor(bytes: Bytes, at: number) {
    this.#bytes = bytes
    this.#at = at
  }

  get at(): number {
    return this.#at
  }

  u8(): number {
    this.#demand(1)
    return this.#bytes[this.#at++] as number
  }

  u16(): number {
    return (this.u8() << 8) | this.u8()
  }

  /** A u64 that must be a safe integer. */
  u64(): number {
    this.#demand(8)
    let value = 0
    // Past 2^53 it may be rounded, and stays past it.
    for (let i = 0; i < 8; i++) value = value * 0x100 + this.u8()
    if (!Number.isSafeInteger(value)) throw malformed('createdAt is too large') // W3.15
    return value
  }

  /** A copy: a header outlives the message, and the caller may use their buffer again. */
  take(length: number): Bytes {
    this.#demand(length)
    this.#at += length
    return this.since(this.#at - length)
  }

  /** A copy of what was read since `start`. Not by `slice`, with which Node's Buffer makes a view. */
  since(start: number): Bytes {
    return copyBytes(this.#bytes.subarray(start, this.#at))
  }

  #demand(length: number): void {
    const need = this.#at + length
    if (need > this.#bytes.length) throw new NeedMoreBytes(need)
  }
}

/** The error names the fault: nothing here depends on a secret. */
export function malformed(reason: string): KmsError {
  return new KmsError('ERR_WIRE_MALFORMED', { message: `not a well-formed envelope: ${reason}` })
}
