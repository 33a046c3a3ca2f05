import { type Bytes, concatBytes, copyBytes, encodeU64, equalBytes } from '../../bytes/index.ts'
import { KmsError } from '../../errors.ts'
import type { KmsSignalOptions } from '../../kms/index.ts'
import type { Runtime } from '../../ports/index.ts'
import type { Defer } from '../data-key-source.ts'
import { within } from '../held-key.ts'
import type { BoundedStore } from './bounded-store.ts'
import { ID_BYTES } from './slot.ts'
import type { StoreAuth } from './store-auth.ts'

const VERSION = 0x01
/** The epoch of a partition in which nobody has invalidated anything. */
const NONE: Epoch = { id: new Uint8Array(ID_BYTES), atMs: -Infinity }
/** Longer than any data key is written under: a signal must not be forgotten before what it ended. */
const TTL_MS = 604_800_000
/** How far the clocks of two processes may differ. */
const SKEW_MS = 60_000
/** For as long a store may still show what stood there before a change. */
const SETTLE_MS = 300_000

/** What an epoch stands on. */
export interface EpochPorts {
  readonly auth: StoreAuth
  readonly store: BoundedStore
  readonly runtime: Runtime
  readonly signalMs: number
  /** Another process said to drop everything: since the last look, or about when this one began. */
  readonly onChange: (since: 'last-look' | 'start') => void
}

interface Epoch {
  readonly id: Bytes
  readonly atMs: number
}

/**
 * The epoch of a partition: a random id that changes when somebody invalidates something. Slots of
 * another epoch are worth nothing, and whoever sees it change drops what they hold. Two who change it
 * at once are no conflict: whichever is left is another one than before.
 */
export class PartitionEpoch {
  readonly #ports: EpochPorts
  #known: Epoch | undefined
  #lookedAtMs = -Infinity

  constructor(ports: EpochPorts) {
    this.#ports = ports
  }

  /**
   * The epoch, not older than `signalMs`; `undefined`: the store does not answer, and never has.
   *
   * @param stale - an epoch that is known to be past
   */
  async current(signal: AbortSignal | undefined, stale?: Bytes): Promise<Bytes | undefined> {
    const { runtime, signalMs } = this.#ports
    const looked = within(this.#lookedAtMs, runtime.now(), signalMs)
    const known = this.#known?.id
    if (known !== undefined && looked && !(stale && equalBytes(stale, known))) return known
    await this.#look(signal)
    return this.#known?.id
  }

  /** A look in the background, at most one in `signalMs`. */
  look(nowMs: number, defer: Defer): void {
    if (within(this.#lookedAtMs, nowMs, this.#ports.signalMs)) return
    this.#lookedAtMs = nowMs
    const work = this.#look(undefined).catch(() => undefined)
    defer?.(work)
  }

  /** @throws KmsError `ERR_STORE_UNAVAILABLE` */
  async change({ signal }: KmsSignalOptions): Promise<void> {
    const { auth, store, runtime } = this.#ports
    const id = runtime.randomFill(new Uint8Array(ID_BYTES))
    const name = await auth.epochName()
    const atMs = Math.floor(runtime.now())
    const body = concatBytes(new Uint8Array([VERSION]), id, encodeU64(atMs))
    const value = concatBytes(body, await auth.valueMac(name, body))
    const written = await store.put(name, value, TTL_MS, signal, 'now')
    if (written === undefined) {
      throw new KmsError('ERR_STORE_UNAVAILABLE', { message: 'the others were not told' })
    }
    this.#known = { id, atMs }
  }

  /** As before the first look. */
  clear(): void {
    this.#known = undefined
    this.#lookedAtMs = -Infinity
  }

  async #look(signal: AbortSignal | undefined): Promise<void> {
    const { auth, store, runtime, onChange } = this.#ports
    const startMs = runtime.now()
    this.#lookedAtMs = startMs
    const before = this.#known
    const name = await auth.epochName()
    const answer = await store.get(name, signal)
    // Not heard is not changed: what is held ends by its own time.
    if (answer === undefined) return
    const read = await this.#read(name, answer.value)
    // One that another look of this process or its own change was faster to learn counts.
    if (this.#known !== before) return
    if (before === undefined) {
      this.#known = read
      if (read.atMs >= startMs - SKEW_MS) onChange('start')
      return
    }
    if (equalBytes(before.id, read.id)) return
    // A change is not taken back by a store that does not show it yet, or any more, for a while.
    const settling = Math.abs(runtime.now() - before.atMs) < SETTLE_MS
    if (read.atMs < before.atMs && settling) return
    this.#known = read
    onChange('last-look')
  }

  /** A forged epoch is none: whoever can write the store can also delete. */
  async #read(name: string, value: Bytes | undefined): Promise<Epoch> {
    if (value === undefined) return NONE
    const end = value.length - this.#ports.auth.macBytes
    const body = copyBytes(value.subarray(0, Math.max(end, 0)))
    if (body.length !== 1 + ID_BYTES + 8 || body[0] !== VERSION) return NONE
    if (!(await this.#ports.auth.isValue(copyBytes(value.subarray(end)), name, body))) return NONE
    const atMs = Number(new DataView(body.buffer).getBigUint64(1 + ID_BYTES))
    return { id: body.slice(1, 1 + ID_BYTES), atMs }
  }
}
