import { Random } from '../random.ts'
import { EVERYWHERE, RequestScope, runIn } from '../scope.ts'
import { Trace } from '../trace.ts'
import { callOf, codeOf, type CustomerCall, generation, unwrapping } from './calls.ts'
import type { CustomersRule } from './judge.ts'
import { customersPlanOf } from './plan.ts'
import { CustomersWorld, type Life } from './world.ts'

/** The result of one seed. */
export interface CustomersReport {
  readonly seed: number
  readonly violations: readonly { readonly rule: CustomersRule; readonly text: string }[]
  readonly digest: string
  readonly events: number
  readonly kmsCalls: number
  readonly written: number
}

const TO_HEAL_MS = 60_000

/** Plays the world of one seed to its end. */
export async function runCustomers(seed: number, print = false): Promise<CustomersReport> {
  const trace = new Trace(print)
  const world = new CustomersWorld(customersPlanOf(seed), trace)
  const { scheduler, judge } = world
  const open = new Set<string>()
  schedule(world, open)
  await scheduler.drain()
  for (const name of open) judge.blame('hang', `${name} never ends`)
  world.heal()
  scheduler.nowMs += TO_HEAL_MS
  await recover(world)
  const { violations, calls: kmsCalls, wrapped } = judge
  const digest = trace.digest()
  return { seed, violations, digest, events: trace.lines, kmsCalls, written: wrapped.length }
}

/** Puts everything that will happen on the clock. */
function schedule(world: CustomersWorld, open: Set<string>): void {
  const { plan, scheduler } = world
  const random = new Random(plan.seed, 'calls')
  const at = (run: () => void, atMs = random.int(0, plan.durationMs)): void => {
    scheduler.after(atMs, EVERYWHERE, run)
  }
  for (let n = 0; n < plan.operations; n++) {
    const slot = random.int(0, plan.isolates - 1)
    const herd = random.chance(0.3) ? random.int(2, 8) : 1
    const gone = random.chance(0.15) ? random.scale(1, 500) : undefined
    const how = random.chance(0.5) ? 'aborts' : 'leaves'
    at(() => {
      for (let i = 0; i < herd; i++) {
        const id = n * 16 + i
        const call = callOf(world, random, id)
        start(world, world.life(slot), call, id, open, i === 0 ? { [how]: gone } : {})
      }
    })
  }
  for (let i = 0; i < plan.crashes; i++)
    at(() => {
      world.crash(random.int(0, plan.isolates - 1))
    })
  for (let i = 0; i < plan.jumps; i++)
    at(() => {
      world.life(random.int(0, plan.isolates - 1)).isolate.jump(random.int(-600_000, 600_000))
    })
  for (const { name, fromMs, toMs } of plan.disabled) {
    at(() => {
      world.disable(name, true)
    }, fromMs)
    at(() => {
      world.disable(name, false)
    }, toMs)
  }
}

/** One request to an isolate. */
function start(
  world: CustomersWorld,
  life: Life,
  call: CustomerCall,
  id: number,
  open: Set<string>,
  {
    aborts,
    leaves,
  }: { readonly aborts?: number | undefined; readonly leaves?: number | undefined },
): void {
  const { judge, scheduler, plan } = world
  const { isolate, kms } = life
  isolate.hear()
  const task = { kind: call.kind, tenant: '', durable: false, hostile: false }
  const scope = new RequestScope(isolate, task, plan.platform === 'workers')
  const name = `#${String(id)} ${call.kind} ${call.customers.join()}`
  const controller = new AbortController()
  const { signal } = controller
  const atMs = scheduler.nowMs
  judge.began(scope, call)
  open.add(name)
  const settle = (error?: unknown): void => {
    scope.end()
    if (!open.delete(name) || !isolate.alive) return
    world.log(isolate.name, `${name} ${error === undefined ? 'done' : codeOf(error)}`)
    if (!signal.aborted) judge.ended(call, scheduler.nowMs - atMs, error)
    const { entries } = kms.stats()
    if (entries > plan.maxEntries) judge.blame('bounded', `${String(entries)} KMSs are held`)
  }
  runIn(scope, () => call.run(life, { signal })).then(() => {
    settle()
  }, settle)
  if (aborts !== undefined)
    scheduler.after(aborts, isolate, () => {
      controller.abort(new Error('the client gave up'))
    })
  const gone = (): void => {
    open.delete(name)
    scope.end()
  }
  if (leaves !== undefined) scheduler.after(leaves, isolate, gone)
  // A crash ends all that its isolate does.
  scheduler.after(plan.durationMs * 2, EVERYWHERE, () => {
    if (!isolate.alive) gone()
  })
}

/** When all is well again, every isolate serves every customer after a few tries. */
async function recover(world: CustomersWorld): Promise<void> {
  const { plan, judge, scheduler, lives } = world
  const served = new Map<string, boolean>()
  const attempt = (life: Life, call: CustomerCall, atMs: number): void => {
    const key = `${life.isolate.name} ${call.kind} ${call.customers.join()}`
    scheduler.after(atMs, EVERYWHERE, () => {
      life.isolate.hear()
      const task = { kind: call.kind, tenant: '', durable: false, hostile: false }
      const scope = new RequestScope(life.isolate, task, false)
      judge.began(scope, call)
      runIn(scope, () => call.run(life, {})).then(
        () => served.set(key, true),
        () => served.set(key, false),
      )
    })
  }
  for (let round = 0; round < 4; round++) {
    for (const [i, life] of lives.entries()) {
      for (const [n, customer] of plan.customers.entries()) {
        const atMs = round * 6_000 + n * 300 + i
        attempt(life, generation(world, customer, 1e6 + round * 1_000 + n * 10 + i), atMs)
        const from = judge.wrapped.find((one) => one.customer === customer)
        if (from !== undefined) attempt(life, unwrapping(world, from), atMs + 150)
      }
    }
  }
  await scheduler.drain()
  for (const [key, well] of served)
    if (!well) judge.blame('recovers', `${key} fails though all is well`)
}
