import { CachedKms } from '../../src/index.ts'
import { encodeSlot, ID_BYTES, pointTo } from '../../src/data-keys/shared/slot.ts'
import { StoreAuth } from '../../src/data-keys/shared/store-auth.ts'
import { Isolate } from './isolate.ts'
import type { Plan } from './plan.ts'
import { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import type { KeyValueTable } from './sim-key-values.ts'
import { hex, type KmsServer, SimKms } from './sim-kms.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** The partition of every isolate of a world. */
export const PARTITION = 'sim'

const WAYS = ['bit', 'cut', 'older', 'moved', 'gone', 'planted', 'planted', 'planted'] as const

/**
 * An attacker that can write the shared store and call the KMS, but lacks the key of the MACs. It changes, cuts,
 * moves and deletes values, puts older ones back, and plants data keys that it knows.
 */
export class Forger {
  readonly #plan: Plan
  readonly #table: KeyValueTable
  readonly #random: Random
  readonly #auth: StoreAuth
  readonly #keys: CachedKms
  readonly #onPlant: (commitment: string) => void

  constructor(
    plan: Plan,
    scheduler: Scheduler,
    table: KeyValueTable,
    server: KmsServer,
    onPlant: (commitment: string) => void,
  ) {
    this.#plan = plan
    this.#table = table
    this.#random = new Random(plan.seed, 'forger')
    this.#auth = new StoreAuth(PARTITION, this.#random.fill(new Uint8Array(32)))
    this.#onPlant = onPlant
    const isolate = new Isolate(plan.isolates + 1, -1, plan, scheduler)
    const kms = new SimKms(server, isolate)
    this.#keys = new CachedKms({ maxEntries: 0, kms, runtime: isolate.runtime })
  }

  /** One write; what it does to the isolates is theirs to bear. Never rejects. */
  async strike(): Promise<string> {
    const random = this.#random
    const names = this.#table.names
    const way = random.pick(WAYS)
    if (names.length === 0) return 'forger: nothing is there'
    const name = random.pick(names)
    const values = this.#table.history(name)
    const last = values.at(-1)
    if (last === undefined) return 'forger: nothing is there'
    const forged = await this.#made(way, name, last, values)
    if (way === 'gone') this.#table.write(name, undefined, 0)
    else if (forged !== undefined) this.#table.write(name, forged, this.#plan.encryptForMs)
    return `forger: ${way}`
  }

  async #made(
    way: (typeof WAYS)[number],
    name: string,
    last: Bytes,
    values: readonly Bytes[],
  ): Promise<Bytes | undefined> {
    const random = this.#random
    if (way === 'bit') {
      const changed = last.slice()
      const at = random.int(0, changed.length - 1)
      changed[at] = (changed[at] as number) ^ (1 << random.int(0, 7))
      return changed
    }
    if (way === 'cut') return last.slice(0, random.int(0, last.length))
    if (way === 'older') return random.pick(values).slice()
    if (way === 'moved') return this.#table.history(random.pick(this.#table.names)).at(-1)
    return way === 'planted' ? this.#plant(name, last) : undefined
  }

  /** A value as an isolate would write it, except the key of its MACs. */
  async #plant(name: string, last: Bytes): Promise<Bytes | undefined> {
    const tenant = `t${String(this.#random.int(1, this.#plan.tenants))}`
    try {
      const { header } = await this.#keys.active({ tenant }, { durable: false })
      this.#onPlant(hex(header.commitment))
      const notAfterMs = header.createdAtMs + this.#plan.encryptForMs
      const active = await pointTo(this.#auth, header, notAfterMs)
      const epoch = last.slice(2, 2 + ID_BYTES)
      return await encodeSlot(this.#auth, name, { epoch, active })
    } catch {
      return undefined // the KMS is down for them, too
    }
  }
}
