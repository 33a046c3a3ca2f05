import { type Bytes, decodeUtf8, encodeUtf8, equalBytes } from '../bytes/index.ts'
import { wrongOption } from '../checks/index.ts'
import { type KmsSignalOptions } from '../kms/index.ts'
import type { KeyValueStore } from '../ports/index.ts'
import { sleep, untilAborted } from '../runtime/index.ts'
import type { Ports } from './service.ts'

/** What another isolate left in the store. Advice: it may be old, lost or forged. */
export interface CircuitAdvice {
  readonly phase: 'open' | 'closed'
  /** When it was written, by the writer's clock. */
  readonly atMs: number
}

/** The store is asked for news no more often than this. */
const POLL_MS = 1_000
/** Longest wait for the lease. A store that is slower has no say. */
const LEASE_WAIT_MS = 250
const NOTHING = /* @__PURE__ */ new Uint8Array(0)
/** A record that is longer is none of ours. */
const MAX_RECORD_BYTES = 128

/**
 * What the isolates tell each other about one circuit, over a store that may be down, slow or lie.
 * Nothing here throws, and nothing but the lease of a probe is waited for.
 *
 * @remarks Security: whoever can write the store can make calls be refused, or be made although a
 * KMS is down. It cannot make one succeed.
 */
export class SharedCircuit {
  readonly #store: KeyValueStore
  readonly #key: string
  readonly #ttlMs: number
  readonly #ports: Ports
  #askedAtMs = -Infinity
  /** What the store was last seen to hold: what differs from it was written since. */
  #record: Bytes | undefined
  /** How often this isolate has told the others. */
  #told = 0
  #news: CircuitAdvice | undefined
  #leasedUntilMs = -Infinity

  /**
   * @param ttlMs - how long an open circuit stays open, and with that how long a lease holds
   * @throws KmsError `ERR_KMS_CONFIG` if the store has no compare-and-swap or no room for the key
   */
  constructor(store: KeyValueStore, key: string, ttlMs: number, ports: Ports) {
    const { capabilities } = store
    const longestKey = encodeUtf8(`${key}/probe`).length
    if (!capabilities.compareAndSwap || capabilities.maxKeyBytes < longestKey)
      throw wrongOption('store')
    this.#store = store
    this.#key = key
    this.#ttlMs = ttlMs
    this.#ports = ports
  }

  /**
   * What others said since this isolate last told anything, without waiting: it begins to read, and the
   * next call sees what came. It stays until it is told otherwise: who cannot take it up now will.
   */
  news(options: KmsSignalOptions): CircuitAdvice | undefined {
    const now = this.#ports.runtime.now()
    // By time, not by a flag: a read that a dead request began never comes back.
    if (now - this.#askedAtMs >= POLL_MS || now < this.#askedAtMs) {
      this.#askedAtMs = now
      inBackground(this.#read(), options)
    }
    return this.#news
  }

  /**
   * Whether this isolate may probe. One isolate per period; if the store does not answer, each is on
   * its own.
   *
   * @throws the signal's reason
   */
  async lease(options: KmsSignalOptions): Promise<boolean> {
    if (this.#ports.runtime.now() < this.#leasedUntilMs) return true
    const waited = new AbortController()
    const late = sleep(this.#ports.network, LEASE_WAIT_MS, waited.signal)
    try {
      const alone = Promise.race([this.#take(), late]).then((won) => won ?? true)
      return await untilAborted(
        alone.catch(() => true),
        options.signal,
      )
    } finally {
      waited.abort()
      late.catch(() => undefined)
    }
  }

  /** Tells the others. Loses against whoever wrote since we last looked: they know better. */
  tell(phase: CircuitAdvice['phase'], options: KmsSignalOptions): void {
    this.#leasedUntilMs = -Infinity
    this.#told += 1
    this.#news = undefined
    // A clock may count parts of a millisecond, and a reader takes whole ones only.
    const advice: CircuitAdvice = { phase, atMs: Math.floor(this.#ports.runtime.now()) }
    inBackground(this.#write(encodeUtf8(JSON.stringify({ v: 1, ...advice }))), options)
  }

  async #take(): Promise<boolean> {
    const { runtime } = this.#ports
    const untilMs = runtime.now() + this.#ttlMs
    const owner = runtime.randomFill(new Uint8Array(16))
    const won = await this.#store.compareAndSwap(`${this.#key}/probe`, undefined, owner, {
      ttlMs: this.#ttlMs,
    })
    if (won) this.#leasedUntilMs = untilMs
    return won
  }

  /** What is news is told by the order of writes, not by clocks: those of isolates are apart. */
  async #read(): Promise<void> {
    const told = this.#told
    const record = await this.#store.get(this.#key)
    const isSeen = equalBytes(record ?? NOTHING, this.#record ?? NOTHING)
    if (isSeen || told !== this.#told) return
    this.#record = record
    this.#news = record === undefined ? undefined : adviceOf(record)
  }

  async #write(next: Bytes): Promise<void> {
    const put = (seen: Bytes | undefined): Promise<boolean> =>
      this.#store.compareAndSwap(this.#key, seen, next, { ttlMs: 2 * this.#ttlMs })
    // What was seen may have ended by its time: then nobody knows better.
    const swapped =
      (await put(this.#record)) || (this.#record !== undefined && (await put(undefined)))
    if (swapped) this.#record = next
    else this.#askedAtMs = -Infinity
  }
}

/** On Workers the work outlives its request only if it is deferred. A failure is no news. */
function inBackground(work: Promise<void>, { defer }: KmsSignalOptions): void {
  const quiet = work.catch(() => undefined)
  defer?.(quiet)
}

function adviceOf(record: Bytes): CircuitAdvice | undefined {
  if (record.length > MAX_RECORD_BYTES) return undefined
  try {
    const { v, phase, atMs } = Object(JSON.parse(decodeUtf8(record) ?? '')) as Record<
      string,
      unknown
    >
    const isPhase = phase === 'open' || phase === 'closed'
    return v === 1 && isPhase && Number.isSafeInteger(atMs)
      ? { phase, atMs: atMs as number }
      : undefined
  } catch {
    return undefined
  }
}
