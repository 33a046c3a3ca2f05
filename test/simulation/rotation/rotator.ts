import { isKmsError } from '../../../src/index.ts'
import { KeyRotationManager } from '../../../src/rotation/key-rotation-manager.ts'
import { createRotationStep } from '../../../src/rotation/rotation-step.ts'
import type { RotationState } from '../../../src/rotation/rotation-state.ts'
import { newRotationState } from '../../../src/rotation/state.ts'
import { Random } from '../random.ts'
import { EVERYWHERE } from '../scope.ts'
import type { Process } from './process.ts'
import { stateStoreOf } from './states.ts'
import type { RotationWorld } from './world.ts'

/** How a rotator lives. */
export interface RotatorPlan {
  readonly crashes: 'none' | 'some' | 'every'
  readonly mostCrashes: number
  readonly duplicates: number
  readonly engine: 'step' | 'manager'
}

/** One job, and the processes that run it one after the other: each goes on from the state that was saved last. */
export class Rotator {
  readonly job: string
  state: RotationState | undefined
  crashes = 0
  /** Runs that ended with an error, which the engine starts again. */
  restarts = 0
  process: Process
  readonly #world: RotationWorld
  readonly #plan: RotatorPlan
  readonly #random: Random
  /** The call after the last save at which the process ends next. */
  #stopsAt = 1
  #ended = false

  constructor(world: RotationWorld, job: string, plan: RotatorPlan) {
    this.#world = world
    this.job = job
    this.#plan = plan
    this.#random = new Random(world.plan.seed, `rotator ${job}`)
    this.process = world.birth()
  }

  get #key(): string {
    return `job-${this.job}`
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Begins a life, at once. */
  live(): void {
    const process = this.#world.birth()
    this.process = process
    process.isolate.hear()
    this.#arm()
    process.sends = () => this.#random.chance(0.5)
    process.onCrash = () => {
      this.crashes += 1
      this.#stopsAt += 1
      this.#world.log(this.job, `ends at call ${String(process.calls)}`)
      this.#again()
    }
    this.#run(process).then(
      () => {
        if (process.isolate.alive) this.#ended = true
      },
      (error: unknown) => {
        if (!process.isolate.alive) return
        this.restarts += 1
        this.#world.log(this.job, `throws ${String((error as { code?: string }).code)}`)
        if (!isKmsError(error) || !error.retryable)
          this.#world.judge.blame('throws', `${this.job}: ${String((error as Error).stack)}`)
        process.isolate.alive = false
        this.#again()
      },
    )
  }

  /** The job was saved: the next step begins. */
  saved(after: RotationState): void {
    this.state = after
    this.#stopsAt = 1
    this.process.calls = 0
    this.#arm()
    if (this.#random.chance(this.#plan.duplicates)) this.#deliverAgain()
  }

  #arm(): void {
    const { crashes, mostCrashes } = this.#plan
    if (crashes === 'none' || this.crashes >= mostCrashes) this.process.diesAt = Infinity
    else if (crashes === 'every') this.process.diesAt = this.#stopsAt
    else if (this.process.diesAt === Infinity) this.process.diesAt = this.#random.scale(1, 120)
  }

  #again(): void {
    this.#world.scheduler.after(this.#random.scale(1, 2_000), EVERYWHERE, () => {
      this.live()
    })
  }

  async #run(process: Process): Promise<void> {
    const { states } = this.#world
    const options = this.#world.rotationOf(process, this.job)
    const { engine } = this.#plan
    const { pageSize, pages } = this.#world.plan
    const records = pageSize * pages
    if (engine === 'manager') {
      const store = stateStoreOf(states, process)
      const manager = new KeyRotationManager({ ...options, job: this.job, states: store })
      const run = manager.run({ recordsPerStep: records, maxStalls: 1_000 })
      while (!(await run.next()).done);
      return
    }
    const step = createRotationStep(options)
    const call = <T>(work: () => T): Promise<T> =>
      process.leave(() => states.remote.call(process.isolate, undefined, work))
    const orFail = <T>(work: () => T): Promise<T> =>
      call(work).catch((error: unknown) => {
        throw Object.assign(error as Error, { retryable: true, isEngine: true })
      })
    let text = await this.#engine(() => orFail(() => states.load(this.#key)))
    for (;;) {
      const from = text
      const state = from === undefined ? this.#first() : (JSON.parse(from) as RotationState)
      if (state.phase !== 'running') return
      const result = await step(state, { records })
      const to = JSON.stringify(result.state)
      await this.#engine(() => orFail(() => states.save(this.#key, null, from, to)))
      text = to
      if (result.waitMs > 0) await this.#sleep(process, result.waitMs)
    }
  }

  /** An engine tries until its own store answers. */
  async #engine<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work()
      } catch {
        await this.#sleep(this.process, 500)
      }
    }
  }

  #first(): RotationState {
    const atMs = this.#world.scheduler.nowMs
    return newRotationState({ job: this.job, sources: ['table'], atMs })
  }

  #sleep({ isolate }: Process, ms: number): Promise<void> {
    return new Promise((resolve) => this.#world.scheduler.after(ms, isolate, resolve))
  }

  /** Some step, of now or of long ago, is done once more by a process that knows nothing of the others. */
  #deliverAgain(): void {
    const { scheduler, states, plan } = this.#world
    const text = this.#random.pick(states.past(this.#key))
    scheduler.after(this.#random.scale(1, 20_000), EVERYWHERE, () => {
      const process = this.#world.birth()
      if (this.#plan.crashes !== 'none' && this.#random.chance(0.3))
        process.diesAt = this.#random.scale(1, 60)
      const step = createRotationStep(this.#world.rotationOf(process, this.job))
      const records = plan.pageSize * plan.pages
      this.#world.log(this.job, 'is delivered again')
      step(JSON.parse(text) as RotationState, { records }).catch((error: unknown) => {
        this.#world.judge.blame('throws', `again: ${String((error as Error).stack)}`)
      })
    })
  }
}
