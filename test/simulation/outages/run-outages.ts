import { Random } from '../random.ts'
import { EVERYWHERE, RequestScope, runIn } from '../scope.ts'
import { Trace } from '../trace.ts'
import { callOf, generation, type StackCall, unwrapping } from './calls.ts'
import type { OutageRule, Since, Wrapped } from './judge.ts'
import { type OutagePlan, outagePlanOf } from './plan.ts'
import { type Life, OutageWorld } from './world.ts'

/** The result of one seed. */
export interface OutageReport {
  readonly seed: number
  readonly violations: readonly { readonly rule: OutageRule; readonly text: string }[]
  /** Of all that happened: the same for the same seed, always. */
  readonly digest: string
  readonly events: number
  readonly kmsCalls: number
  readonly written: number
}

/** A caller that gives up must be released within this time. */
const LET_GO_MS = 5
const TO_HEAL_MS = 60_000
/** Rounds after which every isolate is served: one probes, the others learn it, or their turn to probe comes. */
const ROUNDS = 6
const MOST_PROOFS = 40

interface Running {
  hangs: boolean
  readonly name: string
}

/** Plays the world of one seed to its end. */
export async function runOutages(seed: number, print = false): Promise<OutageReport> {
  const plan = outagePlanOf(seed)
  const trace = new Trace(print)
  const world = new OutageWorld(plan, trace)
  const { scheduler, judge } = world
  const running = schedule(world)
  await scheduler.drain()
  for (const { hangs, name } of running) if (hangs) judge.blame('hang', `${name} never ends`)
  world.heal()
  scheduler.nowMs += TO_HEAL_MS
  await recover(world)
  await prove(world)
  judge.close(world.servers.reduce((sum, { version }) => sum + version - 1, 0))
  const { violations, calls: kmsCalls, wrapped } = judge
  const digest = trace.digest()
  return { seed, violations, digest, events: trace.lines, kmsCalls, written: wrapped.length }
}

/** Puts everything that will happen on the clock. */
function schedule(world: OutageWorld): Running[] {
  const { plan, scheduler } = world
  const random = new Random(plan.seed, 'calls')
  const running: Running[] = []
  for (const [n, atMs] of momentsOf(plan, random).entries()) {
    const slot = random.int(0, plan.isolates - 1)
    const herd = random.chance(0.12) ? random.int(2, 12) : 1
    const client = clientOf(plan, random)
    scheduler.after(atMs, EVERYWHERE, () => {
      for (let i = 0; i < herd; i++) {
        const id = n * 16 + i
        const call = callOf(world, random, id)
        running.push(start(world, world.life(slot), call, id, i === 0 ? client : {}))
      }
    })
  }
  scheduleAccidents(world)
  return running
}

/** Bursts, pauses, and calls just before and after a circuit lets a probe through. */
function momentsOf({ durationMs, operations, config }: OutagePlan, random: Random): number[] {
  const { resetTimeoutMs } = config.circuitBreaker
  const moments: number[] = []
  let atMs = 0
  for (let i = 0; i < operations; i++) {
    const step = random.next()
    if (step < 0.5) atMs += random.int(0, 300)
    else if (step < 0.65) atMs += resetTimeoutMs + random.int(-100, resetTimeoutMs / 5)
    else if (step < 0.9) atMs += random.scale(1, Math.max(2, durationMs / 20))
    else atMs = random.int(0, durationMs)
    atMs %= durationMs
    moments.push(Math.floor(atMs))
  }
  return moments.sort((a, b) => a - b)
}

function scheduleAccidents(world: OutageWorld): void {
  const { plan, scheduler } = world
  const random = new Random(plan.seed, 'accidents')
  const slot = (): number => random.int(0, plan.isolates - 1)
  const at = (run: () => void): void => {
    scheduler.after(random.int(0, plan.durationMs), EVERYWHERE, run)
  }
  for (let i = 0; i < plan.crashes; i++) {
    const victim = slot()
    at(() => {
      world.crash(victim)
    })
  }
  for (let i = 0; i < plan.jumps; i++) {
    const [victim, byMs] = [slot(), random.int(-600_000, 600_000)]
    at(() => {
      world.jump(victim, byMs)
    })
  }
  for (let i = 0; i < plan.forgeries; i++) {
    at(() => {
      world.forge(random)
    })
  }
  for (const { fromMs, toMs } of plan.disabled) {
    for (const [ms, disabled] of [
      [fromMs, true],
      [toMs, false],
    ] as const) {
      scheduler.after(ms, EVERYWHERE, () => {
        world.disable(disabled)
      })
    }
  }
}

/** Acts of a client besides waiting, in milliseconds after its request. */
interface Client {
  readonly abortAfterMs?: number
  /** It goes away: on Workers all I/O of the request ends with it. */
  readonly leaveAfterMs?: number
  readonly defers?: boolean
}

function clientOf({ calm, storeOnly }: OutagePlan, random: Random): Client {
  const defers = random.chance(0.5)
  const what = random.next()
  if (calm || storeOnly) return { defers }
  if (what < 0.06) return { defers, abortAfterMs: random.scale(1, 3_000) }
  if (what < 0.1) return { defers, leaveAfterMs: random.scale(1, 3_000) }
  return { defers }
}

/** One request to an isolate, which calls its stack. */
function start(
  world: OutageWorld,
  life: Life,
  call: StackCall,
  id: number,
  { abortAfterMs, leaveAfterMs, defers = false }: Client,
): Running {
  const { judge, scheduler, plan } = world
  const { isolate } = life
  const name = `#${String(id)} ${call.kind}`
  isolate.hear()
  const task = { kind: call.kind, tenant: '', durable: false, hostile: call.wrong }
  const scope = new RequestScope(isolate, task, plan.platform === 'workers')
  const controller = new AbortController()
  const { signal } = controller
  const atMs = scheduler.nowMs
  const since = (): Since => ({ ...call, scope, atMs, reason: signal.reason as unknown })
  let settled = false
  const settle = (told: () => string): void => {
    judge.settled(scope)
    scope.end()
    if (settled || !isolate.alive) return
    settled = true
    world.log(isolate.name, `${name} ${told()}`)
  }
  world.log(isolate.name, name)
  runIn(scope, () => call.run(life, { signal, ...(defers && { defer: scope.defer }) })).then(
    () => {
      settle(() => {
        judge.succeeded(call.kind, since())
        return 'done'
      })
    },
    (error: unknown) => {
      settle(() => {
        judge.failed(isolate.slot, call.kind, error, since())
        return `fails ${(error as { code?: string }).code ?? String(error)}`
      })
    },
  )
  if (abortAfterMs !== undefined) {
    scheduler.after(abortAfterMs, isolate, () => {
      if (settled) return
      world.log(isolate.name, `${name} aborts`)
      controller.abort(new Error('the client gave up'))
      scheduler.after(LET_GO_MS, EVERYWHERE, () => {
        if (!settled && isolate.alive) judge.blame('abort', `${name} goes on after its abort`)
      })
    })
  }
  if (leaveAfterMs !== undefined) {
    scheduler.after(leaveAfterMs, isolate, () => {
      if (settled) return
      settled = true
      scope.end()
      world.log(isolate.name, `${name} leaves`)
    })
  }
  return {
    name,
    get hangs(): boolean {
      return !settled && isolate.alive
    },
  }
}

/** When all is well again, every isolate is served after a few tries, for writes and reads. */
async function recover(world: OutageWorld): Promise<void> {
  const { plan, judge, scheduler, lives } = world
  const apartMs = Math.ceil(plan.config.circuitBreaker.resetTimeoutMs * 1.1)
  const served = new Map<string, boolean>()
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, life] of lives.entries()) {
      const context = { 'edge-kms:dk': `end-${String(round)}-${String(i)}` }
      const from = judge.wrapped.at(-1)
      const calls = [generation(world, context), ...(from ? [unwrapping(world, from)] : [])]
      for (const [n, call] of calls.entries()) {
        // One after the other: a herd would be shed.
        scheduler.after(round * apartMs + n * 500 + i, EVERYWHERE, () => {
          life.isolate.hear()
          const scope = new RequestScope(life.isolate, { ...task, kind: call.kind }, false)
          void settles(runIn(scope, () => call.run(life, {}))).then((well) => {
            judge.settled(scope)
            served.set(`${life.isolate.name} ${String(n)}`, well)
          })
        })
      }
    }
  }
  await scheduler.drain()
  for (const [name, well] of served)
    if (!well) judge.blame('recovers', `${name} is not served though all is well`)
}

const task = { tenant: '', durable: false, hostile: false }

/** Checks that every message that left opens in the end, by each of its KEKs alone. */
async function prove(world: OutageWorld): Promise<void> {
  const { judge, scheduler, plan, servers } = world
  const random = new Random(plan.seed, 'proofs')
  const { wrapped } = judge
  const proofs = Array.from({ length: Math.min(MOST_PROOFS, wrapped.length) }, () =>
    random.pick(wrapped),
  )
  for (const from of proofs) {
    for (const wrap of from.wraps) {
      const server = servers.find(({ provider }) => provider === wrap.provider)
      judge.opened(server?.unwrap(wrap, from.context) ?? new Uint8Array(0), from)
    }
  }
  const life = world.birth(plan.isolates)
  const last: Wrapped | undefined = wrapped.at(-1)
  if (last === undefined) return
  let opened = false
  scheduler.after(0, EVERYWHERE, () => {
    void settles(unwrapping(world, last).run(life, {})).then((well) => (opened = well))
  })
  await scheduler.drain()
  if (!opened) judge.blame('recovers', 'a new isolate cannot read though all is well')
}

function settles(work: Promise<void>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  )
}
