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
import { SlotLooks } from './slot-looks.ts'
import { SlotMaking } from './slot-making.ts'
import { StoreAuth } from './store-auth.ts'

/**
 * How many keys of the store may fail in one call. An attacker who can write the store can show another one at
 * each look, and the next step of a call must not be another look for ever.
 */
const MAX_REFUSALS = 2

/** {@link SharedLevel} over a `KeyValueStore`. */
export class StoreLevel implements SharedLevel {
  readonly #settings: SharedSettings
  readonly #host: SharedLevelHost
  readonly #store: BoundedStore
  readonly #adoption: Adoption
  readonly #epoch: PartitionEpoch
  readonly #looks: SlotLooks
  readonly #making: SlotMaking
  #waits = 0
  #signals = 0

  constructor(settings: SharedSettings, host: SharedLevelHost) {
    const { runtime } = host
    const { store, partition, storeAuthKey, storeTimeoutMs, signalMs } = settings
    this.#settings = settings
    this.#host = host
    const auth = new StoreAuth(partition, storeAuthKey)
    this.#store = new BoundedStore(store, storeTimeoutMs, host)
    this.#adoption = new Adoption(auth, host)
    this.#epoch = new PartitionEpoch({
      auth,
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
    const adoption = this.#adoption
    this.#looks = new SlotLooks(auth, this.#store, this.#epoch, adoption)
    this.#making = new SlotMaking({ settings, host, auth, store: this.#store, adoption })
  }

  async obtain(context: CanonicalContext, options: ObtainOptions): Promise<DataEncryptionKey> {
    const { policy, capabilities } = this.#host
    // A caller that may not make keys may not write under those of others: the KMS refuses, as without a shared level.
    if (capabilities.usage === 'decrypt') return this.#host.make(context, options)
    demandKeys(policy.requiredContextKeys, Object.keys(context.map))
    const patience = new Patience({ ...this.#host, ...this.#settings }, options)
    let unfit: Bytes | undefined
    let refusals = 0
    for (;;) {
      const look = await this.#looks.look(context, options.signal)
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
      if (!this.#settings.leases) return this.#making.makeAndPut(look, context, options)
      if (!held) {
        const key = await this.#making.tryToLead(look, found, context, options)
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
      // The key that is about to be adopted stood in the store under the epoch of before.
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
      leases: this.#making.leases,
      leaseWaits: this.#waits,
      storeReads: reads,
      storeWrites: writes,
      storeFailures: failures,
      signals: this.#signals,
    }
  }

  #isDue({ leftMs }: Candidate, { ahead }: ObtainOptions): boolean {
    return ahead === true && leftMs <= this.#host.refreshAheadMs
  }
}
