import { type Bytes, equalBytes, standsAt } from '../../bytes/index.ts'
import { BoundedMap } from '../../runtime/index.ts'
import { COMMITMENT_AT, HEAD_AT } from '../../wire/index.ts'
import type { HeldKey } from './held-key.ts'

/**
 * Verified data keys by commitment (W6.4).
 *
 * The map's key is a number, the commitment's first 48 bits, because a string of 32 bytes costs more to
 * make and to hash than a record to decrypt. A key that is found is compared whole, so two keys with one number
 * only push each other out.
 */
export class OpenedKeys {
  readonly #keys: BoundedMap<number, HeldKey>

  constructor(maxEntries: number) {
    this.#keys = new BoundedMap(maxEntries)
  }

  get size(): number {
    return this.#keys.size
  }

  get evictions(): number {
    return this.#keys.evictions
  }

  add(held: HeldKey): void {
    this.#keys.set(first48Bits(held.key.header.commitment, 0), held)
  }

  /** Returns the entry of a commitment, whatever its age. */
  find(commitment: Bytes): HeldKey | undefined {
    const held = this.#keys.get(first48Bits(commitment, 0))
    return held && equalBytes(commitment, held.key.header.commitment) ? held : undefined
  }

  /** Returns the entry whose whole header, wraps included, is in this inline message. */
  findIn(message: Bytes): HeldKey | undefined {
    const held = this.#keys.get(first48Bits(message, COMMITMENT_AT))
    if (held === undefined) return undefined
    const { header, headerWords } = held.key
    return standsAt(message, HEAD_AT, header.bytes, headerWords) ? held : undefined
  }

  values(): Iterable<HeldKey> {
    return this.#keys.values()
  }

  clear(): void {
    this.#keys.clear()
  }
}

/** Returns NaN, which no key has, where the bytes end too early. */
function first48Bits(bytes: Bytes, at: number): number {
  let number = 0
  for (let i = at; i < at + 6; i++) number = number * 0x100 + (bytes[i] as number)
  return number
}
