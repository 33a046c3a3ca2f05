import {
  CachedKms,
  composeKms,
  EnvelopeCipher,
  type KeyManagementService,
  MultiKms,
  type SharedDataKeys,
} from '../../src/index.ts'
import { sharedDataKeys } from '../../src/data-keys/shared/index.ts'
import { Isolate } from './isolate.ts'
import { Judge } from './judge.ts'
import { Forger, PARTITION } from './forger.ts'
import { encryptForOf, type Plan, SHARED_STORE, type SharedPlan } from './plan.ts'
import { Random } from './random.ts'
import { Remote } from './remote.ts'
import { Scheduler } from './scheduler.ts'
import { DataKeyTable, SimDataKeyStore } from './sim-data-key-store.ts'
import { KeyValueTable, SimKeyValues } from './sim-key-values.ts'
import { KmsServer, SimKms } from './sim-kms.ts'
import type { Trace } from './trace.ts'

/** 2026-01-01: virtual time begins. */
const START_MS = 1_767_225_600_000

/** An isolate and the shipped classes in it. */
export interface Life {
  readonly isolate: Isolate
  readonly keys: CachedKms
  readonly cipher: EnvelopeCipher
  clearedAtMs: number | undefined
}

/** Servers, stores and isolates of one seed. */
export class World {
  readonly plan: Plan
  readonly scheduler = new Scheduler(START_MS)
  readonly judge: Judge
  readonly table: DataKeyTable
  readonly servers: readonly KmsServer[]
  /** The store through which isolates share data keys, if they do. */
  readonly values: KeyValueTable | undefined
  readonly #forger: Forger | undefined
  readonly #storeAuthKey: Uint8Array<ArrayBuffer>
  readonly #trace: Trace
  readonly #lives: Life[]
  #births = 0

  constructor(plan: Plan, trace: Trace) {
    this.plan = plan
    this.#trace = trace
    this.judge = new Judge(plan, this.scheduler)
    this.table = new DataKeyTable(this.#remote('data-key-store'), (value) => {
      this.judge.inspect(value, 'the data-key store')
    })
    this.judge.watch(this.table)
    this.servers = plan.keks.map((name) => {
      return new KmsServer(name, this.#remote(name), new Random(plan.seed, name), this.judge)
    })
    const { shared } = plan
    this.#storeAuthKey = new Random(plan.seed, 'store key').fill(new Uint8Array(32))
    this.values =
      shared &&
      new KeyValueTable(
        this.#remote(SHARED_STORE),
        { seed: plan.seed, propagationMs: shared.propagationMs },
        this.scheduler,
        (value) => {
          this.judge.inspect(value, 'the shared store')
        },
      )
    const [server] = this.servers
    this.#forger =
      this.values && server && shared !== undefined && shared.forgeries > 0
        ? new Forger(plan, this.scheduler, this.values, server, (commitment) => {
            this.judge.planted.add(commitment)
          })
        : undefined
    this.#lives = Array.from({ length: plan.isolates }, (_, slot) => this.birth(slot))
  }

  life(slot: number): Life {
    return this.#lives[slot] as Life
  }

  log(who: string, what: string): void {
    this.#trace.add(this.scheduler.nowMs - START_MS, who, what)
  }

  /** Another isolate in this slot, with nothing in its memory. */
  birth(slot: number): Life {
    const { plan, scheduler } = this
    const isolate = new Isolate(slot, this.#births++, plan, scheduler)
    const kms = this.#stackOf(isolate)
    const { runtime, network } = isolate
    const keys = new CachedKms({
      kms,
      runtime,
      network,
      ttlMs: plan.ttlMs,
      // The bounds on calls are those of the TTL alone, where they are judged.
      ...(plan.maxStaleMs === 0 ? { refreshAheadMs: 0 } : {}),
      maxStaleMs: plan.maxStaleMs,
      maxStaleWriteMs: plan.maxStaleMs,
      maxEntries: plan.maxEntries,
      encryptForMs: encryptForOf(plan, slot),
      maxMessages: plan.maxMessages,
      dataKeyStore: new SimDataKeyStore(this.table, isolate),
      ...(plan.shared ? { shared: this.#sharedOf(isolate, plan.shared) } : {}),
    })
    const cipher = new EnvelopeCipher({ keys, runtime })
    return { isolate, keys, cipher, clearedAtMs: undefined }
  }

  /** The isolate goes in the middle of what it does; what it had on the way is heard by nobody. */
  crash(slot: number): void {
    const { isolate } = this.life(slot)
    isolate.alive = false
    this.judge.bounds.forget(isolate)
    this.judge.crashed()
    this.#lives[slot] = this.birth(slot)
    this.log(isolate.name, `crashes; ${this.life(slot).isolate.name} begins`)
  }

  clear(slot: number): void {
    const life = this.life(slot)
    life.keys.clear()
    life.clearedAtMs = life.isolate.nowMs
    this.judge.cleared(life.isolate)
    this.judge.bounds.forget(life.isolate)
    this.log(life.isolate.name, 'clear')
  }

  jump(slot: number, byMs: number): void {
    const { isolate } = this.life(slot)
    isolate.jump(byMs)
    this.judge.bounds.forget(isolate)
    this.log(isolate.name, `clock jumps ${String(byMs)}`)
  }

  /** Everything is invalidated, through the store too if there is one. */
  invalidate(slot: number): void {
    const life = this.life(slot)
    const { isolate, keys } = life
    const atMs = this.scheduler.nowMs
    this.log(isolate.name, 'invalidates')
    if (this.plan.shared === undefined) {
      // Nobody else learns it: for its writers it is a clear.
      life.clearedAtMs = isolate.nowMs
      this.judge.bounds.forget(isolate)
    }
    keys.invalidate().then(
      () => {
        this.log(isolate.name, 'has told the others')
        if (isolate.alive) this.judge.invalidated(isolate, atMs)
      },
      () => {
        this.log(isolate.name, 'could not tell the others')
      },
    )
  }

  /** The shared store loses what it holds. */
  lose(): void {
    this.values?.lose()
    this.log(SHARED_STORE, 'loses everything')
  }

  forge(): void {
    void this.#forger?.strike().then((what) => {
      this.log(SHARED_STORE, what)
    })
  }

  disable(disabled: boolean): void {
    for (const server of this.servers) server.disabled = disabled
    this.log('kms', disabled ? 'disabled' : 'enabled')
  }

  /** Nothing fails any more. */
  heal(): void {
    this.table.remote.heal()
    this.values?.remote.heal()
    for (const server of this.servers) server.remote.heal()
    this.disable(false)
  }

  #stackOf(isolate: Isolate): KeyManagementService {
    const members = this.servers.map((server) => new SimKms(server, isolate))
    const { runtime, network } = isolate
    const { stack, calm } = this.plan
    if (stack === 'bare') {
      const [only] = members
      if (members.length === 1 && only !== undefined) return only
      return new MultiKms({ read: members, runtime, network })
    }
    // If nothing fails, nobody may be turned away either.
    const bulkhead = calm ? { maxConcurrent: 1_000 } : {}
    return composeKms(members, { preset: stack, bulkhead, runtime, network })
  }

  #sharedOf(isolate: Isolate, shared: SharedPlan): SharedDataKeys {
    const { trusted, leaseMs, waitMs, signalMs } = shared
    const store = new SimKeyValues(this.values as KeyValueTable, isolate)
    const trust = trusted ? { trustedStore: true } : { storeAuthKey: this.#storeAuthKey }
    return sharedDataKeys({ store, partition: PARTITION, ...trust, leaseMs, waitMs, signalMs })
  }

  #remote(target: string): Remote {
    const random = new Random(this.plan.seed, `way to ${target}`)
    return new Remote(target, this.scheduler, random, this.plan.faults)
  }
}
