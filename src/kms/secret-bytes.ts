import type { Bytes } from '../bytes/index.ts'

/**
 * Key bytes that wipe themselves on dispose and never print themselves.
 *
 * @remarks Security: best effort. JavaScript gives no control over copies that the engine makes. This class zeroes
 * its own bytes; wipe yourself what you copied out of `expose()`.
 *
 * @example
 * ```ts
 * import { SecretBytes } from 'edge-kms'
 *
 * const secret = SecretBytes.take(crypto.getRandomValues(new Uint8Array(32)))
 * console.log(`${secret}`) // [secret]
 * secret.dispose()
 * ```
 */
export class SecretBytes {
  #bytes: Bytes | undefined

  private constructor(bytes: Bytes) {
    this.#bytes = bytes
  }

  /** Takes ownership of the array: the caller must not keep or change it. */
  static take(bytes: Bytes): SecretBytes {
    return new SecretBytes(bytes)
  }

  /** Copies; the caller wipes their own array. */
  static copy(bytes: Uint8Array): SecretBytes {
    return new SecretBytes(new Uint8Array(bytes))
  }

  /** Length in bytes. */
  get length(): number {
    return this.#open().length
  }

  /** Returns the bytes themselves, not a copy. Use them within this turn of the event loop and do not keep them. */
  expose(): Bytes {
    return this.#open()
  }

  /** Zeroes the bytes. Any later use throws. Safe to call twice. */
  dispose(): void {
    this.#bytes?.fill(0)
    this.#bytes = undefined
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  #open(): Bytes {
    if (this.#bytes === undefined) throw new TypeError('the secret was disposed')
    return this.#bytes
  }
}
