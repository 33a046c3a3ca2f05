import type { Bytes, KeyValueStore, KeyValueWriteOptions } from '../../src/index.ts'

/** A key-value store with a clock of its own and a switch to break it. */
export class MemoryKeyValues implements KeyValueStore {
  readonly capabilities: KeyValueStore['capabilities']
  readonly values = new Map<string, { value: Bytes; untilMs: number }>()
  readonly calls: string[] = []
  /** Before each call: may throw or hang. */
  before: () => void | Promise<void> = () => undefined
  readonly #now: () => number

  constructor(now: () => number, capabilities: Partial<KeyValueStore['capabilities']> = {}) {
    this.#now = now
    this.capabilities = {
      consistency: 'strong',
      compareAndSwap: true,
      minTtlMs: 0,
      maxKeyBytes: 512,
      maxValueBytes: 65_536,
      ...capabilities,
    }
  }

  async get(key: string): Promise<Bytes | undefined> {
    this.calls.push(`get ${key}`)
    await this.before()
    return this.#read(key)
  }

  async put(key: string, value: Bytes, { ttlMs }: KeyValueWriteOptions): Promise<void> {
    this.calls.push(`put ${key}`)
    await this.before()
    this.values.set(key, { value, untilMs: this.#now() + ttlMs })
  }

  async compareAndSwap(
    key: string,
    expected: Bytes | undefined,
    next: Bytes,
    { ttlMs }: KeyValueWriteOptions,
  ): Promise<boolean> {
    this.calls.push(`swap ${key}`)
    await this.before()
    if (String(this.#read(key)) !== String(expected)) return false
    this.values.set(key, { value: next.slice(), untilMs: this.#now() + ttlMs })
    return true
  }

  async delete(key: string): Promise<void> {
    this.calls.push(`delete ${key}`)
    await this.before()
    this.values.delete(key)
  }

  #read(key: string): Bytes | undefined {
    const held = this.values.get(key)
    return held !== undefined && this.#now() < held.untilMs ? held.value.slice() : undefined
  }
}
