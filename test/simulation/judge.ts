import {
  EncryptedEnvelope,
  isKmsError,
  KMS_ERROR_CODES,
  type KmsErrorCode,
} from '../../src/index.ts'
import { CallBounds } from './call-bounds.ts'
import type { DataKeyTable } from './sim-data-key-store.ts'
import type { Isolate } from './isolate.ts'
import { Nonces } from './nonces.ts'
import { encryptForOf, type FaultWindow, type Plan } from './plan.ts'
import { currentScope, type Task } from './scope.ts'
import type { Scheduler } from './scheduler.ts'
import { hex, type KmsWitness } from './sim-kms.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** Rules that must always hold. */
export type Rule =
  | 'opens' // what was written opens, to the right plaintext, for the right context; it never passes for forged
  | 'foreign' // nothing else opens: another context, another aad, changed bytes
  | 'planted' // no message is written under a key of an attacker who can write the shared store
  | 'one' // if only isolates fail, a strong store costs one data key for each context and life of a key
  | 'age' // no key writes past its age limit, or from the future
  | 'nonce' // no data key uses a nonce twice, and no two isolates share a prefix under it
  | 'uses' // no key writes more messages in one isolate than it may
  | 'cleared' // what was made before a clear does not write after it
  | 'durable' // a message by reference leaves when its record can be read
  | 'secret' // no DEK in a store or an error
  | 'calls' // a held key is not asked for again
  | 'revoked' // a disabled key is not used for longer than the cache may hold it
  | 'typed' // an error is a KmsError of a known code, or the caller's own abort
  | 'calm' // where nothing fails, everything succeeds
  | 'failover' // any one KEK opens what is wrapped under several
  | 'abort' // who gives up is let go at once
  | 'hang' // every operation ends

export interface Violation {
  readonly rule: Rule
  readonly text: string
}

/** A message that left, and what it must open to. */
export interface Written {
  readonly envelope: Bytes
  readonly plaintext: Bytes
  readonly tenant: string
  readonly row: string
}

/** Clocks of other writers may be this far ahead: the format says so. */
const FUTURE_SKEW_MS = 300_000
/** The slowest way of an answer, and what a read takes besides. */
const SLACK_MS = 21_000
/** Errors that a request may see because something failed, as long as that is true. */
const OUTAGES: readonly KmsErrorCode[] = [
  'ERR_KMS_UNAVAILABLE',
  'ERR_KMS_TIMEOUT',
  'ERR_KMS_THROTTLED',
  'ERR_STORE_UNAVAILABLE',
]

/** Hears everything and says what must not be. */
export class Judge implements KmsWitness {
  readonly violations: Violation[] = []
  readonly written: Written[] = []
  /** Commitments of data keys that somebody else knows. */
  readonly planted = new Set<string>()
  readonly bounds: CallBounds
  readonly #plan: Plan
  readonly #scheduler: Scheduler
  readonly #startMs: number
  readonly #secrets = new Map<number, Bytes[]>()
  readonly #uses = new Map<string, number>()
  readonly #nonces = new Nonces()
  /** The isolate that made the data key behind a wrap, and the time on its clock. */
  readonly #made = new Map<string, { readonly isolate: Isolate; readonly createdAtMs: number }>()
  /** Data keys that an isolate had, by the number of clears before. */
  readonly #had = new Map<string, number>()
  readonly #clears = new Map<Isolate, number>()
  /** When the last data key of a tenant was made, world time. */
  readonly #lives = new Map<string, number>()
  /** Hears of each data key that is asked for. */
  onGenerate: (isolate: Isolate) => void = () => undefined
  #crashedAtMs = -Infinity
  #invalidatedAtMs = -Infinity
  /** Isolates that told the others: when each asked, and when it was done. */
  readonly #tellers = new Map<Isolate, { readonly askedMs: number; readonly toldMs: number }>()
  #table: DataKeyTable | undefined

  /** How often an isolate was cleared. */
  clearsOf(isolate: Isolate): number {
    return this.#clears.get(isolate) ?? 0
  }

  constructor(plan: Plan, scheduler: Scheduler) {
    this.#plan = plan
    this.#scheduler = scheduler
    this.#startMs = scheduler.nowMs
    this.bounds = new CallBounds(plan, (text) => {
      this.blame('calls', text)
    })
  }

  watch(table: DataKeyTable): void {
    this.#table = table
  }

  blame(rule: Rule, text: string): void {
    this.violations.push({ rule, text })
  }

  asked(isolate: Isolate, provider: string, operation: string, subject: string): () => void {
    const writes = currentScope()?.task.kind.startsWith('encrypt') === true
    if (operation === 'generate') {
      this.#begins(isolate)
      this.onGenerate(isolate)
    }
    if (operation === 'unwrap' && writes) this.#adopts(isolate, subject)
    return this.bounds.asked(isolate, provider, operation, subject)
  }

  made(isolate: Isolate, wrapped: string, createdAtMs: number): void {
    this.#made.set(wrapped, { isolate, createdAtMs })
  }

  cleared(isolate: Isolate): void {
    this.#clears.set(isolate, (this.#clears.get(isolate) ?? 0) + 1)
  }

  crashed(): void {
    this.#crashedAtMs = this.#scheduler.nowMs
  }

  /** This isolate signalled all others; it was asked to at that world time. */
  invalidated(isolate: Isolate, atMs: number): void {
    this.#invalidatedAtMs = Math.max(this.#invalidatedAtMs, atMs)
    this.#tellers.set(isolate, { askedMs: atMs, toldMs: this.#scheduler.nowMs })
  }

  /** One life of a key after the other: a tenant's next one is not made before the last one ends. */
  #begins(isolate: Isolate): void {
    const { shared, calm, ttlMs, maxStaleMs, maxMessages, skewMs, encryptForMs } = this.#plan
    const tenant = currentScope()?.task.tenant
    if (shared?.propagationMs !== 0 || !calm || tenant === undefined) return
    // A clock that is ahead by more takes a lease for one that has ended.
    if (2 * skewMs >= shared.leaseMs) return
    if (maxMessages <= 1_000 || this.#clears.size > 0) return
    const nowMs = this.#scheduler.nowMs
    const lastMs = this.#lives.get(tenant) ?? -Infinity
    this.#lives.set(tenant, nowMs)
    const shortestMs = shared.mixed ? encryptForOf(this.#plan, 1) : encryptForMs
    const aheadMs = maxStaleMs > 0 ? ttlMs / 5 : 0
    const endMs = lastMs + shortestMs - Math.min(5_000, shortestMs / 20) - aheadMs - 2 * skewMs
    // An isolate that dies with a lease leaves the key to one other, and no more than one.
    if (this.#crashedAtMs >= lastMs - 1_000) return
    if (nowMs < endMs - 1_000) {
      this.blame(
        'one',
        `${isolate.name} made another key of ${tenant}, ${String(endMs - nowMs)} ms early`,
      )
    }
  }

  /** A writer asks for a key that another one made: it must be young by either's rules. */
  #adopts(isolate: Isolate, wrapped: string): void {
    const { stack, keks, jumps } = this.#plan
    const made = this.#made.get(wrapped)
    // Retries and second KEKs are asked later than what was checked.
    if (made === undefined || stack !== 'bare' || keks.length > 1 || jumps > 0) return
    const lifeMs = Math.min(
      ...[isolate, made.isolate].map(({ slot }) => encryptForOf(this.#plan, slot)),
    )
    const lateMs = isolate.nowMs - made.createdAtMs - lifeMs
    if (lateMs >= 0)
      this.blame('age', `${isolate.name} adopts a key ${String(lateMs)} ms after its end`)
  }

  secret(dek: Bytes): void {
    const first = word(dek, 0)
    this.#secrets.set(first, [...(this.#secrets.get(first) ?? []), dek.slice()])
  }

  /** Looks for any DEK at any place. */
  inspect(bytes: Uint8Array, where: string): void {
    for (let at = 0; at + 32 <= bytes.length; at++) {
      for (const dek of this.#secrets.get(word(bytes, at)) ?? []) {
        if (dek.every((byte, i) => bytes[at + i] === byte))
          this.blame('secret', `a DEK in ${where}`)
      }
    }
  }

  /** A message left. `startMs` is the isolate's clock when it was asked for. */
  wrote(isolate: Isolate, written: Written, since: Since): void {
    const parsed = EncryptedEnvelope.parse(written.envelope)
    const name = hex(parsed.commitment)
    const record = this.#table?.rows.get(`ek1/${base64Url(parsed.commitment)}`)
    if (parsed.createdAtMs === undefined && record === undefined) {
      this.blame('durable', `${isolate.name} let a message leave without its record`)
    }
    const createdAtMs =
      parsed.createdAtMs ?? (record && EncryptedEnvelope.parse(record).createdAtMs) ?? NaN
    const startMs = Math.min(since.clockMs, isolate.nowMs)
    if (this.planted.has(name)) this.blame('planted', `${isolate.name} wrote under a planted key`)
    if (startMs - createdAtMs >= encryptForOf(this.#plan, isolate.slot)) {
      this.blame('age', `${isolate.name} wrote under a key of ${String(startMs - createdAtMs)} ms`)
    }
    if (createdAtMs > Math.max(since.clockMs, isolate.nowMs) + FUTURE_SKEW_MS) {
      this.blame('age', `${isolate.name} wrote under a key from the future`)
    }
    const reused = this.#nonces.add(isolate, name, written)
    if (reused !== undefined) this.blame('nonce', reused)
    const use = `${isolate.name} ${name}`
    const { clearedAtMs } = since
    if (clearedAtMs !== undefined && createdAtMs < clearedAtMs && isolate.wentBackMs === 0) {
      // Others' keys may be older than that: then it is one which this isolate had that must not come back.
      const hadIt = (this.#had.get(use) ?? Infinity) < since.clears
      if (this.#plan.shared === undefined || hadIt) {
        this.blame('cleared', `${isolate.name} wrote under a key from before its clear`)
      }
    }
    // Of an operation in the middle of which it was cleared, either may be: it asked again after that.
    const isOf = since.clears === this.clearsOf(isolate)
    if (isOf && !this.#had.has(use)) this.#had.set(use, since.clears)
    this.#afterInvalidation(isolate, createdAtMs, since)
    const uses = (this.#uses.get(use) ?? 0) + 1
    this.#uses.set(use, uses)
    // Of a key that comes back from the shared level it is known for as many keys as the cache may hold.
    const isKnown = this.#plan.shared === undefined || this.#plan.maxEntries >= 1_000
    if (isKnown && uses > this.#plan.maxMessages)
      this.blame('uses', `${use} was used ${String(uses)} times`)
    this.#afterRevocation(isolate, since, 'wrote')
    this.written.push(written)
  }

  /** Something opened. `from` is what was asked for; nothing if no answer was right. */
  opened(
    isolate: Isolate,
    plaintext: Uint8Array,
    from: Written,
    since: Since,
    hostile: boolean,
  ): void {
    const right = hex(plaintext) === hex(from.plaintext)
    if (!right) this.blame('opens', `${isolate.name} read another plaintext than was written`)
    else if (!hostile) this.#afterRevocation(isolate, since, 'read')
  }

  /** An operation failed. */
  failed(
    isolate: Isolate,
    error: unknown,
    { kind, hostile }: Task,
    since: Since,
    reason: unknown,
  ): void {
    if (reason !== undefined && error === reason) return
    if (!isKmsError(error) || !KMS_ERROR_CODES.includes(error.code)) {
      this.blame('typed', `${isolate.name} ${kind} threw ${String(error)}`)
      return
    }
    this.inspect(Buffer.from(JSON.stringify(error) + String(error.stack)), 'an error')
    if (hostile) return
    const { code } = error
    // A decrypt that waited for its data key when the isolate was cleared must open nothing after it; a write takes a
    // new key.
    const cleared = since.clears !== this.clearsOf(isolate) && !kind.startsWith('encrypt')
    if (cleared && code === 'ERR_DATA_KEY_EXHAUSTED') return
    if (this.#plan.calm) this.blame('calm', `${isolate.name} ${kind}: ${code} where nothing fails`)
    const revoked = this.#plan.revokedAtMs !== undefined && code === 'ERR_KMS_KEY_DISABLED'
    const exhausted = kind.startsWith('encrypt') && code === 'ERR_DATA_KEY_EXHAUSTED'
    if (!OUTAGES.includes(code) && !revoked && !exhausted) {
      this.blame('opens', `${isolate.name} ${kind}: ${code} for what is genuine`)
    }
    if (kind.startsWith('decrypt') && code.startsWith('ERR_KMS_') && !this.#mayRefuse(code)) {
      const up = this.#plan.keks.find((name) => this.#wasUp(name, isolate.slot, since.atMs))
      if (up !== undefined) this.blame('failover', `${isolate.name}: ${code} though ${up} is up`)
    }
  }

  /** Whether nothing failed on the way to it, from well before the read until now. */
  #wasUp(target: string, slot: number, atMs: number): boolean {
    // A circuit that opened once refuses all but its probe whenever the next call comes (R23).
    const beforeMs = this.#plan.stack === 'bare' ? SLACK_MS : Infinity
    const from = atMs - this.#startMs - beforeMs
    const to = this.#scheduler.nowMs - this.#startMs
    const hits = (fault: FaultWindow): boolean =>
      fault.target === target &&
      (fault.slot ?? slot) === slot &&
      fault.fromMs <= to &&
      fault.toMs >= from
    return !this.#plan.faults.some(hits)
  }

  /**
   * A disabled key; a bulkhead that sheds (R25); a circuit whose clock went back stays open for longer. A bare
   * MultiKms ends no attempt, so a KEK that is slow may take all the time that the cache gives a call.
   */
  #mayRefuse(code: KmsErrorCode): boolean {
    const { stack, jumps, keks, faults } = this.#plan
    const isSlow = faults.some(({ kind, target }) => kind === 'slow' && keks.includes(target))
    if (stack === 'bare' && code === 'ERR_KMS_TIMEOUT' && isSlow) return true
    const refuses = stack !== 'bare' && (code === 'ERR_KMS_THROTTLED' || jumps > 0)
    return refuses || this.#isRevoked()
  }

  #isRevoked(): boolean {
    const { revokedAtMs } = this.#plan
    return revokedAtMs !== undefined && this.#scheduler.nowMs >= this.#startMs + revokedAtMs
  }

  /** One that has told everybody, or was born after that, writes under nothing older. */
  #afterInvalidation(isolate: Isolate, createdAtMs: number, { atMs }: Since): void {
    const { shared, skewMs, jumps } = this.#plan
    if (shared?.propagationMs !== 0 || shared.forgeries + shared.losses + jumps > 0) return
    const told = this.#tellers.get(isolate)
    const isYoung = isolate.bornAtMs >= this.#invalidatedAtMs && atMs >= this.#invalidatedAtMs
    const endedMs = isYoung ? this.#invalidatedAtMs : told && atMs >= told.toldMs ? told.askedMs : 0
    if (endedMs - createdAtMs - skewMs > 0)
      this.blame('cleared', `${isolate.name} wrote under what was invalidated`)
  }

  #afterRevocation(isolate: Isolate, { atMs }: Since, what: string): void {
    const { revokedAtMs, maxStaleMs } = this.#plan
    const ttlMs = this.#plan.ttlMs + maxStaleMs
    if (revokedAtMs === undefined) return
    // An answer that was on its way when the key was disabled is held from when it comes.
    const onItsWayMs = this.#plan.faults.some(({ kind }) => kind === 'slow') ? SLACK_MS : 500
    const lateMs = atMs - (this.#startMs + revokedAtMs + ttlMs + isolate.wentBackMs + onItsWayMs)
    if (lateMs > 0) this.blame('revoked', `${isolate.name} ${what} ${String(lateMs)} ms too late`)
  }
}

/** When an operation began. */
export interface Since {
  /** World time. */
  readonly atMs: number
  /** The isolate's clock. */
  readonly clockMs: number
  /** The isolate's clock at its last clear before that. */
  readonly clearedAtMs: number | undefined
  /** How often it was cleared before. */
  readonly clears: number
}

function word(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
}

function base64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}
