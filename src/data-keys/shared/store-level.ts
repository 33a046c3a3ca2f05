import { type Bytes, equalBytes } from '../../bytes/index.ts'
import type { CanonicalContext, KmsSignalOptions } from '../../kms/index.ts'
import type { DataEncryptionKey } from '../data-encryption-key.ts'
import type { Defer } from '../data-key-source.ts'
import { demandKeys } from '../header-policy.ts'
import type {
  ObtainOptions,
  SharedLevel,
  SharedLevelHost,
  SharedLevelStats,
} from '../shared-level.ts'
import { Adoption, type Candidate } from './adoption.ts'
import { BoundedStore } from './bounded-store.ts'
import { PartitionEpoch } from './epoch.ts'
import { Patience } from './patience.ts'
import type { SharedSettings } from './settings.ts'
import { decodeSlot, encodeSlot, ID_BYTES, pointTo, type Slot } from './slot.ts'
import { StoreAuth } from './store-auth.ts'

/** What stands in the store for a context, as one look found it. */
interface Look {
  readonly name: string
  /** The value as it is, which a swap must name. */
  readonly bytes: Bytes | undefined
  readonly slot: Slot
  /** Of the adoption, when the look began. */
  readonly generation: number
}

/**
 * How many keys of the store may come to nothing in one call. Whoever writes the store can show another one at
 * each look, and the next step of a call must not be another look for ever.
 */
const MAX_REFUSALS = 2

/** {@link SharedLevel} over a `KeyValueStore`. */
export class StoreLevel implements SharedLevel {
  readonly #settings: SharedSettings
  readonly #host: SharedLevelHost
  readonly #auth: StoreAuth
  readonly #store: BoundedStore
  readonly #adoption: Adoption
  readonly #epoch: PartitionEpoch
  #leases = 0
  #waits = 0
  #signals = 0

  constructor(settings: SharedSettings, host: SharedLevelHost) {
    const { runtime } = host
    const { store, partition, storeAuthKey, storeTimeoutMs, signalMs } = settings
    this.#settings = settings
    this.#host = host
    this.#auth = new StoreAuth(partition, storeAuthKey)
    this.#store = new BoundedStore(store, storeTimeoutMs, host)
    this.#adoption = new Adoption(this.#auth, host)
    this.#epoch = new PartitionEpoch({
      auth: this.#auth,
      store: this.#store,
      runtime,
      signalMs,
      isStrong: store.capabilities.consistency === 'strong',
      onChange: (since) => {
        // At the start nothing may be held yet, and what is under way is young enough.
        if (since === 'start' && host.entries === 0) return
        this.#signals += 1
        this.#adoption.clear()
        host.drop()
      },
    })
  }

  async obtain(context: CanonicalContext, options: ObtainOptions): Promise<DataEncryptionKey> {
    const { policy, capabilities } = this.#host
    // Who may not make keys may not write under those of others: the KMS says so, as without a shared level.
    if (capabilities.usage === 'decrypt') return this.#host.make(context, options)
    demandKeys(policy.requiredContextKeys, Object.keys(context.map))
    const patience = new Patience({ ...this.#host, ...this.#settings }, options)
    let unfit: Bytes | undefined
    let refusals = 0
    for (;;) {
      const look = await this.#look(context, options.signal)
      if (look === undefined) break
      const { slot, bytes } = look
      const again = unfit !== undefined && bytes !== undefined && equalBytes(unfit, bytes)
      const refused = again || refusals >= MAX_REFUSALS
      const found = refused ? undefined : await this.#adoption.candidate(slot, context)
      const fit = found?.usedUp === false ? found : undefined
      const held = slot.lease !== undefined && patience.isHeld(slot.lease)
      if (fit !== undefined && (held || !this.#isDue(fit, options))) {
        const key = await this.#adoption.adopt(fit, context, options, look.generation)
        if (key === 'unreachable') break
        if (typeof key === 'object') return key
        if (key === 'refused') unfit = bytes
        refusals += 1
        continue
      }
      if (!this.#settings.leases) return this.#makeAndPut(look, context, options)
      if (!held) {
        const key = await this.#tryToLead(look, found, context, options)
        if (key !== undefined) return key
      }
      if (!patience.waited) this.#waits += 1
      if (!(await patience.wait(options.signal))) break
    }
    return this.#host.make(context, options)
  }

  look(nowMs: number, defer: Defer): void {
    this.#epoch.look(nowMs, defer)
  }

  async signal(options: KmsSignalOptions): Promise<void> {
    this.#adoption.clear()
    try {
      await this.#epoch.change(options)
    } finally {
      // What is on its way to be adopted stood in the store under the epoch of before.
      this.#adoption.clear()
    }
  }

  clear(): void {
    this.#adoption.clear()
    this.#epoch.clear()
  }

  stats(): SharedLevelStats {
    const { reads, writes, failures } = this.#store
    return {
      adoptions: this.#adoption.adoptions,
      adoptionsRefused: this.#adoption.refused,
      leases: this.#leases,
      leaseWaits: this.#waits,
      storeReads: reads,
      storeWrites: writes,
      storeFailures: failures,
      signals: this.#signals,
    }
  }

  /** `undefined`: the store does not answer. */
  async #look(
    context: CanonicalContext,
    signal: AbortSignal | undefined,
  ): Promise<Look | undefined> {
    const { generation } = this.#adoption
    const name = await this.#auth.slotName(context)
    const [answer, epoch] = await Promise.all([
      this.#store.get(name, signal),
      this.#epoch.current(signal),
    ])
    if (answer === undefined || epoch === undefined) return undefined
    const { value: bytes } = answer
    if (bytes === undefined) return { name, bytes, slot: { epoch }, generation }
    const slot = await decodeSlot(this.#auth, name, bytes)
    if (slot !== undefined) {
      // Of another epoch: before a signal, or after one that was not heard here yet.
      const latest = equalBytes(slot.epoch, epoch)
        ? epoch
        : await this.#epoch.current(signal, epoch)
      if (latest === undefined) return undefined
      if (equalBytes(slot.epoch, latest)) return { name, bytes, slot, generation }
    }
    this.#adoption.refused += 1
    return { name, bytes, slot: { epoch }, generation }
  }

  #isDue({ leftMs }: Candidate, { ahead }: ObtainOptions): boolean {
    return ahead === true && leftMs <= this.#host.refreshAheadMs
  }

  /** Makes the next key, if this process is the one that may. `undefined`: another one does. */
  async #tryToLead(
    { name, bytes, slot: { epoch }, generation }: Look,
    found: Candidate | undefined,
    context: CanonicalContext,
    options: ObtainOptions,
  ): Promise<DataEncryptionKey | undefined> {
    const { leaseMs } = this.#settings
    const active = found?.active
    const holder = this.#host.runtime.randomFill(new Uint8Array(ID_BYTES))
    const lease = { holder, untilMs: Math.floor(this.#host.runtime.now()) + leaseMs }
    const mine = await encodeSlot(this.#auth, name, { epoch, lease, active })
    // Where nothing else stands there, a lease whose holder dies goes by itself.
    const ttlMs = Math.max(found?.leftMs ?? 0, 2 * leaseMs)
    const won = await this.#store.swap(name, bytes, mine, ttlMs, options.signal)
    if (won?.value !== true) return undefined
    this.#leases += 1
    try {
      const key = await this.#host.make(context, options)
      const next = await this.#valueOf(name, epoch, key)
      if (next !== undefined) {
        // Before anyone sees it: a call beside this one that adopts it goes on with its counts.
        this.#adoption.remember(key, generation)
        // Lost: this took longer than its lease, and the key is good all the same.
        await this.#store.swap(name, mine, next.value, next.ttlMs, options.signal)
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
    const next = await encodeSlot(this.#auth, name, slot)
    await this.#store.swap(name, mine, next, ttlMs, undefined)
  }

  /** Where there is no lease, whoever finds no key makes one, and the last that is written stays. */
  async #makeAndPut(
    { name, slot: { epoch }, generation }: Look,
    context: CanonicalContext,
    options: ObtainOptions,
  ): Promise<DataEncryptionKey> {
    const key = await this.#host.make(context, options)
    const next = await this.#valueOf(name, epoch, key)
    this.#adoption.remember(key, generation)
    if (next !== undefined) await this.#store.put(name, next.value, next.ttlMs, options.signal)
    return key
  }

  /** The slot that points to a key; `undefined` for one that the store cannot hold. */
  async #valueOf(
    name: string,
    epoch: Bytes,
    { header }: DataEncryptionKey,
  ): Promise<{ readonly value: Bytes; readonly ttlMs: number } | undefined> {
    const notAfterMs = header.createdAtMs + this.#host.limits.encryptForMs
    const active = await pointTo(this.#auth, header, notAfterMs)
    const value = await encodeSlot(this.#auth, name, { epoch, active })
    if (value.length > this.#settings.store.capabilities.maxValueBytes) return undefined
    return { value, ttlMs: Math.max(notAfterMs - this.#host.runtime.now(), 1) }
  }
}
