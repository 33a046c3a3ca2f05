import { contextId, type EncryptionContext } from '../kms/index.ts'
import { BoundedMap } from './bounded-map.ts'
import type { DataEncryptionKey } from './data-encryption-key.ts'
import type { ActiveKeyOptions } from './data-key-source.ts'
import type { Freshness, HeldKey } from './held-key.ts'
import { isOfContext, OpenedKeys } from './opened-keys.ts'

/** What a cache holds in memory: keys for readers, and for each context the one that writers use. */
export class HeldKeys {
  readonly opened: OpenedKeys
  readonly writing: Freshness<ActiveKeyOptions>
  readonly active: BoundedMap<string, HeldKey>
  #latest: HeldKey | undefined

  constructor(maxEntries: number, reading: Freshness, writing: Freshness<ActiveKeyOptions>) {
    this.opened = new OpenedKeys(maxEntries, reading)
    this.writing = writing
    this.active = new BoundedMap(maxEntries)
  }

  /** The key that is active for a context. That of the last call is found without making an id. */
  activeOf(context: EncryptionContext | undefined): HeldKey | undefined {
    const latest = this.#latest
    if (latest !== undefined && isOfContext(latest.key, context)) return latest
    return (this.#latest = this.active.get(contextId(context)))
  }

  /** Holds a new key, unless it was asked for in another epoch; active for its own context or not. */
  add(key: DataEncryptionKey, epoch: number, nowMs: number, active: boolean): void {
    if (!this.opened.add(key, epoch, nowMs) || !active) return
    this.#latest = this.writing.hold(key, nowMs)
    this.active.set(key.context.id, this.#latest)
  }

  clear(): void {
    this.opened.clear()
    this.active.clear()
    this.#latest = undefined
  }
}
