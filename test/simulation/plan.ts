import { Random } from './random.ts'

/** Faults of a server. `answer-lost` does the work and does not answer. */
export type FaultKind = 'down' | 'request-lost' | 'answer-lost' | 'slow' | 'throttled'

/** A time in which one server fails, for all isolates or for one. */
export interface FaultWindow {
  readonly target: string
  readonly kind: FaultKind
  readonly fromMs: number
  readonly toMs: number
  /** The slot of the isolate that is cut off; every isolate without it. */
  readonly slot?: number
  /** How many of the calls fail, 0 to 1. */
  readonly share: number
}

/** The store that isolates share beside the KMS, and other writers of it. */
export interface SharedPlan {
  /** After how long at most a write is seen by others; 0: at once, and it can be swapped atomically. */
  readonly propagationMs: number
  /** No MAC: then nobody else writes there either. */
  readonly trusted: boolean
  readonly leaseMs: number
  readonly waitMs: number
  readonly signalMs: number
  /** Times that an attacker who can write the store does so. */
  readonly forgeries: number
  /** Times that the store loses what it holds. */
  readonly losses: number
  /** Times that somebody invalidates everything. */
  readonly invalidations: number
  /** Isolates that crash while they make a key for all, where nothing else fails. */
  readonly crashes: number
  /** Isolates in odd slots write under a key for a third of the time. */
  readonly mixed: boolean
}

/** One world, made from one seed. Times in milliseconds since its beginning. */
export interface Plan {
  readonly seed: number
  /** On Workers I/O belongs to a request, and clocks stand still while code runs. */
  readonly platform: 'node' | 'workers'
  readonly isolates: number
  readonly tenants: number
  readonly operations: number
  readonly durationMs: number
  readonly ttlMs: number
  readonly maxEntries: number
  readonly encryptForMs: number
  readonly maxMessages: number
  /** The providers whose KEKs wrap each data key. */
  readonly keks: readonly string[]
  /** The layers between the cache and the KMS: none, or the stack of `composeKms`. */
  readonly stack: 'bare' | 'production' | 'highAvailability'
  /** How many messages are by reference, 0 to 1. */
  readonly references: number
  /** Nothing fails and nobody gives up: then every operation of an isolate that lives on must succeed. */
  readonly calm: boolean
  /** Keys outlive the world, and nobody clears them. */
  readonly ageless: boolean
  readonly faults: readonly FaultWindow[]
  /** From when on every KEK is disabled. */
  readonly revokedAtMs: number | undefined
  /** How far clocks are apart at most, either way. */
  readonly skewMs: number
  readonly crashes: number
  readonly jumps: number
  /** Isolates share data keys through a store. */
  readonly shared: SharedPlan | undefined
  /** Keys are renewed ahead of their end, and used for so long past it while the KMS is down. */
  readonly maxStaleMs: number
}

/** How long an isolate in this slot writes under a data key. */
export function encryptForOf({ encryptForMs, shared }: Plan, slot: number): number {
  return shared?.mixed === true && slot % 2 === 1 ? Math.ceil(encryptForMs / 3) : encryptForMs
}

/** Drawn from streams of its own: a world without a shared level is what it was before there was one. */
function sharedOf(seed: number, calm: boolean, ageless: boolean): SharedPlan | undefined {
  const random = new Random(seed, 'shared plan')
  if (!random.chance(0.4)) return undefined
  const hostile = !calm && random.chance(0.5)
  const often = (share: number, most: number): number =>
    !calm && random.chance(share) ? random.int(1, most) : 0
  return {
    propagationMs: random.chance(0.65) ? 0 : random.scale(1, 60_000),
    trusted: !hostile && random.chance(0.2),
    leaseMs: calm ? 5_000 : random.scale(100, 5_000),
    waitMs: calm ? 12_000 : random.pick([0, random.scale(100, 12_000), 5_000]),
    signalMs: random.scale(1_000, MINUTE),
    forgeries: hostile ? random.int(1, 12) : 0,
    losses: often(0.3, 3),
    invalidations: often(0.3, 2),
    mixed: !ageless && random.chance(0.3),
    crashes: calm && random.chance(0.5) ? random.int(1, 3) : 0,
  }
}

const MINUTE = 60_000
/** The store that isolates share data keys through, as a target of faults. */
export const SHARED_STORE = 'shared-store'

/** Small worlds are the most: what needs many isolates is one case among others. */
export function planOf(seed: number): Plan {
  const random = new Random(seed, 'plan')
  const calm = random.chance(0.2)
  const ageless = calm && random.chance(0.5)
  const durationMs = random.scale(MINUTE, (ageless ? 30 : 180) * MINUTE)
  // A key that outlives a revocation shows only if the same few keys are read again and again.
  const revoked = !calm && random.chance(0.25)
  const many = random.chance(0.04) ? random.int(31, 200) : random.scale(1, 13)
  const isolates = revoked ? random.int(1, 2) : many
  const anyTtlMs = revoked ? durationMs / random.int(4, 12) : random.scale(1_000, 60 * MINUTE)
  const keks = random.chance(0.35) ? ['sim-a', 'sim-b'] : ['sim-a']
  const targets = [...keks, 'data-key-store']
  const window = (): FaultWindow => {
    const fromMs = random.int(0, durationMs)
    return {
      target: random.pick(targets),
      kind: random.pick(['down', 'down', 'request-lost', 'answer-lost', 'slow', 'throttled']),
      fromMs,
      toMs: fromMs + random.scale(1_000, durationMs / 2),
      share: random.chance(0.5) ? 1 : random.next(),
      ...(random.chance(0.4) ? { slot: random.int(0, isolates - 1) } : {}),
    }
  }
  const shared = sharedOf(seed, calm, ageless)
  const more = new Random(seed, 'shared faults')
  const storeFault = (): FaultWindow => {
    const fromMs = more.int(0, durationMs)
    return {
      target: SHARED_STORE,
      kind: more.pick(['down', 'request-lost', 'answer-lost', 'slow']),
      fromMs,
      toMs: fromMs + more.scale(1_000, durationMs / 2),
      share: more.chance(0.5) ? 1 : more.next(),
      ...(more.chance(0.4) ? { slot: more.int(0, isolates - 1) } : {}),
    }
  }
  const storeFaults = calm || !shared || more.chance(0.4) ? 0 : more.int(1, 4)
  const ttlMs = ageless ? 60 * MINUTE : Math.floor(anyTtlMs)
  return {
    seed,
    platform: random.chance(0.5) ? 'node' : 'workers',
    isolates,
    tenants: random.int(1, revoked ? 2 : 4),
    operations: random.int(30, 90),
    durationMs,
    ttlMs,
    maxEntries: !ageless && random.chance(0.2) ? random.int(1, 3) : 1_000,
    encryptForMs: ageless ? 60 * MINUTE : random.scale(5_000, 24 * 60 * MINUTE),
    maxMessages: random.chance(0.5) ? random.int(1, 12) : 1_000_000,
    keks,
    stack: random.pick(['bare', 'bare', 'production', 'highAvailability']),
    // Callers that want a stored key do not share the call of those that do not.
    references: random.pick(ageless ? [0, 1] : [0, 0.3, 1]),
    calm,
    ageless,
    faults: calm
      ? []
      : [
          ...Array.from({ length: random.int(0, 8) }, window),
          ...Array.from({ length: storeFaults }, storeFault),
        ],
    revokedAtMs: revoked ? random.int(0, Math.floor(durationMs / 2)) : undefined,
    skewMs: random.pick([0, 1_000, 30_000]),
    crashes: calm ? 0 : random.int(0, 4),
    jumps: calm || random.chance(0.7) ? 0 : random.int(1, 3),
    shared,
    maxStaleMs: shared && more.chance(0.4) ? more.scale(1_000, 2 * ttlMs) : 0,
  }
}
