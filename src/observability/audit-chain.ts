import { encodeBase64Url } from '../bytes/index.ts'
import { signCheckpoint } from '../ciphers/index.ts'
import { KmsError } from '../errors.ts'
import type { Network, Runtime } from '../ports/index.ts'
import { SingleFlight } from '../runtime/index.ts'
import type { AuditCheckpoint, AuditRecord, KmsAuditEvent } from './audit-event.ts'
import { auditHash, checkpointBytes, GENESIS } from './audit-hash.ts'

/** A record that waits to be known safe. */
export interface Pending {
  readonly seq: number
  readonly event: KmsAuditEvent
  readonly sinceMs: number
  /** Given up before it was safe: the memory was full. */
  isLost: boolean
}

/** Records that are kept for the next write after their own has failed. */
const MAX_PENDING = 1_000
/** What has waited for longer goes along with whoever writes next. */
const STRAGGLER_MS = 1_000
/** A writer whose hashes another one computes does it itself after so long: that one may be dead. */
const FOLLOWER_WAIT_MS = 50

/**
 * The chain of one writer. A place in it is taken at once; hashes are computed for everything that
 * has a place by then, by one of the writers that need one: the result is the same whoever does.
 */
export class AuditChain {
  readonly #runtime: Runtime
  readonly #hashing: SingleFlight<void>
  #writer: string | undefined
  #next = 0
  #head = { seq: -1, hash: GENESIS }
  /** How many records from the first on are safe, and the hash of the last of them. */
  #safe = { size: 0, hash: GENESIS }
  readonly #since: Pending[] = []
  readonly #unsafe = new Map<number, Pending>()
  readonly #hashes = new Map<number, { prev: string; hash: string }>()

  constructor(runtime: Runtime, network: Pick<Network, 'after'>) {
    this.#runtime = runtime
    this.#hashing = new SingleFlight(network, FOLLOWER_WAIT_MS)
  }

  /** How many records from the first on are safe. */
  get safeSize(): number {
    return this.#safe.size
  }

  /** Takes the next place for an event. */
  append(event: KmsAuditEvent): Pending {
    const pending = { seq: this.#next++, event, sinceMs: this.#runtime.now(), isLost: false }
    this.#since.push(pending)
    this.#unsafe.set(pending.seq, pending)
    return pending
  }

  /**
   * The records of these, and those that others should have written by now; without those that others
   * have written meanwhile. Frozen: a sink that fails must leave them as their hash says.
   *
   * @throws KmsError `ERR_STORE_UNAVAILABLE` if one of them was given up
   */
  async records(own: readonly Pending[]): Promise<readonly AuditRecord[]> {
    const nowMs = this.#runtime.now()
    const late = [...this.#unsafe.values()].filter((one) => nowMs - one.sinceMs >= STRAGGLER_MS)
    const wanted = [...new Set([...late, ...own])].sort((a, b) => a.seq - b.seq)
    await this.#hashUpTo(wanted.at(-1)?.seq ?? -1)
    if (own.some(({ isLost }) => isLost)) throw new KmsError('ERR_STORE_UNAVAILABLE')
    const records = wanted.flatMap(({ seq, event }) => {
      const hashes = this.#hashes.get(seq)
      if (!this.#unsafe.has(seq) || hashes === undefined) return []
      return [Object.freeze({ v: 1 as const, writer: this.#name(), seq, ...hashes, event })]
    })
    return Object.freeze(records)
  }

  /** These records are safe. */
  written(records: readonly AuditRecord[]): void {
    for (const { seq } of records) this.#unsafe.delete(seq)
    this.#advance()
  }

  /** What could not be written waits for the next write; without bound it would fill the memory. */
  trim(): number {
    let lost = 0
    for (const [seq, pending] of this.#unsafe) {
      if (this.#unsafe.size <= MAX_PENDING) break
      pending.isLost = true
      this.#unsafe.delete(seq)
      lost++
    }
    this.#advance()
    return lost
  }

  /** A signed statement of how far the chain is safe, or `undefined` if nothing is. */
  async checkpoint(key: CryptoKey): Promise<AuditCheckpoint | undefined> {
    const { size, hash } = this.#safe
    if (size === 0) return undefined
    const unsigned = { v: 1 as const, writer: this.#name(), size, hash, atMs: this.#runtime.now() }
    const signature = encodeBase64Url(await signCheckpoint(key, checkpointBytes(unsigned)))
    return { ...unsigned, signature }
  }

  async #hashUpTo(last: number): Promise<void> {
    while (this.#head.seq < last) await this.#hashing.run('', () => this.#hashAll(), {})
  }

  async #hashAll(): Promise<void> {
    const writer = this.#name()
    const { seq: from } = this.#head
    let { hash: prev } = this.#head
    // A copy: other calls change the list while this one waits for its digests.
    for (const { seq, event } of this.#since.filter((one) => one.seq > from)) {
      const own = await auditHash({ v: 1, writer, seq, prev, event })
      // Where two of them hash the same, the first one's result is taken.
      if (seq === this.#head.seq + 1) {
        this.#hashes.set(seq, { prev, hash: own })
        this.#head = { seq, hash: own }
        this.#since.shift()
      }
      prev = own
    }
  }

  #advance(): void {
    for (;;) {
      const { size } = this.#safe
      const hashes = this.#hashes.get(size)
      if (hashes === undefined || this.#unsafe.has(size)) return
      this.#hashes.delete(size)
      this.#safe = { size: size + 1, hash: hashes.hash }
    }
  }

  /** Drawn at first use: at import there is no randomness, and a snapshot would clone it. */
  #name(): string {
    this.#writer ??= encodeBase64Url(this.#runtime.randomFill(new Uint8Array(16)))
    return this.#writer
  }
}
