import type { FaultWindow } from '../plan.ts'
import { Random } from '../random.ts'

/** One world of customers with a KEK each. Times in milliseconds since its beginning. */
export interface CustomersPlan {
  readonly seed: number
  readonly platform: 'node' | 'workers'
  readonly isolates: number
  readonly operations: number
  readonly durationMs: number
  readonly customers: readonly string[]
  /** Customers whose KMS fails at times; nothing fails for all others. */
  readonly victims: readonly string[]
  /** KMSs that one isolate holds: at times fewer than there are customers. */
  readonly maxEntries: number
  /** `create` asks a directory first. */
  readonly slowCreate: boolean
  /** KMSs that open a batch in one call. */
  readonly batches: boolean
  readonly faults: readonly FaultWindow[]
  readonly disabled: readonly {
    readonly name: string
    readonly fromMs: number
    readonly toMs: number
  }[]
  readonly skewMs: number
  readonly crashes: number
  readonly jumps: number
}

/** Returns the name of the directory's entry of a customer, which `create` asks for. */
export function directoryOf(customer: string): string {
  return `directory of ${customer}`
}

/** Makes a world from a seed. */
export function customersPlanOf(seed: number): CustomersPlan {
  const random = new Random(seed, 'customers')
  const customers = Array.from({ length: random.int(3, 12) }, (_, i) => `kek-${String(i)}`)
  const victims = customers.slice(0, random.int(1, customers.length - 1))
  const durationMs = random.scale(20_000, 300_000)
  const slowCreate = random.chance(0.6)
  const window = (): { readonly fromMs: number; readonly toMs: number } => {
    const fromMs = random.int(0, durationMs)
    return { fromMs, toMs: fromMs + random.scale(500, durationMs) }
  }
  const fault = (): FaultWindow => {
    const victim = random.pick(victims)
    return {
      target: slowCreate && random.chance(0.3) ? directoryOf(victim) : victim,
      kind: random.pick(['down', 'request-lost', 'answer-lost', 'slow', 'throttled']),
      ...window(),
      share: random.chance(0.7) ? 1 : random.next(),
    }
  }
  const disabled = random.chance(0.4) ? [{ name: random.pick(victims), ...window() }] : []
  return {
    seed,
    platform: random.chance(0.5) ? 'node' : 'workers',
    isolates: random.int(1, 4),
    operations: random.int(40, 120),
    durationMs,
    customers,
    victims,
    maxEntries: random.chance(0.4) ? random.int(1, 3) : 100,
    slowCreate,
    batches: random.chance(0.5),
    faults: Array.from({ length: random.int(1, 8) }, fault),
    disabled,
    skewMs: random.pick([0, 1_000, 30_000]),
    crashes: random.int(0, 2),
    jumps: random.chance(0.7) ? 0 : random.int(1, 2),
  }
}
