import { binaryString, type Bytes } from '../../bytes/index.ts'
import { BoundedMap } from '../../runtime/index.ts'

/** Counts what one cache encrypts under each data key, for `maxMessages`. Without a limit it counts nothing. */
export class MessageCounts {
  readonly #max: number
  /** By commitment: a shared key that was evicted and adopted again is the same key. */
  readonly #counts: BoundedMap<string, number>

  /** @param maxKeys - data keys whose counts are remembered; the least recently used goes first */
  constructor(maxMessages: number, maxKeys: number) {
    this.#max = maxMessages
    this.#counts = new BoundedMap(maxKeys)
  }

  /** Counts one message and returns `true`, or returns `false`: the key is used up (W5.12). Synchronous. */
  take(commitment: Bytes): boolean {
    if (this.#max === Infinity) return true
    const id = binaryString(commitment)
    const count = this.#counts.get(id) ?? 0
    if (count >= this.#max) return false
    this.#counts.set(id, count + 1)
    return true
  }

  isUsedUp(commitment: Bytes): boolean {
    return this.#max !== Infinity && (this.#counts.get(binaryString(commitment)) ?? 0) >= this.#max
  }

  clear(): void {
    this.#counts.clear()
  }
}
