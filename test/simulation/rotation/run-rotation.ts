import type { RotationState } from '../../../src/rotation/rotation-state.ts'
import { Random } from '../random.ts'
import { EVERYWHERE } from '../scope.ts'
import { gateSubtle } from '../subtle-gate.ts'
import { Trace } from '../trace.ts'
import { type RotationRule, tenantOf } from './judge.ts'
import { type RotationPlan, rotationPlanOf } from './plan.ts'
import { retireOften } from './retirer.ts'
import { Rotator } from './rotator.ts'
import { fill, idOf } from './setup.ts'
import { RotationWorld } from './world.ts'

/** The result of one seed. */
export interface RotationReport {
  readonly seed: number
  readonly violations: readonly { readonly rule: RotationRule; readonly text: string }[]
  readonly digest: string
  readonly events: number
  readonly kmsCalls: number
  readonly written: number
  readonly crashes: number
}

const CALM = { crashes: 'none', mostCrashes: 0, duplicates: 0, engine: 'manager' } as const

/** Plays the world of one seed to its end. One at a time in a process: it stands in for WebCrypto. */
export async function runRotationSeed(
  seed: number,
  print = false,
  plan: RotationPlan = rotationPlanOf(seed),
): Promise<RotationReport> {
  const trace = new Trace(print)
  const world = new RotationWorld(plan, trace)
  const { scheduler, judge } = world
  await fill(world)
  const release = gateSubtle(scheduler, new Random(seed, 'subtle'))
  const rotators = rotatorsOf(world)
  try {
    schedule(world, rotators)
    await scheduler.drain()
    for (const { ended, job } of rotators) if (!ended) judge.blame('hang', `${job} never ends`)
    await finish(world)
  } finally {
    release()
  }
  await judge.opens()
  judge.isCurrent()
  const crashes = rotators.reduce((sum, one) => sum + one.crashes, 0)
  const kmsCalls = rotators.reduce((sum, { state }) => sum + (state?.counts.kmsCalls ?? 0), 0)
  const { violations, truth } = judge
  return {
    ...{ seed, violations, digest: trace.digest(), events: trace.lines, kmsCalls, crashes },
    written: truth.size,
  }
}

function rotatorsOf(world: RotationWorld): readonly Rotator[] {
  const { plan } = world
  const rotators = [new Rotator(world, 'main', plan)]
  if (plan.rival) rotators.push(new Rotator(world, 'rival', { ...plan, crashes: 'some' }))
  return rotators
}

/** Puts everything that will happen on the clock. */
function schedule(world: RotationWorld, rotators: readonly Rotator[]): void {
  const { plan, scheduler, servers } = world
  const random = new Random(plan.seed, 'schedule')
  const at = (ms: number, run: () => void): void => {
    scheduler.after(ms, EVERYWHERE, run)
  }
  witness(world, rotators)
  const turn = (version: number) => () => {
    world.log('kms', `version ${String(version)}`)
    for (const server of servers) server.version = version
  }
  at(plan.rotateAtMs, turn(2))
  for (let i = plan.flapMs > 0 ? 3 : 0; i > 0; i--) {
    const ms = plan.rotateAtMs + random.int(1, plan.flapMs)
    at(ms, turn(1))
    at(ms + random.int(1, plan.rotateAtMs + plan.flapMs - ms + 1), turn(2))
  }
  at(plan.rotateAtMs + plan.flapMs + 1, turn(2))
  if (plan.againAtMs !== undefined) at(plan.rotateAtMs + plan.flapMs + plan.againAtMs, turn(3))
  for (const rotator of rotators) {
    at(plan.rotateAtMs + random.int(0, 3_000), () => {
      rotator.live()
    })
  }
  for (const server of servers) server.badWraps = plan.badWraps
  scheduleWriters(world, random)
  if (plan.retires) retireOften(world, plan.rotateAtMs + plan.flapMs + random.int(1, 20_000))
}

function witness({ states, judge }: RotationWorld, rotators: readonly Rotator[]): void {
  states.onSave = (key, before, after: RotationState) => {
    judge.saved(before, after)
    for (const rotator of rotators) if (key === `job-${rotator.job}`) rotator.saved(after)
  }
}

/** Writers insert, replace and delete rows; they write under the key that they hold. */
function scheduleWriters(world: RotationWorld, random: Random): void {
  const { plan, scheduler, table, judge } = world
  const writers = Array.from({ length: plan.writers }, () => {
    const process = world.birth()
    return { process, cipher: world.writerOf(process) }
  })
  for (let i = 0; i < plan.writes && writers.length > 0; i++) {
    // While the job runs, most of them, for it is shorter than the world.
    const whileItRuns = plan.rotateAtMs + random.int(0, 6_000)
    const atMs = random.chance(0.6) ? whileItRuns : random.int(0, plan.durationMs)
    scheduler.after(atMs, EVERYWHERE, () => {
      const { process, cipher } = random.pick(writers)
      process.isolate.hear()
      const what = random.next()
      const own = [...judge.truth.keys()]
      const isNew = what < 0.35 || own.length === 0
      const id = isNew ? idOf(random) : random.pick(own)
      if (!isNew && what > 0.85) {
        void table.remote
          .call(process.isolate, undefined, () => {
            world.log('writer', `deletes ${id}`)
            judge.truth.delete(id)
            table.set(id, undefined)
          })
          .catch(() => undefined)
        return
      }
      const plaintext = random.fill(new Uint8Array(8))
      const context = { tenant: tenantOf(id) }
      void cipher
        .encrypt(plaintext, { context })
        .then((value) =>
          table.remote.call(process.isolate, undefined, () => {
            world.log('writer', `writes ${id}`)
            judge.truth.set(id, plaintext)
            judge.written(id, value)
            table.set(id, value)
          }),
        )
        .catch(() => undefined)
    })
  }
}

/** When all is well and every writer knows the new version, one more job leaves nothing behind. */
async function finish(world: RotationWorld): Promise<void> {
  const { plan, scheduler, judge } = world
  world.heal()
  scheduler.nowMs += plan.lagMs + 60_000
  const last = new Rotator(world, 'last', CALM)
  witness(world, [last])
  last.live()
  await scheduler.drain()
  if (!last.ended || last.state === undefined) judge.blame('hang', 'the last job never ends')
  else judge.counted(last.state, last.process)
}
