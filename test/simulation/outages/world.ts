import { composeKms, type KeyManagementService, type MissingWraps } from '../../../src/index.ts'
import { Isolate } from '../isolate.ts'
import type { FaultWindow } from '../plan.ts'
import { Random } from '../random.ts'
import { Remote } from '../remote.ts'
import { Scheduler } from '../scheduler.ts'
import { KmsServer, SimKms } from '../sim-kms.ts'
import type { Trace } from '../trace.ts'
import { OutageJudge } from './judge.ts'
import { type OutagePlan, STORE } from './plan.ts'
import { KeyValueTable, SimKeyValues } from './sim-key-values.ts'
import { WitnessedKms } from './witnessed-kms.ts'

/** 2026-01-01: virtual time begins. */
const START_MS = 1_767_225_600_000

/** An isolate and the stack in it. */
export interface Life {
  readonly isolate: Isolate
  readonly kms: KeyManagementService
}

/** KMSs, the store of circuits, and the isolates of one seed. */
export class OutageWorld {
  readonly plan: OutagePlan
  readonly scheduler = new Scheduler(START_MS)
  readonly judge: OutageJudge
  readonly servers: readonly KmsServer[]
  readonly store: KeyValueTable
  readonly #trace: Trace
  readonly #lives: Life[]
  #births = 0

  constructor(plan: OutagePlan, trace: Trace) {
    this.plan = plan
    this.#trace = trace
    this.judge = new OutageJudge(plan, this.scheduler)
    // A new isolate learns of a DEK only through a call, which the judge sees.
    const witness = {
      asked: () => (): void => undefined,
      secret: (dek: Uint8Array<ArrayBuffer>): void => {
        this.judge.secret(dek)
      },
    }
    this.servers = plan.members.map((name) => {
      return new KmsServer(name, this.#remote(name), new Random(plan.seed, name), witness)
    })
    this.store = new KeyValueTable(this.#remote(STORE), this.scheduler, (value) => {
      this.judge.stored(value)
    })
    this.#lives = Array.from({ length: plan.isolates }, (_, slot) => this.birth(slot))
  }

  get lives(): readonly Life[] {
    return this.#lives
  }

  life(slot: number): Life {
    return this.#lives[slot] as Life
  }

  log(who: string, what: string): void {
    this.#trace.add(this.scheduler.nowMs - START_MS, who, what)
  }

  birth(slot: number): Life {
    const isolate = new Isolate(slot, this.#births++, this.plan, this.scheduler)
    return { isolate, kms: this.#stackOf(isolate) }
  }

  /** The isolate goes in the middle of what it does, and another one begins that knows nothing. */
  crash(slot: number): void {
    const { isolate } = this.life(slot)
    isolate.alive = false
    this.#lives[slot] = this.birth(slot)
    this.log(isolate.name, `crashes; ${this.life(slot).isolate.name} begins`)
  }

  jump(slot: number, byMs: number): void {
    const { isolate } = this.life(slot)
    isolate.jump(byMs)
    this.judge.jumped(isolate)
    this.log(isolate.name, `clock jumps ${String(byMs)}`)
  }

  disable(disabled: boolean): void {
    for (const server of this.servers) server.disabled = disabled
    this.log('kms', disabled ? 'disabled' : 'enabled')
  }

  /** Somebody who can write the store says that circuits are open, or leaves nonsense. */
  forge(random: Random): void {
    const atMs = this.scheduler.nowMs + random.int(-60_000, 3_600_000)
    const text = random.pick([
      JSON.stringify({ v: 1, phase: 'open', atMs }),
      JSON.stringify({ v: 1, phase: 'closed', atMs }),
      'nonsense',
    ])
    const key = `circuit/${random.pick(this.plan.members)}/${random.pick(['encrypt', 'decrypt'])}`
    this.store.write(key, new TextEncoder().encode(text), 60_000)
    this.log('forger', `${key} ${text}`)
  }

  /** Nothing fails any more. */
  heal(): void {
    this.store.remote.heal()
    for (const server of this.servers) server.remote.heal()
    this.disable(false)
  }

  #stackOf(isolate: Isolate): KeyManagementService {
    const { plan, judge } = this
    const { runtime, network } = isolate
    const members = this.servers.map((server) => {
      return new WitnessedKms(new SimKms(server, isolate), plan, judge.witnessOf(isolate))
    })
    const repairs = {
      note: (missing: MissingWraps): Promise<void> => {
        judge.noted(missing)
        return Promise.resolve()
      },
    }
    return composeKms(members, {
      ...plan.config,
      ...(plan.shared && {
        circuitStore: new SimKeyValues(this.store, isolate, judge.readerOf(isolate)),
      }),
      ...(plan.quorum !== undefined && { writePolicy: { quorum: plan.quorum }, repairs }),
      runtime,
      network,
      observer: judge.observerOf(isolate),
    })
  }

  #remote(target: string): Remote {
    const random = new Random(this.plan.seed, `way to ${target}`)
    const faults: readonly FaultWindow[] = this.plan.faults
    return new Remote(target, this.scheduler, random, faults)
  }
}
