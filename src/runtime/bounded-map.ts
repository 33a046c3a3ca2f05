/** A map that drops what was not used for the longest time when it is full. */
export class BoundedMap<K, V> {
  readonly #entries = new Map<K, V>()
  readonly #max: number
  #newest: K | undefined
  #evictions = 0

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#entries.size
  }

  /** Entries dropped because the map was full. */
  get evictions(): number {
    return this.#evictions
  }

  get(key: K): V | undefined {
    const value = this.#entries.get(key)
    // A Map iterates in order of insertion: to put an entry in again is to make it the newest.
    if (value !== undefined && key !== this.#newest) this.#put(key, value)
    return value
  }

  set(key: K, value: V): void {
    this.#put(key, value)
    if (this.#entries.size <= this.#max) return
    this.#entries.delete(this.#entries.keys().next().value as K) // the oldest: it is not empty
    this.#evictions += 1
  }

  delete(key: K): void {
    this.#entries.delete(key)
    if (key === this.#newest) this.#newest = undefined
  }

  /** From the one that was not used for the longest time to the one used last. */
  values(): Iterable<V> {
    return this.#entries.values()
  }

  clear(): void {
    this.#entries.clear()
    this.#newest = undefined
  }

  #put(key: K, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    this.#newest = key
  }
}
