import type { Bytes } from '../bytes/index.ts'
import type { KmsSignalOptions } from '../kms/index.ts'
import type { KeyValueStore } from '../ports/index.ts'
import { sleep } from '../runtime/index.ts'
import { BACKGROUND_MS, inBackground } from './background.ts'
import {
  type CircuitAdvice,
  circuitIn,
  type CircuitRecord,
  encodeCircuit,
  sameAdvice,
} from './circuit-record.ts'
import { demandCircuitStore } from './circuit-store.ts'
import type { CircuitRules } from './circuit-window.ts'
import { ProbeLease } from './probe-lease.ts'
import type { Ports } from './service.ts'
import { UnreportedCalls } from './unreported-calls.ts'

/** The store is read at most this often. */
const POLL_MS = 1_000
/** How often a write is tried that others were faster than. */
const MAX_TRIES = 16
/** How long an isolate waits at most after each further write that it lost. */
const SPREAD_MS = 20

/**
 * Shares one circuit among isolates, its state and the failures that open it, over a store that may be
 * down, slow or lie. Its failures are never errors of a call, and calls wait only for the lease of a probe.
 *
 * @remarks Security: an attacker who can write to the store can have calls refused, or made although a
 * KMS is down. The attacker cannot make a call succeed.
 */
export class SharedCircuit {
  readonly #store: KeyValueStore
  readonly #key: string
  readonly #rules: CircuitRules
  readonly #ports: Ports
  readonly #lease: ProbeLease
  readonly #unreported: UnreportedCalls
  #askedAtMs = -Infinity
  /** The record as this isolate last saw it: a different one was written since. */
  #record: Bytes | undefined
  /** How often this isolate has told the others. */
  #told = 0
  #news: CircuitAdvice | undefined

  /** @throws KmsError `ERR_KMS_CONFIG` if the store has no compare-and-swap or no room for the key */
  constructor(store: KeyValueStore, key: string, rules: CircuitRules, ports: Ports) {
    const probeKey = `${key}/probe`
    demandCircuitStore(store, probeKey)
    this.#store = store
    this.#key = key
    this.#rules = rules
    this.#ports = ports
    this.#lease = new ProbeLease(store, probeKey, rules.resetTimeoutMs, ports)
    this.#unreported = new UnreportedCalls(rules, BACKGROUND_MS)
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
      inBackground(this.#ports, (signal) => this.#read(signal), options)
    }
    return this.#news
  }

  /**
   * Returns whether this isolate may probe. One isolate probes per period; if the store does not answer,
   * each isolate decides alone. The lease is not given back when the caller of a probe gives up: the KMS may
   * have been asked. This isolate probes again under it, the others wait for the rest of the period.
   *
   * @throws the signal's reason
   */
  lease(options: KmsSignalOptions): Promise<boolean> {
    return this.#lease.take(options)
  }

  /** Tells the others, unless one of them told something since we last looked: that one knows better. */
  tell(phase: CircuitAdvice['phase'], options: KmsSignalOptions): void {
    this.#lease.end()
    this.#told += 1
    this.#news = undefined
    this.#unreported.clear()
    const advice = { phase, atMs: this.#ports.runtime.now() }
    inBackground(this.#ports, (signal) => this.#write({ advice, window: [] }, signal), options)
  }

  /**
   * Counts a call of a closed circuit, and reports what was counted if the call failed. One that succeeded
   * costs no call of the store, unless failures of other isolates are about to open the circuit.
   */
  count(failed: boolean, options: KmsSignalOptions): void {
    const nowMs = this.#ports.runtime.now()
    this.#unreported.add(failed, nowMs)
    if (!this.#unreported.begins(failed, this.#seen.window, nowMs)) return
    inBackground(this.#ports, (signal) => this.#report(failed ? MAX_TRIES : 1, signal), options)
  }

  get #seen(): CircuitRecord {
    return circuitIn(this.#record, this.#rules)
  }

  /** Updates are ordered by store writes, so isolate clocks need not agree. */
  async #read(signal: AbortSignal): Promise<void> {
    const told = this.#told
    this.#askedAtMs = this.#ports.runtime.now()
    const record = await this.#store.get(this.#key, { signal })
    if (told !== this.#told) return
    const before = this.#seen
    this.#record = record
    if (sameAdvice(before, this.#seen)) return
    this.#news = this.#seen.advice
    if (this.#news?.phase === 'open') this.#unreported.clear()
  }

  /** Writes advice over the record that was seen, and over one in which others only counted calls. */
  async #write(next: CircuitRecord, signal: AbortSignal): Promise<void> {
    const told = this.#told
    const before = this.#seen
    if (await this.#swap(this.#record, next, signal)) return
    // The record that we saw may have expired: then nobody knows better.
    if (this.#record !== undefined && (await this.#swap(undefined, next, signal))) return
    for (let tries = 1; tries < MAX_TRIES && told === this.#told; tries++) {
      await this.#readAfterLoss(tries, signal)
      if (told !== this.#told || !sameAdvice(before, this.#seen)) return
      if (await this.#swap(this.#record, next, signal)) return
    }
  }

  /** Adds what was not reported to what all have counted. The isolate that makes it too much opens the circuit. */
  async #report(most: number, signal: AbortSignal): Promise<void> {
    const told = this.#told
    for (let tries = 1; tries <= most && !signal.aborted; tries++) {
      const nowMs = this.#ports.runtime.now()
      const { advice, window } = this.#seen
      const isOpen = advice?.phase === 'open'
      if (isOpen && nowMs - advice.atMs < this.#rules.resetTimeoutMs) {
        this.#unreported.clear()
        return
      }
      const counted = this.#unreported.over(window, nowMs)
      if (counted === undefined) return
      const open: CircuitRecord = { advice: { phase: 'open', atMs: nowMs }, window: [] }
      // An open circuit whose time is over is advice no more.
      const count = { advice: isOpen ? undefined : advice, window: counted.window }
      const swapped = await this.#swap(this.#record, counted.opens ? open : count, signal)
      if (told !== this.#told) return
      if (swapped && counted.opens) {
        this.#hearSelf()
        return
      }
      if (swapped) {
        this.#unreported.reported()
        tries = 0 // others of our calls may have failed since
      } else {
        this.#unreported.restore(nowMs)
        if (tries < most) await this.#readAfterLoss(tries, signal)
      }
    }
    this.#unreported.done()
  }

  /** The calls that this isolate has counted are news to its own circuit. */
  #hearSelf(): void {
    this.#told += 1
    this.#news = this.#seen.advice
    this.#unreported.clear()
  }

  async #swap(
    expected: Bytes | undefined,
    next: CircuitRecord,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { resetTimeoutMs, windowMs } = this.#rules
    const told = this.#told
    const ttlMs = Math.max(2 * resetTimeoutMs, next.window.length > 0 ? windowMs : 0)
    const bytes = encodeCircuit(next, this.#rules)
    const swapped = await this.#store.compareAndSwap(this.#key, expected, bytes, { ttlMs, signal })
    if (swapped && told === this.#told) this.#record = bytes
    return swapped
  }

  /** Isolates that met at one record must not meet again. */
  async #readAfterLoss(tries: number, signal: AbortSignal): Promise<void> {
    const { network, runtime } = this.#ports
    this.#askedAtMs = runtime.now() // nobody else needs to ask meanwhile
    const delayMs = (tries - 1) * SPREAD_MS * network.jitter()
    if (delayMs > 0) await sleep(network, delayMs, signal)
    await this.#read(signal)
  }
}
