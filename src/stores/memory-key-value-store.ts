import { type Bytes, copyBytes, equalBytes } from '../bytes/index.ts'
import { plainOptions, refuseOthers, wrongNumber } from '../checks/index.ts'
import type {
  KeyValueCapabilities,
  KeyValueOptions,
  KeyValueStore,
  KeyValueWriteOptions,
  Runtime,
} from '../ports/index.ts'
import { webRuntime } from '../runtime/index.ts'
import { capabilitiesOf, checkKey, checkTtl, checkValue } from './checks.ts'

/** Options of {@link MemoryKeyValueStore}. */
export interface MemoryKeyValueStoreOptions {
  /** Most values in memory; 1,000 by default. */
  readonly maxEntries?: number
  /** Most bytes of all values together; 8 MiB by default. */
  readonly maxBytes?: number
  readonly runtime?: Runtime
}

interface Entry {
  readonly value: Bytes
  readonly expiresAtMs: number
}

/**
 * A {@link KeyValueStore} in the memory of this process, shared by all users of the instance. At its
 * limits it evicts the least recently used value.
 */
export class MemoryKeyValueStore implements KeyValueStore {
  readonly capabilities: KeyValueCapabilities
  readonly #entries = new Map<string, Entry>()
  readonly #maxEntries: number
  readonly #maxBytes: number
  readonly #runtime: Runtime
  #heldBytes = 0

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: MemoryKeyValueStoreOptions = {}) {
    const {
      maxEntries = 1_000,
      maxBytes = 8_388_608,
      runtime = webRuntime,
      ...others
    } = plainOptions(options)
    refuseOthers(others)
    this.#maxEntries = atLeastOne('maxEntries', maxEntries)
    this.#maxBytes = atLeastOne('maxBytes', maxBytes)
    this.#runtime = runtime
    const usual = capabilitiesOf({ consistency: 'strong', compareAndSwap: true })
    const maxValueBytes = Math.min(usual.maxValueBytes, maxBytes)
    this.capabilities = Object.freeze({ ...usual, maxValueBytes })
  }

  async get(key: string, options: KeyValueOptions = {}): Promise<Bytes | undefined> {
    options.signal?.throwIfAborted()
    const found = this.#find(checkKey(key, this.capabilities.maxKeyBytes))
    if (found === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, found) // the last of the map is the last that was used
    return copyBytes(found.value)
  }

  async put(key: string, value: Bytes, options: KeyValueWriteOptions): Promise<void> {
    options.signal?.throwIfAborted()
    this.#write(key, value, options.ttlMs)
  }

  async compareAndSwap(
    key: string,
    expected: Bytes | undefined,
    next: Bytes,
    options: KeyValueWriteOptions,
  ): Promise<boolean> {
    options.signal?.throwIfAborted()
    const found = this.#find(checkKey(key, this.capabilities.maxKeyBytes))
    const asExpected =
      found === undefined || expected === undefined
        ? found === expected
        : equalBytes(found.value, expected)
    // A value that cannot be written is refused, also where the comparison fails.
    checkValue(next, this.capabilities.maxValueBytes)
    checkTtl(options.ttlMs)
    if (asExpected) this.#write(key, next, options.ttlMs)
    return asExpected
  }

  async delete(key: string, options: KeyValueOptions = {}): Promise<void> {
    options.signal?.throwIfAborted()
    this.#remove(checkKey(key, this.capabilities.maxKeyBytes))
  }

  #find(key: string): Entry | undefined {
    const found = this.#entries.get(key)
    if (found === undefined || this.#runtime.now() < found.expiresAtMs) return found
    this.#remove(key)
    return undefined
  }

  #write(key: string, value: Bytes, ttlMs: number): void {
    checkKey(key, this.capabilities.maxKeyBytes)
    const copy = copyBytes(checkValue(value, this.capabilities.maxValueBytes))
    const expiresAtMs = this.#runtime.now() + checkTtl(ttlMs)
    this.#remove(key)
    this.#entries.set(key, { value: copy, expiresAtMs })
    this.#heldBytes += copy.length
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#maxEntries && this.#heldBytes <= this.#maxBytes) break
      this.#remove(oldest)
    }
  }

  #remove(key: string): void {
    this.#heldBytes -= this.#entries.get(key)?.value.length ?? 0
    this.#entries.delete(key)
  }
}

/** `Infinity`: the entry never ends. */
function atLeastOne(name: string, value: number): number {
  if (typeof value === 'number' && value >= 1) return value
  throw wrongNumber(name, 'at least 1', value)
}
