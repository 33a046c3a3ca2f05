import { type Bytes, equalBytes } from '../../bytes/index.ts'
import type { CanonicalContext } from '../../kms/index.ts'
import type { Adoption } from './adoption.ts'
import type { BoundedStore } from './bounded-store.ts'
import type { PartitionEpoch } from './epoch.ts'
import { decodeSlot, type Slot } from './slot.ts'
import type { StoreAuth } from './store-auth.ts'

/** The slot of a context, as one read of the store found it. */
export interface Look {
  readonly name: string
  /** The value as it is, which a swap must name. */
  readonly bytes: Bytes | undefined
  readonly slot: Slot
  /** The adoption's, when the look began. */
  readonly generation: number
}

/** Looks at what the store holds for a context. */
export class SlotLooks {
  readonly #auth: StoreAuth
  readonly #store: BoundedStore
  readonly #epoch: PartitionEpoch
  readonly #adoption: Adoption

  constructor(auth: StoreAuth, store: BoundedStore, epoch: PartitionEpoch, adoption: Adoption) {
    this.#auth = auth
    this.#store = store
    this.#epoch = epoch
    this.#adoption = adoption
  }

  /** Returns the content of the slot, or `undefined` if the store does not answer. */
  async look(
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
}
