import type { Violation, Written } from './judge.ts'
import {
  attack,
  batchDecryption,
  batchEncryption,
  decryption,
  encryption,
  type Operation,
  rewrapping,
} from './operations.ts'
import { type Plan, planOf } from './plan.ts'
import { Random } from './random.ts'
import { type Client, Request } from './requests.ts'
import { EVERYWHERE } from './scope.ts'
import { gateSubtle } from './subtle-gate.ts'
import { Trace } from './trace.ts'
import { World } from './world.ts'

/** The result of one seed. */
export interface SeedReport {
  readonly seed: number
  readonly violations: readonly Violation[]
  /** Of all that happened: the same for the same seed, always. */
  readonly digest: string
  readonly events: number
  readonly kmsCalls: number
  readonly written: number
}

/** Reads at the end: a new isolate opens at most this many of what was written. */
const MOST_PROOFS = 60
const TO_HEAL_MS = 60_000

/** Plays the world of one seed to its end. One at a time in a process: it stands in for WebCrypto. */
export async function runSeed(seed: number, print = false): Promise<SeedReport> {
  const plan = planOf(seed)
  const trace = new Trace(print)
  const world = new World(plan, trace)
  const { scheduler, judge } = world
  const release = gateSubtle(scheduler, new Random(seed, 'subtle'))
  try {
    const requests = schedule(world)
    await scheduler.drain()
    for (const request of requests) {
      if (request.hangs) judge.blame('hang', `${request.toString()} never ends`)
    }
    world.heal()
    scheduler.nowMs += TO_HEAL_MS
    await prove(world)
  } finally {
    release()
  }
  let kmsCalls = 0
  for (const count of judge.bounds.counts.values()) kmsCalls += count
  const { violations, written } = judge
  const digest = trace.digest()
  return { seed, violations, digest, events: trace.lines, kmsCalls, written: written.length }
}

/** Puts everything that will happen on the clock. A read chooses its message when its time comes. */
function schedule(world: World): Request[] {
  const { plan, scheduler } = world
  const random = new Random(plan.seed, 'requests')
  const requests: Request[] = []
  const moments = momentsOf(plan, random)
  moments.forEach((atMs, n) => {
    const slot = random.int(0, plan.isolates - 1)
    const herd = random.chance(0.1) ? random.int(2, 12) : 1
    const client = clientOf(plan, random)
    scheduler.after(atMs, EVERYWHERE, () => {
      const operation = operationOf(world, random)
      for (let i = 0; i < herd; i++) {
        const name = `#${String(n)}.${String(i)}`
        const request = new Request(world, world.life(slot), operation, name)
        requests.push(request)
        // In a herd the first one may fail, and the others must not for that.
        request.start(i === 0 ? client : { defers: client.defers })
      }
    })
  })
  scheduleAccidents(world, moments)
  return requests
}

/** Times at which the edges are: in bursts, and just before and after a key grows too old. */
function momentsOf(
  { durationMs, operations, ttlMs, encryptForMs }: Plan,
  random: Random,
): number[] {
  const moments: number[] = []
  let atMs = 0
  for (let i = 0; i < operations; i++) {
    const step = random.next()
    if (step < 0.35) atMs += random.int(0, 30)
    else if (step < 0.5) atMs += Math.max(0, ttlMs + random.int(-200, 200))
    else if (step < 0.6) atMs += Math.max(0, encryptForMs + random.int(-200, 200))
    else if (step < 0.9) atMs += random.scale(1, Math.max(2, durationMs / 20))
    else atMs = random.int(0, durationMs)
    atMs %= durationMs
    moments.push(Math.floor(atMs))
  }
  return moments.sort((a, b) => a - b)
}

function scheduleAccidents(world: World, moments: readonly number[]): void {
  const { plan, scheduler } = world
  const random = new Random(plan.seed, 'accidents')
  const slot = (): number => random.int(0, plan.isolates - 1)
  // Soon after something began: that is when there is something to lose.
  const soon = (): number => random.pick(moments) + random.int(0, 150)
  const at = (ms: number, run: () => void): void => {
    scheduler.after(ms, EVERYWHERE, run)
  }
  for (let i = 0; i < plan.crashes; i++) {
    const victim = slot()
    at(soon(), () => {
      world.crash(victim)
    })
  }
  for (let i = 0; i < plan.jumps; i++) {
    const [victim, byMs] = [slot(), random.int(-plan.ttlMs, plan.ttlMs)]
    at(soon(), () => {
      world.jump(victim, byMs)
    })
  }
  for (let i = plan.ageless ? 0 : random.int(0, 3); i > 0; i--) {
    const cleared = slot()
    at(soon(), () => {
      world.clear(cleared)
    })
  }
  scheduleShared(world, moments)
  scheduleInvalidations(world, moments)
  if (plan.revokedAtMs !== undefined) {
    at(plan.revokedAtMs, () => {
      world.disable(true)
    })
  }
}

/** Isolates that share nothing invalidate too: what is on its way then must not be held. */
function scheduleInvalidations(world: World, moments: readonly number[]): void {
  const { plan, scheduler } = world
  const random = new Random(plan.seed, 'invalidations')
  if (plan.shared !== undefined || plan.ageless || !random.chance(0.15)) return
  for (let i = random.int(1, 3); i > 0; i--) {
    const slot = random.int(0, plan.isolates - 1)
    scheduler.after(random.pick(moments) + random.int(0, 150), EVERYWHERE, () => {
      world.invalidate(slot)
    })
  }
}

/** Schedules the events of the store that isolates share, and those through it. */
function scheduleShared(world: World, moments: readonly number[]): void {
  const { plan, scheduler } = world
  if (plan.shared === undefined) return
  const { forgeries, losses, invalidations } = plan.shared
  const random = new Random(plan.seed, 'shared accidents')
  const often = (times: number, run: () => void): void => {
    for (let i = 0; i < times; i++) {
      scheduler.after(random.pick(moments) + random.int(0, 300), EVERYWHERE, run)
    }
  }
  let crashes = plan.shared.crashes
  world.judge.onGenerate = (isolate) => {
    if (crashes === 0 || random.chance(0.5)) return
    crashes -= 1
    // Before the KMS answers, before the key is shared, or a little after.
    scheduler.after(random.int(1, 150), EVERYWHERE, () => {
      if (isolate.alive) world.crash(isolate.slot)
    })
  }
  often(forgeries, () => {
    world.forge()
  })
  often(losses, () => {
    world.lose()
  })
  often(invalidations, () => {
    world.invalidate(random.int(0, plan.isolates - 1))
  })
}

function clientOf({ calm }: Plan, random: Random): Client {
  const defers = random.chance(0.5)
  if (calm) return { defers }
  const what = random.next()
  if (what < 0.06) return { defers, abortAfterMs: random.int(0, 120) }
  if (what < 0.12) return { defers, leaveAfterMs: random.int(0, 120) }
  return { defers }
}

function operationOf({ plan, judge }: World, random: Random): Operation {
  const tenant = `t${String(random.int(1, plan.tenants))}`
  const recent = judge.written.slice(-60)
  const what = random.next()
  if (what < 0.4 || recent.length === 0) {
    return encryption(tenant, random.chance(plan.references), random)
  }
  if (what < 0.48) return batchEncryption(tenant, random.chance(plan.references), random)
  const from = random.pick(recent)
  if (what < 0.82) return decryption(from)
  if (what < 0.88) {
    return batchDecryption(Array.from({ length: random.int(1, 6) }, () => random.pick(recent)))
  }
  if (what < 0.92 && isInline(from)) return rewrapping(from)
  return attack(from, random)
}

/** By reference, the wraps are in the store. */
function isInline({ envelope, plaintext }: Written): boolean {
  return envelope.length > plaintext.length + 76
}

/** When all is well again, whatever was written opens, in an isolate that knows nothing yet. */
async function prove(world: World): Promise<void> {
  const { judge, scheduler, plan } = world
  const random = new Random(plan.seed, 'proofs')
  const life = world.birth(plan.isolates)
  const { written } = judge
  const proofs = Array.from({ length: Math.min(MOST_PROOFS, written.length) }, (_, i) =>
    written.length <= MOST_PROOFS ? (written[i] as Written) : random.pick(written),
  )
  let opened = 0
  for (const [i, from] of proofs.entries()) {
    scheduler.after(i, EVERYWHERE, async () => {
      const { row, tenant, envelope, plaintext } = from
      const given = { context: { tenant }, aad: { row } }
      life.cipher.decrypt(envelope, given).then(
        (found) => {
          opened += 1
          if (Buffer.compare(found, plaintext) !== 0) {
            judge.blame('opens', `message ${String(i)} opens to something else in the end`)
          }
        },
        (error: unknown) => {
          judge.blame('opens', `message ${String(i)} does not open in the end: ${String(error)}`)
        },
      )
    })
  }
  await scheduler.drain()
  world.log('end', `${String(opened)} of ${String(proofs.length)} opened`)
  if (opened < proofs.length) judge.blame('hang', 'a read never ends though all is well')
}
