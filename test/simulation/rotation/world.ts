import {
  CachedKms,
  EnvelopeCipher,
  type KeyManagementService,
  MultiKms,
} from '../../../src/index.ts'
import type { KeyRotationManagerOptions } from '../../../src/rotation/manager-options.ts'
import { Isolate } from '../isolate.ts'
import { Random } from '../random.ts'
import { Remote } from '../remote.ts'
import { Scheduler } from '../scheduler.ts'
import { SimKms } from '../sim-kms.ts'
import type { Trace } from '../trace.ts'
import { RotationJudge, tenantOf } from './judge.ts'
import { KekServer } from './kek-server.ts'
import { type RotationPlan, SINK, STATES, TABLE } from './plan.ts'
import { LeavingKms, Process } from './process.ts'
import { sourceOf, Table } from './table.ts'
import { StateTable } from './states.ts'

/** 2026-01-01: virtual time begins. */
export const START_MS = 1_767_225_600_000

/** The KMSs, the table and the states of one rotation, and the processes that work on it. */
export class RotationWorld {
  readonly plan: RotationPlan
  readonly scheduler = new Scheduler(START_MS)
  readonly servers: readonly KekServer[]
  readonly table: Table
  readonly states: StateTable
  readonly judge: RotationJudge
  readonly sink: Remote
  kmsCalls = 0
  readonly #trace: Trace
  #births = 0

  constructor(plan: RotationPlan, trace: Trace) {
    this.plan = plan
    this.#trace = trace
    const random = (stream: string): Random => new Random(plan.seed, stream)
    this.servers = plan.keks.map(
      (name) => new KekServer(name, this.#remote(name), random(name), random(`${name} faults`)),
    )
    this.table = new Table(plan, this.#remote(TABLE), this.scheduler, random('replica'))
    this.states = new StateTable(this.#remote(STATES), random('states'), plan.rewinds)
    this.sink = this.#remote(SINK)
    this.judge = new RotationJudge(plan, this.table, this.servers, this.scheduler)
  }

  log(who: string, what: string): void {
    this.#trace.add(this.scheduler.nowMs - START_MS, who, what)
  }

  /** Nothing fails any more. */
  heal(): void {
    const { table, states, sink, servers } = this
    table.heal()
    for (const { remote } of [states, ...servers]) remote.heal()
    sink.heal()
    for (const server of servers) server.badWraps = 0
  }

  birth(): Process {
    return new Process(new Isolate(0, this.#births++, this.plan, this.scheduler))
  }

  /** Returns the KMS as a process sees it. */
  kmsOf(process: Process): KeyManagementService {
    const { isolate } = process
    const { runtime, network } = isolate
    const members = this.servers.map(
      (server) => new LeavingKms(new SimKms(server, isolate), process),
    )
    const [only] = members
    if (members.length === 1 && only !== undefined) return only
    return new MultiKms({ read: members, write: members, runtime, network })
  }

  /** Returns the cipher of a writer: it keeps a data key for as long as the plan says. */
  writerOf(process: Process): EnvelopeCipher {
    const { runtime, network } = process.isolate
    const { encryptForMs } = this.plan
    const times = { encryptForMs, ttlMs: encryptForMs, refreshAheadMs: 0 }
    const requiredContextKeys = ['tenant']
    const kms = this.kmsOf(process)
    const keys = new CachedKms({ kms, runtime, network, requiredContextKeys, ...times })
    return new EnvelopeCipher({ keys, runtime })
  }

  /** Returns the options of a rotation in a process. */
  rotationOf(process: Process, job: string): Omit<KeyRotationManagerOptions, 'job' | 'states'> {
    const { plan, judge, sink } = this
    const { runtime, network } = process.isolate
    return {
      kms: this.kmsOf(process),
      sources: [sourceOf(this.table, plan, process)],
      contextOf: ({ id }) => ({ tenant: tenantOf(id) }),
      failures: (failures, { signal }) =>
        process.leave(() =>
          sink.call(process.isolate, signal, () => {
            this.log(job, `tells ${failures.map(({ id }) => id).join(' ')}`)
            for (const failure of failures) judge.told(failure)
          }),
        ),
      threshold: { share: 1 },
      pageSize: plan.pageSize,
      concurrency: plan.concurrency,
      runtime,
      network,
    }
  }

  #remote(target: string): Remote {
    const { plan, scheduler } = this
    return new Remote(target, scheduler, new Random(plan.seed, `way to ${target}`), plan.faults)
  }
}
