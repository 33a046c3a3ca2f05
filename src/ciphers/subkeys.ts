import { binaryString, type Bytes } from '../bytes/index.ts'
import { BoundedMap } from '../runtime/index.ts'

/**
 * Remembers subkeys of nonce prefixes that were seen in messages, each after a tag verified under it.
 * Bounded: the least recently used goes first. One pool serves all data keys of a cache.
 */
export class SubkeyPool {
  readonly #subkeys: BoundedMap<string, CryptoKey>
  #keys = 0

  constructor(max: number) {
    this.#subkeys = new BoundedMap(max)
  }

  /** Returns a name for one data key, which no other has in this pool. */
  newName(): string {
    return `${String(this.#keys++)} `
  }

  get(name: string, prefix: string): CryptoKey | undefined {
    return this.#subkeys.get(name + prefix)
  }

  keep(name: string, prefix: string, subkey: CryptoKey): void {
    this.#subkeys.set(name + prefix, subkey)
  }

  clear(): void {
    this.#subkeys.clear()
  }
}

/**
 * Shares derivations within one batch, so that each (data key, prefix) is derived once. Never outlives
 * its batch: requests share no promise.
 */
export class BatchSubkeys {
  readonly #deriving = new Map<object, Map<string, Promise<CryptoKey>>>()

  /** @param keys - the data key's records: an object of its own for each data key */
  of(keys: object, prefix: Bytes, derive: () => Promise<CryptoKey>): Promise<CryptoKey> {
    const own = this.#deriving.get(keys) ?? new Map<string, Promise<CryptoKey>>()
    this.#deriving.set(keys, own)
    const id = binaryString(prefix)
    const subkey = own.get(id) ?? derive()
    own.set(id, subkey)
    return subkey
  }
}
