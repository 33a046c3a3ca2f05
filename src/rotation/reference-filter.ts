import type { Bytes } from '../bytes/index.ts'

/** Bits of each set; a million data keys set 38 % of them. */
const BITS = 2 ** 24
/** Bits that one data key sets, each picked by 3 bytes of its commitment. */
const PICKS = 8
const PICK_BYTES = 3

/** A set of data keys by their commitments, in constant memory: it may claim too much, and never too little. */
class KeySet {
  readonly words: Uint32Array = new Uint32Array(BITS / 32)

  add(commitment: Bytes): void {
    for (let pick = 0; pick < PICKS; pick += 1) {
      const [high = 0, middle = 0, low = 0] = commitment.subarray(pick * PICK_BYTES)
      const bit = ((high << 16) | (middle << 8) | low) >>> 0
      this.words[bit >>> 5] = (this.words[bit >>> 5] ?? 0) | (1 << (bit & 31))
    }
  }
}

/**
 * Finds data keys that messages by reference refer to, and that no source holds: their wraps are elsewhere, where
 * nobody has counted them. Messages and records may come in any order. A missing data key is overlooked with a
 * probability of 1 in 2,000 beside a million others.
 */
export class ReferenceFilter {
  #references: KeySet | undefined
  #records: KeySet | undefined

  /** Notes a message by reference. */
  refer(commitment: Bytes): void {
    this.#references ??= new KeySet()
    this.#references.add(commitment)
  }

  /** Notes a data-key record. */
  record(commitment: Bytes): void {
    this.#records ??= new KeySet()
    this.#records.add(commitment)
  }

  /** Returns how many data keys are missing at least; 0: none. */
  get missing(): number {
    if (this.#references === undefined) return 0
    const held = this.#records?.words
    let bits = 0
    this.#references.words.forEach((word, at) => {
      let left = word & ~(held?.[at] ?? 0)
      for (; left !== 0; left &= left - 1) bits += 1
    })
    return Math.ceil(bits / PICKS)
  }
}
