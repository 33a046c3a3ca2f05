import type { Bytes } from '../../bytes/index.ts'
import type { CanonicalContext } from '../../kms/index.ts'
import type { DataEncryptionKey } from '../data-encryption-key.ts'
import type { ObtainOptions, SharedLevelHost } from '../shared-level.ts'
import type { Adoption, Candidate } from './adoption.ts'
import type { BoundedStore } from './bounded-store.ts'
import type { SharedSettings } from './settings.ts'
import { encodeSlot, ID_BYTES, pointTo, type Slot } from './slot.ts'
import type { Look } from './slot-looks.ts'
import type { StoreAuth } from './store-auth.ts'

/** Parts that the making of a shared key uses. */
export interface MakingPorts {
  readonly settings: SharedSettings
  readonly host: SharedLevelHost
  readonly auth: StoreAuth
  readonly store: BoundedStore
  readonly adoption: Adoption
}

/** Makes a data key and leaves it in the store for the others. */
export class SlotMaking {
  /** Leases to make a key for all that were won here. */
  leases = 0
  readonly #ports: MakingPorts

  constructor(ports: MakingPorts) {
    this.#ports = ports
  }

  /** Makes the next key, if this process is the one that may. Returns `undefined` if another one does. */
  async tryToLead(
    { name, bytes, slot: { epoch }, generation }: Look,
    found: Candidate | undefined,
    context: CanonicalContext,
    options: ObtainOptions,
  ): Promise<DataEncryptionKey | undefined> {
    const { leaseMs } = this.#ports.settings
    const active = found?.active
    const holder = this.#ports.host.runtime.randomFill(new Uint8Array(ID_BYTES))
    const lease = { holder, untilMs: Math.floor(this.#ports.host.runtime.now()) + leaseMs }
    const mine = await encodeSlot(this.#ports.auth, name, { epoch, lease, active })
    // A lease alone in its slot expires by itself if its holder dies.
    const ttlMs = Math.max(found?.leftMs ?? 0, 2 * leaseMs)
    const won = await this.#ports.store.swap(name, bytes, mine, ttlMs, options.signal)
    if (won?.value !== true) return undefined
    this.leases += 1
    try {
      const key = await this.#ports.host.make(context, options)
      const next = await this.#valueOf(name, epoch, key)
      if (next !== undefined) {
        // Before anyone sees it: after a clear nobody here adopts it again.
        this.#ports.adoption.remember(key, generation)
        // Lost: this took longer than its lease, and the key is good all the same.
        await this.#ports.store.swap(name, mine, next.value, next.ttlMs, options.signal)
        return key
      }
      await this.#release(name, mine, { epoch, active }, ttlMs)
      return key
    } catch (error) {
      await this.#release(name, mine, { epoch, active }, ttlMs)
      throw error
    }
  }

  /** Those who wait need not wait for the end of a lease that nobody works under. */
  async #release(name: string, mine: Bytes, slot: Slot, ttlMs: number): Promise<void> {
    const next = await encodeSlot(this.#ports.auth, name, slot)
    await this.#ports.store.swap(name, mine, next, ttlMs, undefined)
  }

  /** Without a lease, each caller that finds no key makes one, and the last write stays. */
  async makeAndPut(
    { name, slot: { epoch }, generation }: Look,
    context: CanonicalContext,
    options: ObtainOptions,
  ): Promise<DataEncryptionKey> {
    const key = await this.#ports.host.make(context, options)
    const next = await this.#valueOf(name, epoch, key)
    this.#ports.adoption.remember(key, generation)
    if (next !== undefined)
      await this.#ports.store.put(name, next.value, next.ttlMs, options.signal)
    return key
  }

  /** The slot that points to a key; `undefined` for one that the store cannot hold. */
  async #valueOf(
    name: string,
    epoch: Bytes,
    { header }: DataEncryptionKey,
  ): Promise<{ readonly value: Bytes; readonly ttlMs: number } | undefined> {
    const notAfterMs = header.createdAtMs + this.#ports.host.limits.encryptForMs
    const active = await pointTo(this.#ports.auth, header, notAfterMs)
    const value = await encodeSlot(this.#ports.auth, name, { epoch, active })
    if (value.length > this.#ports.settings.store.capabilities.maxValueBytes) return undefined
    return { value, ttlMs: Math.max(notAfterMs - this.#ports.host.runtime.now(), 1) }
  }
}
