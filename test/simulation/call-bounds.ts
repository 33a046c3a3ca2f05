import type { Isolate } from './isolate.ts'
import { encryptForOf, type Plan } from './plan.ts'
import { currentScope, type RequestScope } from './scope.ts'

interface Held {
  /** The isolate's clock when the request began that brought it: its age counts from then at the latest. */
  readonly clockMs: number
  readonly order: number
  uses: number
}

/** A request that writes, and whether no other one did meanwhile. */
interface Writer {
  alone: boolean
}

/** Of one tenant in one isolate. */
interface Totals {
  messages: number
  /** Messages whose request has ended. */
  ended: number
  /** More messages were under way at once than callers share keys for. */
  crowded: boolean
  keys: number
}

interface Begun {
  readonly order: number
  /** Messages of its tenant whose request had ended by then. */
  readonly ended: number
  readonly atMs: number
  readonly epoch: number
}

interface Flight {
  readonly scope: RequestScope
  readonly atMs: number
  readonly epoch: number
}

/** How long a caller waits for another one's call, as the cache has it. */
const FOLLOWER_WAIT_MS = 2_000
/** How often it waits before it makes its own. */
const WAITS = 3
/** A caller that finds so many shared keys used up makes one for itself. */
const MAX_JOINS = 2
/** Operations that share no call: batches, and those that must bypass the cache. */
const ALONE = ['rewrap', 'encryptMany', 'decryptMany']

/** Facts about one isolate. */
interface Memory {
  /** Another one whenever something may have gone. */
  epoch: number
  readonly held: Map<string, Held>
  /** Calls that have no answer yet. */
  readonly flights: Map<string, Flight>
  /** By tenant: messages that were asked for, and data keys that were asked for them. */
  readonly totals: Map<string, Totals>
  /** Requests by tenant, of those that write. */
  readonly writers: Map<string, Set<Writer>>
}

/**
 * Callers that want the same at the same time share one call (R15), unless the one that made it is
 * gone or slow. A key that an isolate holds is not asked for again: neither unwrapped within the TTL (R14), nor
 * made again while the one in memory may write (R19). A key that a failure, a clear, a crash or a wrong clock
 * may have taken is forgotten here too, so that a blame is never a guess.
 */
export class CallBounds {
  /** Calls by operation. */
  readonly counts = new Map<string, number>()
  readonly #plan: Plan
  readonly #blame: (text: string) => void
  readonly #memories = new WeakMap<Isolate, Memory>()
  readonly #begun = new WeakMap<RequestScope, Begun>()
  #order = 0
  readonly #asked = new WeakMap<RequestScope, Set<string>>()
  /** Whether what an isolate holds goes only by what is seen here: not where others may drop it, or it is renewed. */
  readonly #isJudged: boolean

  constructor(plan: Plan, blame: (text: string) => void) {
    this.#plan = plan
    this.#blame = blame
    const { shared, maxStaleMs } = plan
    const { forgeries = 0, losses = 0, invalidations = 0 } = shared ?? {}
    this.#isJudged = maxStaleMs === 0 && forgeries + losses + invalidations === 0
  }

  /** Forgets an isolate: its next call is allowed. */
  forget(isolate: Isolate): void {
    const memory = this.#memoryOf(isolate)
    memory.epoch += 1
    memory.held.clear()
    memory.flights.clear()
  }

  /** A request begins that writes so many messages. Returns what ends it. */
  begins(isolate: Isolate, scope: RequestScope, messages: number): (succeeded: boolean) => void {
    const memory = this.#memoryOf(isolate)
    const { epoch } = memory
    const clockMs = isolate.nowMs
    const { tenant } = scope.task
    const totals = memory.totals.get(tenant) ?? { messages: 0, ended: 0, keys: 0, crowded: false }
    const { ended } = totals
    this.#begun.set(scope, { order: ++this.#order, atMs: isolate.worldMs, epoch, ended })
    totals.messages += messages
    memory.totals.set(tenant, totals)
    const writers = memory.writers.get(tenant) ?? new Set<Writer>()
    memory.writers.set(tenant, writers)
    const active = memory.held.get(`generate ${tenant}`)
    if (active !== undefined) active.uses += messages
    // Of two that write at once, each may make a key: which one stays is not known.
    const self: Writer = { alone: writers.size === 0 }
    if (messages > 0) {
      for (const other of writers) other.alone = false
      writers.add(self)
    }
    return (succeeded) => {
      writers.delete(self)
      totals.ended += messages
      if (!succeeded || memory.epoch !== epoch) return
      for (const id of this.#asked.get(scope) ?? []) {
        const held = { clockMs, uses: messages, order: ++this.#order }
        if (!id.startsWith('generate') || self.alone) memory.held.set(id, held)
        else memory.held.delete(id)
      }
    }
  }

  /** Returns what ends the call. */
  asked(isolate: Isolate, provider: string, operation: string, subject: string): () => void {
    this.counts.set(operation, (this.counts.get(operation) ?? 0) + 1)
    const scope = currentScope()
    if (scope === undefined || scope.task.hostile || scope.task.kind === 'rewrap') {
      return () => undefined
    }
    if (!this.#isJudged) return () => undefined
    const writes = operation === 'generate'
    const id = writes ? `generate ${scope.task.tenant}` : `${operation} ${provider} ${subject}`
    const memory = this.#memoryOf(isolate)
    const totals = writes ? memory.totals.get(scope.task.tenant) : undefined
    if (totals !== undefined) this.#checkTotals(isolate, totals, scope)
    const asked = this.#asked.get(scope) ?? new Set()
    this.#asked.set(scope, asked)
    const retries = asked.has(id)
    asked.add(id)
    // A writer that adopts asks the KMS, whatever it holds: its word is the point.
    if (operation === 'unwrap' && scope.task.kind.startsWith('encrypt')) return () => undefined
    const held = memory.held.get(id)
    // A request that began before the key was held may have looked before.
    if (held !== undefined && (this.#begun.get(scope)?.order ?? 0) > held.order) {
      this.#check(isolate, id, held, writes)
    }
    const flight = writes ? `${id} ${String(scope.task.durable)}` : id
    return this.#flies(isolate, flight, scope, retries)
  }

  /** If nothing fails or ages, no use of a key is lost, unless more callers overlap than may share keys (R19). */
  #checkTotals(isolate: Isolate, total: Totals, scope: RequestScope): void {
    total.keys += 1
    // Other isolates use up a shared key too: that one key serves all is the judge's rule.
    if (!this.#plan.ageless || this.#plan.shared !== undefined) return
    const { maxMessages } = this.#plan
    const atOnce = total.messages - (this.#begun.get(scope)?.ended ?? 0)
    if (atOnce > MAX_JOINS * maxMessages) total.crowded = true
    const enough = Math.ceil(total.messages / maxMessages)
    if (!total.crowded && total.keys > enough) {
      const so = `${String(total.keys)} keys for ${String(total.messages)} messages`
      this.#blame(`${isolate.name} made ${so} of ${scope.task.tenant}, ${String(maxMessages)} each`)
    }
  }

  #flies(isolate: Isolate, id: string, scope: RequestScope, retries: boolean): () => void {
    const { flights, epoch } = this.#memoryOf(isolate)
    if (ALONE.includes(scope.task.kind)) return () => undefined
    const other = flights.get(id)
    const { worldMs: atMs } = isolate
    const begun = this.#begun.get(scope)
    // A request that began before a clear shares nothing with those that began after it.
    const known = other?.scope.alive === true && other.scope !== scope
    if (known && begun?.epoch === epoch && other.epoch === epoch && !retries) {
      const seats = !id.startsWith('generate') || this.#plan.maxMessages > 1_000
      const patient = atMs - begun.atMs < WAITS * FOLLOWER_WAIT_MS
      if (patient && seats && atMs - other.atMs < FOLLOWER_WAIT_MS) {
        this.#blame(`${isolate.name} asked for ${id.slice(0, 24)} twice at once`)
      }
    }
    // A retry is asked later than what those who wait have waited for.
    const flight = { scope, atMs: begun?.atMs ?? atMs, epoch: begun?.epoch ?? epoch }
    flights.set(id, flight)
    return () => {
      if (flights.get(id) === flight) flights.delete(id)
    }
  }

  #check(isolate: Isolate, id: string, held: Held, writes: boolean): void {
    const { ttlMs, maxMessages, maxEntries } = this.#plan
    const encryptForMs = encryptForOf(this.#plan, isolate.slot)
    if (maxEntries < 1_000) return
    const ageMs = isolate.nowMs - held.clockMs
    if (ageMs >= (writes ? Math.min(ttlMs, encryptForMs) : ttlMs)) return
    // The request that asks is one of the uses.
    if (writes && held.uses > maxMessages) return
    this.#blame(`${isolate.name} asked again for ${id.slice(0, 24)} after ${String(ageMs)} ms`)
  }

  #memoryOf(isolate: Isolate): Memory {
    const known = this.#memories.get(isolate)
    if (known !== undefined) return known
    const maps = { held: new Map(), flights: new Map(), totals: new Map(), writers: new Map() }
    const memory: Memory = { epoch: 0, ...maps }
    this.#memories.set(isolate, memory)
    return memory
  }
}
