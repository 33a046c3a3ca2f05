import {
  type CallClass,
  type EncryptionContext,
  isKmsError,
  KMS_ERROR_CODES,
  type KmsEvent,
  type KmsOperation,
  type MissingWraps,
  type Observer,
  type WrappedKey,
} from '../../../src/index.ts'
import type { Isolate } from '../isolate.ts'
import { EVERYWHERE, currentScope } from '../scope.ts'
import type { Scheduler } from '../scheduler.ts'
import { AttemptRules, type AttemptRule, isWiped, type Made } from './attempt-rules.ts'
import { type Attempt, type CircuitNews, CircuitRules } from './circuit-rules.ts'
import type { OutagePlan } from './plan.ts'
import type { StoreWitness } from './sim-key-values.ts'
import type { AttemptWitness } from './witnessed-kms.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** Rules that must always hold. */
export type OutageRule =
  | AttemptRule // R20, R25: retries, their budget, calls at the same time, who is turned away
  | 'circuit' // R23: opens for outages alone, and then does
  | 'closed' // R23: closes for a probe that succeeded, never for what began before it
  | 'probe' // R24: one isolate probes at a time
  | 'store' // R24: nobody waits for the store, or fails because of it
  | 'deadline' // R21: every call ends in time
  | 'abort' // R21: who gives up is let go at once
  | 'hang' // every call ends
  | 'typed' // an error is one that there is a cause for
  | 'calm' // where nothing fails, everything succeeds
  | 'opens' // what was wrapped opens to what it was
  | 'failover' // R26: one KEK that is up is enough to read
  | 'quorum' // R26: wraps are as many as the policy says, and missing ones are noted
  | 'rotated' // a rotation is not made twice
  | 'wiped' // a DEK that nobody takes is wiped
  | 'secret' // no DEK in the store or an error
  | 'recovers' // when all is well again, every isolate is served

/** Wraps that left, and what they must open to. */
export interface Wrapped {
  readonly wraps: readonly WrappedKey[]
  readonly context: EncryptionContext
  readonly dek: Bytes
}

const CLASSES: Partial<Record<KmsOperation, CallClass>> = {
  generateDataKey: 'encrypt',
  wrapDataKey: 'encrypt',
  unwrapDataKey: 'decrypt',
  unwrapMany: 'decrypt',
  rewrapDataKey: 'manage',
  currentVersion: 'manage',
  rotateKey: 'manage',
}
/** Turns of the clock that a call may take over its deadline: none but its own microtasks. */
const SLACK_MS = 5
/** A call of a KMS that is well, several KEKs one after the other, and the lease of a probe. */
const WELL_MS = 900
const CIRCUIT_KEY = /^circuit\/(.+)\/(\w+)$/
const LEASE_KEY = /^circuit\/(.+)\/(\w+)\/probe$/
const OUTAGES: readonly unknown[] = ['ERR_KMS_UNAVAILABLE', 'ERR_KMS_TIMEOUT', 'ERR_KMS_THROTTLED']

/** Hears everything that is asked of a KMS and everything that the stack tells, and compares. */
export class OutageJudge {
  readonly violations: { readonly rule: OutageRule; readonly text: string }[] = []
  readonly wrapped: Wrapped[] = []
  rotations = 0
  calls = 0
  readonly #plan: OutagePlan
  readonly #scheduler: Scheduler
  readonly #news = new Map<string, CircuitNews>()
  readonly #circuits = new Map<string, CircuitRules>()
  readonly #attempts = new Map<string, AttemptRules>()
  readonly #made: Made[] = []
  readonly #deks: Buffer[] = []
  readonly #settled = new WeakSet<object>()
  /** Requests of which a call was turned away: one KEK that sheds is not a KEK that is up. */
  readonly #shed = new WeakSet<object>()
  /** Missing wraps, by the request that noted them. */
  readonly #notes = new WeakMap<object, readonly string[]>()
  readonly #hedges = new Map<string, number>()
  #order = 0

  constructor(plan: OutagePlan, scheduler: Scheduler) {
    this.#plan = plan
    this.#scheduler = scheduler
  }

  blame(rule: OutageRule, text: string): void {
    this.violations.push({ rule, text })
  }

  secret(dek: Bytes): void {
    this.#deks.push(Buffer.from(dek.slice()))
  }

  stored(value: Bytes): void {
    this.#inspect(value, 'the store')
  }

  noted({ providers }: MissingWraps): void {
    this.#notes.set(currentScope() ?? this, providers)
  }

  jumped({ name }: Isolate): void {
    for (const provider of this.#plan.members) this.#attemptsOf(name, provider).jumped = true
  }

  witnessOf(isolate: Isolate): AttemptWitness {
    return {
      began: (provider, operation, subject, signal) => {
        const { nowMs: atMs } = this.#scheduler
        const scope = currentScope()
        const { name } = isolate
        const order = ++this.#order
        const attempt: Attempt = {
          ...{ isolate: name, order, atMs },
          ...{ endedMs: undefined, cut: false, code: undefined },
        }
        this.calls += 1
        const callClass = CLASSES[operation]
        const circuit = callClass && this.#circuitOf(name, provider, callClass)
        const rules = this.#attemptsOf(name, provider)
        circuit?.began(attempt)
        rules.began(attempt, scope, operation, subject)
        return (error) => {
          const code = isKmsError(error) ? error.code : 'aborted'
          attempt.endedMs = this.#scheduler.nowMs
          attempt.cut = signal?.aborted === true
          attempt.code = error === undefined ? undefined : code
          circuit?.ended(attempt)
          rules.ended(attempt, scope, this.#scheduler.nowMs)
        }
      },
      made: (secret) => {
        this.#made.push({ secret, scope: currentScope() })
      },
    }
  }

  /** R24: each circuit is read at most once a second, except one that lost against another's word. */
  readerOf(isolate: Isolate): StoreWitness {
    const readAtMs = new Map<string, number>()
    return {
      read: (key) => {
        const sinceMs = isolate.nowMs - (readAtMs.get(key) ?? -Infinity)
        readAtMs.set(key, isolate.nowMs)
        if (sinceMs >= 0 && sinceMs < 1_000)
          this.blame('store', `${isolate.name} reads ${key} again after ${String(sinceMs)} ms`)
      },
      lostSwap: (key) => {
        readAtMs.delete(key)
      },
      wonSwap: (key, value) => {
        this.#toldAll(isolate, key, value)
        const [, provider, callClass] = LEASE_KEY.exec(key) ?? []
        if (provider === undefined || callClass === undefined) return
        const { leasedAtMs } = this.#newsOf(`${provider} ${callClass}`)
        leasedAtMs.set(isolate.name, this.#scheduler.nowMs)
      },
    }
  }

  observerOf({ name }: Isolate): Observer {
    return {
      observe: (event) => {
        this.#heard(name, event)
      },
    }
  }

  /** A call of the stack failed. */
  failed(slot: number, kind: string, error: unknown, since: Since): void {
    const { nowMs } = this.#scheduler
    this.#inTime(kind, nowMs - since.atMs)
    if (since.reason !== undefined && error === since.reason) return
    if (!isKmsError(error) || !KMS_ERROR_CODES.includes(error.code)) {
      this.blame('typed', `${kind} threw ${String(error)}`)
      return
    }
    this.#inspect(Buffer.from(JSON.stringify(error) + String(error.stack)), 'an error')
    const { code } = error
    const isShed = code === 'ERR_KMS_THROTTLED'
    const isWrong = code === 'ERR_DECRYPT_FAILED' && since.wrong
    if (isWrong) return
    if (this.#plan.calm) this.blame('calm', `${kind}: ${code} where nothing fails`)
    else if (this.#plan.storeOnly && !isShed)
      this.blame('store', `${kind}: ${code} where only the store fails`)
    const isDisabled = code === 'ERR_KMS_KEY_DISABLED' && this.#plan.disabled.length > 0
    if (!OUTAGES.includes(code) && !isDisabled)
      this.blame('typed', `${kind}: ${code} for what is genuine`)
    const isTurnedAway = isShed || this.#shed.has(since.scope)
    const isRead = kind === 'unwrapDataKey' && !since.wrong && !isTurnedAway && !isDisabled
    const up = since.readers.find((provider) => this.#isWell(provider))
    const isSure = this.#plan.disabled.length + this.#plan.forgeries === 0
    if (isRead && up !== undefined && isSure)
      this.blame('failover', `slot ${String(slot)}: ${code} though ${up} is up`)
  }

  /** A call of the stack succeeded. */
  succeeded(kind: string, since: Since): void {
    const tookMs = this.#scheduler.nowMs - since.atMs
    this.#inTime(kind, tookMs)
    const { maxWaitMs } = this.#plan.config.bulkhead
    if (this.#plan.storeOnly && tookMs > WELL_MS + maxWaitMs)
      this.blame('store', `${kind} took ${String(tookMs)} ms where only the store fails`)
  }

  /** A data key left with these wraps. */
  wrote(wrapped: Wrapped): void {
    this.wrapped.push(wrapped)
    const { members, quorum = members.length } = this.#plan
    const providers = wrapped.wraps.map(({ provider }) => provider)
    if (new Set(providers).size !== providers.length || providers.length < quorum)
      this.blame('quorum', `wraps of ${providers.join()} where ${String(quorum)} are needed`)
    const missing = members.filter((name) => !providers.includes(name))
    const noted = this.#notes.get(currentScope() ?? this) ?? []
    if (missing.join() !== noted.join())
      this.blame('quorum', `${missing.join()} are missing and ${noted.join()} are noted`)
  }

  opened(found: Uint8Array, { dek }: Wrapped): void {
    if (Buffer.compare(found, dek) !== 0) this.blame('opens', 'a wrap opens to another DEK')
  }

  /** When nothing is left to happen. */
  close(rotated: number): void {
    if (rotated > this.rotations * this.#plan.members.length)
      this.blame('rotated', `${String(rotated)} rotations, ${String(this.rotations)} asked for`)
    for (const made of this.#made) {
      // On Workers a request that left takes what it held along.
      if (made.scope?.isolate.alive === false || isWiped(made)) continue
      if (made.scope === undefined || made.scope.alive || this.#settled.has(made.scope))
        this.blame('wiped', `a DEK of ${made.scope?.task.kind ?? 'nobody'} is still there`)
    }
  }

  /** The caller has its answer. */
  settled(scope: object): void {
    this.#settled.add(scope)
  }

  #inTime(kind: string, tookMs: number): void {
    const { deadlineMs } = this.#plan.config
    if (tookMs > deadlineMs + SLACK_MS) this.blame('deadline', `${kind} took ${String(tookMs)} ms`)
  }

  #heard(name: string, event: KmsEvent): void {
    const { nowMs } = this.#scheduler
    if (event.type === 'circuit') {
      this.#circuitOf(name, event.provider, event.callClass).changed(event, this.#order, nowMs)
    }
    if (event.type === 'refusal') {
      const rules = this.#attemptsOf(name, event.provider)
      rules.refused(event, currentScope())
      if (event.by !== 'bulkhead') return
      this.#shed.add(currentScope() ?? this)
      this.#scheduler.after(0, EVERYWHERE, () => {
        rules.checkShed(nowMs)
      })
    }
    if (event.type === 'failover' && event.why === 'slow') this.#hedged(name)
  }

  /** Opened data keys, of which the hedge may be a share. */
  reads(name: string): void {
    const { hedge } = this.#plan.config
    const share = hedge ? (hedge.budget ?? 0.1) : 0
    this.#hedges.set(name, Math.min(10, (this.#hedges.get(name) ?? 1) + share))
  }

  #hedged(name: string): void {
    const left = (this.#hedges.get(name) ?? 1) - 1
    this.#hedges.set(name, left)
    if (left < -1e-9) this.blame('hedged', `${name} hedges beyond its budget`)
  }

  /** Whether nothing failed on the way to it in all the time. */
  #isWell(target: string): boolean {
    return !this.#plan.faults.some((fault) => fault.target === target)
  }

  #inspect(bytes: Uint8Array, where: string): void {
    const text = Buffer.from(bytes)
    if (this.#deks.some((dek) => text.includes(dek))) this.blame('secret', `a DEK in ${where}`)
  }

  /** An isolate has written that a circuit is open: for what it saw alone, or for what all have counted. */
  #toldAll(isolate: Isolate, key: string, value: Bytes): void {
    const [, provider = '', callClass = ''] = CIRCUIT_KEY.exec(key) ?? []
    const { phase } = (isText(value) ? JSON.parse(Buffer.from(value).toString()) : {}) as {
      readonly phase?: unknown
    }
    if (key.endsWith('/probe') || phase !== 'open') return
    const id = `${provider} ${callClass}`
    this.#newsOf(id).opened = true
    if (this.#plan.jumps + this.#plan.forgeries > 0) return // then windows are of no time that is known here
    const { nowMs } = this.#scheduler
    const all = [...this.#circuits].filter(([name]) => name.endsWith(` ${id}`))
    const own = this.#circuits.get(`${isolate.name} ${id}`)
    const outages = all.reduce((sum, [, circuit]) => sum + circuit.outagesBefore(nowMs), 0)
    const { minCalls, failureRate } = this.#plan.config.circuitBreaker
    if (own?.opensBefore(nowMs) !== true && outages < minCalls * failureRate)
      this.blame('circuit', `${isolate.name} opens ${id} for all after ${String(outages)} outages`)
  }

  #circuitOf(name: string, provider: string, callClass: CallClass): CircuitRules {
    const id = `${provider} ${callClass}`
    const news = this.#newsOf(id)
    return held(this.#circuits, `${name} ${id}`, () => {
      return new CircuitRules(this.#plan, news, (rule, text) => {
        this.blame(rule, `${name}: ${id}: ${text}`)
      })
    })
  }

  #newsOf(id: string): CircuitNews {
    return held(this.#news, id, () => {
      return { opened: false, closed: false, leasedAtMs: new Map(), lease: undefined }
    })
  }

  #attemptsOf(name: string, provider: string): AttemptRules {
    return held(this.#attempts, `${name} ${provider}`, () => {
      return new AttemptRules(this.#plan, (rule, text) => {
        this.blame(rule, `${name}: ${provider}: ${text}`)
      })
    })
  }
}

/** The state when a call began. */
export interface Since {
  readonly scope: object
  readonly atMs: number
  /** The reason with which its caller aborted it. */
  readonly reason: unknown
  /** It gives a context that is not the wrap's. */
  readonly wrong: boolean
  /** The KEKs that could open it. */
  readonly readers: readonly string[]
}

/** A record of a circuit is JSON; a lease is random bytes. */
const isText = (value: Bytes): boolean => value[0] === 0x7b

function held<T>(map: Map<string, T>, key: string, make: () => T): T {
  const found = map.get(key)
  if (found !== undefined) return found
  const made = make()
  map.set(key, made)
  return made
}
