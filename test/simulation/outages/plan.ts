import type { ResilienceConfig } from '../../../src/index.ts'
import type { FaultWindow } from '../plan.ts'
import { Random } from '../random.ts'

/** One world of isolates whose KMSs go up and down. Times in milliseconds since its beginning. */
export interface OutagePlan {
  readonly seed: number
  readonly platform: 'node' | 'workers'
  readonly isolates: number
  readonly operations: number
  readonly durationMs: number
  readonly members: readonly string[]
  /** KMSs that open a batch in one call. */
  readonly batches: boolean
  /** KMSs whose clients do not listen to their signal: what was cut may still answer. */
  readonly deaf: boolean
  readonly config: Config
  /** Circuits are shared. */
  readonly shared: boolean
  /** How many wraps a data key needs; all of them without it. */
  readonly quorum: number | undefined
  /** Nothing fails and nobody gives up. */
  readonly calm: boolean
  /** Nothing fails but the store of the circuits. */
  readonly storeOnly: boolean
  /** Nothing fails in the store, and nobody else writes to it. */
  readonly storeIsWell: boolean
  readonly faults: readonly FaultWindow[]
  /** When every key is disabled, and enabled again. */
  readonly disabled: readonly { readonly fromMs: number; readonly toMs: number }[]
  /** Somebody writes into the store what is none of ours. */
  readonly forgeries: number
  readonly skewMs: number
  readonly crashes: number
  readonly jumps: number
}

/** The complete options of the stack, so that the judge has the same numbers. */
export interface Config extends ResilienceConfig {
  readonly deadlineMs: number
  readonly attemptTimeoutMs: number
  readonly retry: { readonly maxAttempts: number; readonly budget: number }
  readonly circuitBreaker: {
    readonly failureThreshold: number
    readonly minCalls: number
    readonly failureRate: number
    readonly resetTimeoutMs: number
  }
  readonly bulkhead: {
    readonly maxConcurrent: number
    readonly maxQueue: number
    readonly maxWaitMs: number
  }
}

export const STORE = 'circuit-store'

/** Few isolates and one KMS are the most; storms and stores that fail are cases among others. */
export function outagePlanOf(seed: number): OutagePlan {
  const random = new Random(seed, 'outages')
  const calm = random.chance(0.1)
  const storeOnly = !calm && random.chance(0.12)
  const isolates = random.chance(0.06) ? random.int(12, 50) : random.scale(1, 9)
  const members = ['sim-a', 'sim-b', 'sim-c'].slice(0, random.pick([1, 1, 1, 2, 2, 3]))
  const shared = storeOnly || random.chance(0.6)
  const config = configOf(random, calm, members.length)
  const durationMs = random.scale(20_000, 1_200_000)
  const targets = storeOnly ? [STORE] : [...members, ...members, ...(shared ? [STORE] : [])]
  const window = (): FaultWindow => {
    const fromMs = random.int(0, durationMs)
    // Long enough for circuits to open, probe and close.
    const lengthMs = random.scale(500, Math.max(1_000, durationMs / 2))
    return {
      target: random.pick(targets),
      kind: random.pick(['down', 'down', 'request-lost', 'answer-lost', 'slow', 'throttled']),
      fromMs,
      toMs: fromMs + lengthMs,
      share: random.chance(0.6) ? 1 : random.next(),
      ...(random.chance(0.2) ? { slot: random.int(0, isolates - 1) } : {}),
    }
  }
  const faults = calm ? [] : Array.from({ length: random.int(1, 8) }, window)
  const forgeries = shared && !calm && !storeOnly && random.chance(0.1) ? random.int(1, 4) : 0
  const disabling = !calm && !storeOnly && random.chance(0.2)
  const fromMs = random.int(0, durationMs)
  return {
    seed,
    platform: random.chance(0.5) ? 'node' : 'workers',
    isolates,
    operations: random.int(30, 110),
    durationMs,
    members,
    batches: random.chance(0.3),
    deaf: random.chance(0.4),
    config,
    shared,
    quorum: members.length > 1 && random.chance(0.5) ? random.int(1, members.length) : undefined,
    calm,
    storeOnly,
    storeIsWell: forgeries === 0 && !faults.some(({ target }) => target === STORE),
    faults,
    disabled: disabling ? [{ fromMs, toMs: fromMs + random.scale(500, durationMs) }] : [],
    forgeries,
    skewMs: random.pick([0, 1_000, 30_000]),
    crashes: calm || storeOnly ? 0 : random.int(0, 3),
    jumps: calm || storeOnly || random.chance(0.7) ? 0 : random.int(1, 3),
  }
}

function configOf(random: Random, calm: boolean, members: number): Config {
  const attemptTimeoutMs = random.pick([500, 1_000, 2_000])
  const deadlineMs = attemptTimeoutMs * random.pick([2, 3, 5])
  // A configuration in which a call waits for the whole deadline is refused.
  const waitMs = (ms: number): number => Math.min(ms, deadlineMs - 1)
  const several = members > 1
  return {
    preset: 'production',
    attemptTimeoutMs,
    deadlineMs,
    retry: { maxAttempts: random.int(1, 5), budget: random.pick([0, 30, 100, 500]) },
    circuitBreaker: {
      failureThreshold: random.int(1, 6),
      minCalls: random.int(4, 12),
      failureRate: 0.5,
      resetTimeoutMs: random.pick([1_000, 5_000, 30_000]),
    },
    bulkhead: calm
      ? { maxConcurrent: 1_000, maxQueue: 64, maxWaitMs: waitMs(1_000) }
      : {
          maxConcurrent: random.int(1, 6),
          maxQueue: random.pick([0, 4, 64]),
          maxWaitMs: waitMs(random.pick([200, 1_000])),
        },
    ...(several && random.chance(0.5) ? { order: 'fastest' } : {}),
    ...(several && random.chance(0.4)
      ? { hedge: { afterMs: random.pick([50, 300]), budget: random.pick([0.1, 0.5]) } }
      : {}),
  }
}
