import { type Bytes, concatBytes, copyBytes, encodeU64, equalBytes } from '../../bytes/index.ts'
import type { KmsSignalOptions } from '../../kms/index.ts'
import type { Runtime } from '../../ports/index.ts'
import { keepAlive } from '../../runtime/index.ts'
import type { Defer } from '../data-key-source.ts'
import { within } from '../cache/held-key.ts'
import type { BoundedStore } from './bounded-store.ts'
import { ID_BYTES } from './slot.ts'
import type { StoreAuth } from './store-auth.ts'

const VERSION = 0x01
/** The epoch of a partition in which nobody has invalidated anything. */
const NONE: Epoch = { id: new Uint8Array(ID_BYTES), atMs: -Infinity }
/**
 * A year. Longer than any data key is written under, because a signal must not be forgotten before what it
 * ended; and not often, because its end is one more.
 */
const TTL_MS = 31_536_000_000
/** How far the clocks of two processes may differ. */
const SKEW_MS = 60_000
/** For as long an eventual store may still show what stood there before a change. */
const SETTLE_MS = 300_000
/** Epochs that were left and are known by their ids: as many as may be set within that time, or so. */
const MAX_PAST = 16

/** Parts that an epoch uses. */
export interface EpochPorts {
  readonly auth: StoreAuth
  readonly store: BoundedStore
  readonly runtime: Runtime
  readonly signalMs: number
  /** Whether the store shows each write to all at once. */
  readonly isStrong: boolean
  /** Another process said to drop everything: since the last look, or about when this one began. */
  readonly onChange: (since: 'last-look' | 'start') => void
}

interface Epoch {
  readonly id: Bytes
  readonly atMs: number
}

/**
 * The epoch of a partition: a random id that changes when a process invalidates something. Slots of another epoch are
 * worthless, and a process that sees the epoch change drops all its keys. Two processes that change it at once do not
 * conflict: either result differs from the old one. On a strong store the order needs no clock; on an eventual one,
 * the clocks of the writers decide which epoch is later.
 */
export class PartitionEpoch {
  readonly #ports: EpochPorts
  #known: Epoch | undefined
  /** Since when, by the clock of this process. */
  #knownSinceMs = 0
  readonly #past: Bytes[] = []
  #beganMs: number | undefined
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
    keepAlive(defer, work)
  }

  /** @throws KmsError `ERR_STORE_UNAVAILABLE` */
  async change({ signal }: KmsSignalOptions): Promise<void> {
    const { auth, store, runtime } = this.#ports
    const id = runtime.randomFill(new Uint8Array(ID_BYTES))
    const name = await auth.epochName()
    const atMs = Math.floor(runtime.now())
    const body = concatBytes(new Uint8Array([VERSION]), id, encodeU64(atMs))
    const value = concatBytes(body, await auth.valueMac(name, body))
    await store.mustPut(name, value, TTL_MS, signal)
    this.#learn({ id, atMs })
  }

  /** As before the first look. */
  clear(): void {
    this.#known = undefined
    this.#past.length = 0
    this.#beganMs = undefined
    this.#lookedAtMs = -Infinity
  }

  async #look(signal: AbortSignal | undefined): Promise<void> {
    const { auth, store, runtime, onChange } = this.#ports
    this.#lookedAtMs = runtime.now()
    this.#beganMs ??= this.#lookedAtMs
    const before = this.#known
    const name = await auth.epochName()
    const answer = await store.get(name, signal)
    // Not heard is not changed: what is held ends by its own time.
    if (answer === undefined) return
    const read = await this.#read(name, answer.value)
    // One that another look of this process or its own change was faster to learn counts.
    if (this.#known !== before) return
    if (before === undefined) {
      this.#learn(read)
      if (read.atMs >= this.#beganMs - SKEW_MS) onChange('start')
      return
    }
    if (equalBytes(before.id, read.id) || this.#isPast(read, before)) return
    this.#learn(read)
    onChange('last-look')
  }

  #learn(epoch: Epoch): void {
    if (this.#known !== undefined) this.#past.unshift(this.#known.id)
    this.#past.length = Math.min(this.#past.length, MAX_PAST)
    this.#known = epoch
    this.#knownSinceMs = this.#ports.runtime.now()
  }

  /** A change is not taken back by a store that does not show it yet, or any more, for a while. */
  #isPast(read: Epoch, before: Epoch): boolean {
    const { runtime, isStrong } = this.#ports
    if (!within(this.#knownSinceMs, runtime.now(), SETTLE_MS)) return false
    if (read === NONE || this.#past.some((id) => equalBytes(id, read.id))) return true
    return !isStrong && read.atMs < before.atMs
  }

  /** A forged epoch counts as absent: an attacker who can write the store can also delete. */
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
