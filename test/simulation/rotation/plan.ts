import type { FaultWindow } from '../plan.ts'
import { Random } from '../random.ts'

/** The table and the store of job states, as targets of faults. */
export const TABLE = 'table'
export const STATES = 'states'
export const SINK = 'sink'
export const OLD_VERSION = '1'

/** One rotation, made from one seed. Times in milliseconds since the beginning of the world. */
export interface RotationPlan {
  readonly seed: number
  readonly records: number
  readonly pageSize: number
  /** Pages of one step. */
  readonly pages: number
  readonly concurrency: number
  /** `data-keys`: through a `DataKeyStore`. `iterable`: through functions that read and replace. */
  readonly source: 'iterable' | 'data-keys'
  /** The providers whose KEKs wrap each data key after the rotation; at first it is the first one alone. */
  readonly keks: readonly string[]
  /** `step`: an engine that keeps a state and calls the step. `manager`: `KeyRotationManager.run`. */
  readonly engine: 'step' | 'manager'
  /** `every`: at each call that leaves the process, one after the other. `some`: now and then. */
  readonly crashes: 'none' | 'some' | 'every'
  readonly mostCrashes: number
  /** Share of the steps that are delivered once more, by another process, some time later. */
  readonly duplicates: number
  /** Share of the loads that answer an older state than the last one. */
  readonly rewinds: number
  /** A second rotator works on the same table, with a job of its own. */
  readonly rival: boolean
  readonly writers: number
  /** Writes of all writers. */
  readonly writes: number
  /** How long a writer uses one data key. */
  readonly encryptForMs: number
  /** How old the replica can be that answers a page. */
  readonly lagMs: number
  /** Reads after a lost race come from the replica too. */
  readonly lagsReads: boolean
  /** A swap of several values can fail half-way. */
  readonly tears: boolean
  readonly rotateAtMs: number
  /** How long the servers of the KMS disagree about the current version after that. */
  readonly flapMs: number
  /** When the KEK is rotated once more, if it is. */
  readonly againAtMs: number | undefined
  /** Share of the wraps that hold another data key than they should. */
  readonly badWraps: number
  /** Planted values by class: not envelopes, or damaged on purpose. */
  readonly planted: Readonly<Record<Planted, number>>
  readonly durationMs: number
  readonly faults: readonly FaultWindow[]
  readonly retires: boolean
  readonly proof: 'open' | 'none'
  readonly skewMs: number
  readonly platform: 'node'
}

/** Classes of values that nobody writes while the job runs. */
export type Planted = 'foreign' | 'torn' | 'broken' | 'moved' | 'unknown'

/** Every thousandth world is the whole proof: 1,000 records, stopped at every call. */
const WHOLE = 500

export function rotationPlanOf(seed: number): RotationPlan {
  const random = new Random(seed, 'rotation plan')
  const whole = seed % 1_000 === WHOLE
  const crashes = whole ? 'every' : random.pick(['none', 'some', 'some', 'every'] as const)
  const durationMs = random.scale(4_000, 120_000)
  const keks = !whole && random.chance(0.25) ? ['sim-a', 'sim-b'] : ['sim-a']
  const engine = random.pick(['step', 'manager'] as const)
  const calm = random.chance(0.25)
  const rotateAtMs = random.int(0, Math.floor(durationMs / 3))
  const window = (): FaultWindow => {
    // A job is shorter than the world: most of what fails must fail while it runs.
    const fromMs = random.chance(0.6)
      ? rotateAtMs + random.int(0, 4_000)
      : random.int(0, durationMs)
    return {
      target: random.pick([...keks, TABLE, TABLE, STATES, SINK, SINK]),
      kind: random.pick(['down', 'request-lost', 'answer-lost', 'slow', 'throttled', 'throttled']),
      fromMs,
      toMs: fromMs + random.scale(500, durationMs / 2),
      share: random.chance(0.4) ? 1 : random.next(),
    }
  }
  const many = random.chance(0.005) ? random.int(150, 400) : random.scale(4, 28)
  const records = crashes === 'every' ? random.int(3, 9) : many
  const plant = (share: number): number => (random.chance(share) ? random.int(1, 3) : 0)
  return {
    seed,
    records: whole ? 1_000 : records,
    pageSize: whole ? 4 : random.scale(1, crashes === 'every' ? 6 : 25),
    pages: random.chance(0.2) ? 3 : 1,
    concurrency: random.int(1, 8),
    source: random.pick(['iterable', 'data-keys']),
    keks,
    engine,
    crashes,
    mostCrashes: whole ? 100_000 : crashes === 'every' ? 100 : random.int(1, 12),
    duplicates: random.chance(0.5) ? 0 : random.pick([0.3, 1]),
    rewinds: engine === 'step' && random.chance(0.3) ? 0.1 : 0,
    rival: !whole && random.chance(0.3),
    writers: random.chance(0.75) ? random.int(1, 3) : 0,
    writes: whole ? 200 : random.int(5, 30),
    encryptForMs: random.scale(1_000, 60_000),
    lagMs: random.chance(0.4) ? random.scale(10, 5_000) : 0,
    lagsReads: random.chance(0.5),
    tears: random.chance(0.3),
    rotateAtMs,
    flapMs: random.chance(0.2) ? random.scale(100, 15_000) : 0,
    againAtMs: random.chance(0.2) ? rotateAtMs + random.int(0, durationMs) : undefined,
    badWraps: keks.length === 1 && !whole && random.chance(0.15) ? 0.1 : 0,
    planted: {
      foreign: plant(0.5),
      torn: plant(0.3),
      broken: plant(0.3),
      moved: plant(0.3),
      unknown: plant(0.3),
    },
    durationMs,
    faults: calm ? [] : Array.from({ length: random.int(1, whole ? 3 : 6) }, window),
    retires: !whole && random.chance(0.4),
    proof: random.chance(0.5) ? 'open' : 'none',
    skewMs: random.pick([0, 1_000]),
    platform: 'node',
  }
}
