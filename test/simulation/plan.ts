import { Random } from './random.ts'

/** What a server does wrong. `answer-lost` does the work and says nothing of it. */
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
  /** What stands between the cache and the KMS: nothing, or the stack of `composeKms`. */
  readonly stack: 'bare' | 'production' | 'highAvailability'
  /** How many messages are by reference, 0 to 1. */
  readonly references: number
  /** Nothing fails and nobody gives up: then every operation must succeed. */
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
}

const MINUTE = 60_000

/** Small worlds are the most: what needs many isolates is one case among others. */
export function planOf(seed: number): Plan {
  const random = new Random(seed, 'plan')
  const calm = random.chance(0.2)
  const ageless = calm && random.chance(0.5)
  const durationMs = random.scale(MINUTE, (ageless ? 30 : 180) * MINUTE)
  // What outlives a revocation is seen where the same few keys are read again and again.
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
  return {
    seed,
    platform: random.chance(0.5) ? 'node' : 'workers',
    isolates,
    tenants: random.int(1, revoked ? 2 : 4),
    operations: random.int(30, 90),
    durationMs,
    ttlMs: ageless ? 60 * MINUTE : Math.floor(anyTtlMs),
    maxEntries: !ageless && random.chance(0.2) ? random.int(1, 3) : 1_000,
    encryptForMs: ageless ? 60 * MINUTE : random.scale(5_000, 24 * 60 * MINUTE),
    maxMessages: random.chance(0.5) ? random.int(1, 12) : 1_000_000,
    keks,
    stack: random.pick(['bare', 'bare', 'production', 'highAvailability']),
    // Callers that want a stored key do not share the call of those that do not.
    references: random.pick(ageless ? [0, 1] : [0, 0.3, 1]),
    calm,
    ageless,
    faults: calm ? [] : Array.from({ length: random.int(0, 8) }, window),
    revokedAtMs: revoked ? random.int(0, Math.floor(durationMs / 2)) : undefined,
    skewMs: random.pick([0, 1_000, 30_000]),
    crashes: calm ? 0 : random.int(0, 4),
    jumps: calm || random.chance(0.7) ? 0 : random.int(1, 3),
  }
}
