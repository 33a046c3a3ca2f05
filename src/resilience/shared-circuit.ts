import { type Bytes, decodeUtf8, encodeUtf8, equalBytes } from '../bytes/index.ts'
import { wrongNumber, wrongOption } from '../checks/index.ts'
import type { KmsSignalOptions } from '../kms/index.ts'
import type { KeyValueStore } from '../ports/index.ts'
import { keepAlive, withTimeout } from '../runtime/index.ts'
import type { Ports } from './service.ts'

/** A record of another isolate in the store. Advice: it may be old, lost or forged. */
export interface CircuitAdvice {
  readonly phase: 'open' | 'closed'
  /** When it was written, by the writer's clock. */
  readonly atMs: number
}

/** The store is read at most this often. */
const POLL_MS = 1_000
/** Longest wait for the lease. A slower store is ignored. */
const LEASE_WAIT_MS = 250
/** Longest wait for a read or write in the background, which nobody waits for. */
const BACKGROUND_MS = 5_000
const NOTHING = /* @__PURE__ */ new Uint8Array(0)
/** Our records are shorter. */
const MAX_RECORD_BYTES = 128

/**
 * Shares the state of one circuit among isolates, over a store that may be down, slow or lie. Its
 * failures are never errors of a call, and calls wait only for the lease of a probe.
 *
 * @remarks Security: an attacker who can write to the store can have calls refused, or made although a
 * KMS is down. The attacker cannot make a call succeed.
 */
export class SharedCircuit {
  readonly #store: KeyValueStore
  readonly #key: string
  readonly #ttlMs: number
  readonly #ports: Ports
  #askedAtMs = -Infinity
  /** The record as this isolate last saw it: a different one was written since. */
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
    const { compareAndSwap, maxKeyBytes } = capabilitiesOf(store)
    const longestKey = encodeUtf8(`${key}/probe`).length
    if (!compareAndSwap) throw wrongOption('store', 'a store with compare-and-swap')
    if (maxKeyBytes === undefined || maxKeyBytes < longestKey)
      throw wrongNumber('store', `a store for keys of ${String(longestKey)} bytes`, maxKeyBytes)
    this.#store = store
    this.#key = key
    this.#ttlMs = ttlMs
    this.#ports = ports
  }

  /**
   * Returns what others said since this isolate last told anything, without waiting: it begins to read,
   * and the next call sees the result. Advice stays until other advice replaces it.
   */
  news(options: KmsSignalOptions): CircuitAdvice | undefined {
    const now = this.#ports.runtime.now()
    // By time, not by a flag: a read that a dead request began never comes back.
    if (now - this.#askedAtMs >= POLL_MS || now < this.#askedAtMs) {
      this.#askedAtMs = now
      this.#inBackground((signal) => this.#read(signal), options)
    }
    return this.#news
  }

  /**
   * Returns whether this isolate may probe. One isolate probes per period; if the store does not answer,
   * each isolate decides alone.
   *
   * @throws the signal's reason
   */
  async lease({ signal }: KmsSignalOptions): Promise<boolean> {
    const { runtime, network } = this.#ports
    if (runtime.now() < this.#leasedUntilMs) return true
    const error = (): Error => new Error('the store is too slow')
    const bound = { timeoutMs: LEASE_WAIT_MS, signal, network, error }
    try {
      return await withTimeout(() => this.#take(), bound)
    } catch {
      signal?.throwIfAborted()
      return true
    }
  }

  /** Tells the others, unless one of them wrote since we last looked: that one knows better. */
  tell(phase: CircuitAdvice['phase'], options: KmsSignalOptions): void {
    this.#leasedUntilMs = -Infinity
    this.#told += 1
    this.#news = undefined
    // A clock may count parts of a millisecond, and a reader takes whole ones only.
    const advice: CircuitAdvice = { phase, atMs: Math.floor(this.#ports.runtime.now()) }
    const record = encodeUtf8(JSON.stringify({ v: 1, ...advice }))
    this.#inBackground((signal) => this.#write(record, signal), options)
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

  /** Updates are ordered by store writes, so isolate clocks need not agree. */
  async #read(signal: AbortSignal): Promise<void> {
    const told = this.#told
    const record = await this.#store.get(this.#key, { signal })
    const isSeen = equalBytes(record ?? NOTHING, this.#record ?? NOTHING)
    if (isSeen || told !== this.#told) return
    this.#record = record
    this.#news = record === undefined ? undefined : adviceOf(record)
  }

  async #write(next: Bytes, signal: AbortSignal): Promise<void> {
    const put = (seen: Bytes | undefined): Promise<boolean> =>
      this.#store.compareAndSwap(this.#key, seen, next, { ttlMs: 2 * this.#ttlMs, signal })
    // The record that we saw may have expired: then nobody knows better.
    const swapped =
      (await put(this.#record)) || (this.#record !== undefined && (await put(undefined)))
    if (swapped) this.#record = next
    else this.#askedAtMs = -Infinity
  }

  /** On Workers the work outlives its request only if it is deferred. A failure is no advice. */
  #inBackground(work: (signal: AbortSignal) => Promise<void>, { defer }: KmsSignalOptions): void {
    const error = (): Error => new Error('the store is too slow')
    const bound = { timeoutMs: BACKGROUND_MS, network: this.#ports.network, error }
    const quiet = withTimeout(work, bound).catch(() => undefined)
    keepAlive(defer, quiet)
  }
}

function capabilitiesOf(store: Partial<KeyValueStore>): Partial<KeyValueStore['capabilities']> {
  const { capabilities, get, compareAndSwap } = Object(store) as typeof store
  if (Object(capabilities) === capabilities && get !== undefined && compareAndSwap !== undefined)
    return capabilities ?? {}
  throw wrongOption('store', 'a KeyValueStore', store)
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
