/** A small seeded generator (sfc32): the same seed and input number give the same input anywhere. */
export class Random {
  #a
  #b
  #c
  #count = 1

  constructor(seed, stream) {
    this.#a = seed | 0
    this.#b = stream | 0
    this.#c = Math.trunc(stream / 0x1_0000_0000) | 0
    // The first draws still show the seed.
    for (let i = 0; i < 12; i++) this.u32()
  }

  u32() {
    const sum = (((this.#a + this.#b) | 0) + this.#count) | 0
    this.#count = (this.#count + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** An integer from 0 to below `limit`. */
  below(limit) {
    return limit < 2 ? 0 : this.u32() % limit
  }

  pick(list) {
    return list[this.below(list.length)]
  }

  fill(bytes) {
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.u32()
    return bytes
  }
}
