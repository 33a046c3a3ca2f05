import {
  composeKms,
  type KeyManagementService,
  type KmsByContext,
  kmsByContext,
} from '../../../src/index.ts'
import { Isolate } from '../isolate.ts'
import { Random } from '../random.ts'
import { Remote } from '../remote.ts'
import { Scheduler } from '../scheduler.ts'
import { KmsServer, SimKms } from '../sim-kms.ts'
import type { Trace } from '../trace.ts'
import { CustomersJudge, WatchedKms } from './judge.ts'
import { type CustomersPlan, directoryOf } from './plan.ts'

/** 2026-01-01: virtual time begins. */
const START_MS = 1_767_225_600_000

/** An isolate and the KMS of all customers in it. */
export interface Life {
  readonly isolate: Isolate
  readonly kms: KmsByContext
}

/** The KMSs of customers, and the isolates of one seed. */
export class CustomersWorld {
  readonly plan: CustomersPlan
  readonly scheduler = new Scheduler(START_MS)
  readonly judge: CustomersJudge
  readonly servers: ReadonlyMap<string, KmsServer>
  readonly lives: Life[]
  readonly #directory: ReadonlyMap<string, Remote>
  readonly #trace: Trace
  #births = 0

  constructor(plan: CustomersPlan, trace: Trace) {
    this.plan = plan
    this.#trace = trace
    this.judge = new CustomersJudge(plan)
    const witness = { asked: () => (): void => undefined, secret: (): void => undefined }
    const { customers, seed } = plan
    this.servers = new Map(
      customers.map((name) => [
        name,
        new KmsServer(name, this.#remote(name), new Random(seed, name), witness),
      ]),
    )
    this.#directory = new Map(customers.map((name) => [name, this.#remote(directoryOf(name))]))
    this.lives = Array.from({ length: plan.isolates }, (_, slot) => this.#birth(slot))
  }

  life(slot: number): Life {
    return this.lives[slot] as Life
  }

  log(who: string, what: string): void {
    this.#trace.add(this.scheduler.nowMs - START_MS, who, what)
  }

  crash(slot: number): void {
    const { isolate } = this.life(slot)
    isolate.alive = false
    this.lives[slot] = this.#birth(slot)
    this.log(isolate.name, 'crashes')
  }

  disable(name: string, disabled: boolean): void {
    const server = this.servers.get(name)
    if (server !== undefined) server.disabled = disabled
    this.log(name, disabled ? 'disabled' : 'enabled')
  }

  /** Nothing fails any more. */
  heal(): void {
    for (const [name, server] of this.servers) {
      server.remote.heal()
      this.#directory.get(name)?.heal()
      this.disable(name, false)
    }
  }

  #birth(slot: number): Life {
    const isolate = new Isolate(slot, this.#births++, this.plan, this.scheduler)
    const { runtime, network } = isolate
    const { maxEntries, slowCreate } = this.plan
    const kms = kmsByContext({
      keyFor: ({ customer }) => (this.servers.has(customer as string) ? customer : undefined),
      create: (name, { signal }) => {
        const make = (): KeyManagementService => this.#stackOf(name, isolate)
        return slowCreate ? this.#directory.get(name)!.call(isolate, signal, make) : make()
      },
      maxEntries,
      runtime,
      network,
    })
    return { isolate, kms }
  }

  #stackOf(name: string, isolate: Isolate): KeyManagementService {
    const { runtime, network } = isolate
    const kms = new SimKms(this.servers.get(name) as KmsServer, isolate)
    const { batches } = this.plan
    Object.assign(kms, { capabilities: { ...kms.capabilities, batches } })
    return composeKms(new WatchedKms(kms, this.judge), {
      deadlineMs: 3_000,
      attemptTimeoutMs: 1_000,
      bulkhead: { maxConcurrent: 1_000 },
      circuitBreaker: { failureThreshold: 3, resetTimeoutMs: 5_000 },
      runtime,
      network,
    })
  }

  #remote(target: string): Remote {
    const { seed, faults } = this.plan
    return new Remote(target, this.scheduler, new Random(seed, `way to ${target}`), faults)
  }
}
