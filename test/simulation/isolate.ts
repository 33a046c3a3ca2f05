import type { Network, Runtime } from '../../src/index.ts'
import type { Plan } from './plan.ts'
import { Random } from './random.ts'
import { currentScope, runIn } from './scope.ts'
import type { Scheduler, Scope } from './scheduler.ts'

/** One life of one isolate: its clock, its timers, its random numbers. A crash ends all of them. */
export class Isolate implements Scope {
  readonly name: string
  readonly slot: number
  readonly runtime: Runtime
  readonly network: Network
  alive = true
  /** World time. */
  readonly bornAtMs: number
  /** How far its clock went back in all. */
  wentBackMs = 0
  #offsetMs: number
  #seenMs: number
  readonly #frozen: boolean
  readonly #scheduler: Scheduler

  constructor(
    slot: number,
    life: number,
    plan: Pick<Plan, 'seed' | 'skewMs' | 'platform'>,
    scheduler: Scheduler,
  ) {
    const { seed, skewMs, platform } = plan
    this.slot = slot
    this.name = `${String(slot)}.${String(life)}`
    const random = new Random(seed, `isolate ${this.name}`)
    this.#offsetMs = random.int(-skewMs, skewMs)
    this.#frozen = platform === 'workers'
    this.#scheduler = scheduler
    this.#seenMs = scheduler.nowMs
    this.bornAtMs = scheduler.nowMs
    this.runtime = {
      now: () => this.nowMs,
      randomFill: (bytes) => random.fill(bytes),
    }
    this.network = {
      fetch: () => Promise.reject(new Error('nothing here calls fetch')),
      after: (delayMs, callback) => {
        const scope = currentScope()
        return scheduler.after(delayMs, scope ?? this, () => {
          this.hear()
          runIn(scope, callback)
        })
      },
      jitter: () => random.next(),
    }
  }

  /** The time on its clock. On Workers it stands still until something comes in. */
  get nowMs(): number {
    return (this.#frozen ? this.#seenMs : this.#scheduler.nowMs) + this.#offsetMs
  }

  /** The time that no clock of its own shows. */
  get worldMs(): number {
    return this.#scheduler.nowMs
  }

  /** Something came in from outside. */
  hear(): void {
    this.#seenMs = this.#scheduler.nowMs
  }

  /** Somebody sets its clock. */
  jump(byMs: number): void {
    this.#offsetMs += byMs
    this.wentBackMs += Math.max(0, -byMs)
  }
}
