import type { Isolate } from './isolate.ts'
import type { FaultKind, FaultWindow } from './plan.ts'
import type { Random } from './random.ts'
import { currentScope, EVERYWHERE } from './scope.ts'
import type { Scheduler } from './scheduler.ts'

/** After how long a client gives up on an answer that never comes. */
const LOST_MS = 5_000

/** A call that failed on the way; the client makes of it what its port throws. */
export class CallFailed extends Error {
  readonly kind: Exclude<FaultKind, 'slow'>

  constructor(kind: Exclude<FaultKind, 'slow'>) {
    super(kind)
    this.kind = kind
  }
}

/** The way from isolates to one server: latency, loss, outages, partitions. */
export class Remote {
  readonly target: string
  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #startMs: number
  #faults: readonly FaultWindow[]
  /** Calls of which a client heard a failure. */
  failures = 0

  constructor(
    target: string,
    scheduler: Scheduler,
    random: Random,
    faults: readonly FaultWindow[],
  ) {
    this.target = target
    this.#scheduler = scheduler
    this.#random = random
    this.#startMs = scheduler.nowMs
    this.#faults = faults.filter((fault) => fault.target === target)
  }

  /** Nothing fails from now on. */
  heal(): void {
    this.#faults = []
  }

  /** `work` is what the server does, at once and as a whole. Its own errors travel back as they are. */
  call<T>(isolate: Isolate, signal: AbortSignal | undefined, work: () => T): Promise<T> {
    const client = currentScope() ?? isolate
    return new Promise<T>((resolve, reject) => {
      const abort = (): void => {
        reject(signal?.reason as Error)
      }
      if (signal?.aborted === true) {
        abort()
        return
      }
      signal?.addEventListener('abort', abort, { once: true })
      const back = (delayMs: number, answer: () => void): void => {
        this.#scheduler.after(delayMs, client, () => {
          isolate.hear()
          signal?.removeEventListener('abort', abort)
          answer()
        })
      }
      const fail = (delayMs: number, kind: CallFailed['kind']): void => {
        this.failures += 1
        back(delayMs, () => {
          reject(new CallFailed(kind))
        })
      }
      this.#scheduler.after(this.#random.int(1, 40), EVERYWHERE, () => {
        const fault = this.#faultFor(isolate.slot)
        if (fault === 'request-lost') fail(LOST_MS, fault)
        else if (fault === 'down' || fault === 'throttled') fail(this.#random.int(1, 40), fault)
        else {
          const answer = attempt(work)
          if (fault === 'answer-lost') fail(LOST_MS, fault)
          else {
            const delayMs =
              fault === 'slow' ? this.#random.scale(100, 20_000) : this.#random.int(1, 40)
            back(delayMs, () => {
              if (answer.ok) resolve(answer.value)
              else reject(answer.error)
            })
          }
        }
      })
    })
  }

  #faultFor(slot: number): FaultKind | undefined {
    const atMs = this.#scheduler.nowMs - this.#startMs
    for (const { kind, fromMs, toMs, slot: cutOff, share } of this.#faults) {
      if (atMs < fromMs || atMs >= toMs || (cutOff ?? slot) !== slot) continue
      if (this.#random.chance(share)) return kind
    }
    return undefined
  }
}

function attempt<T>(work: () => T): { ok: true; value: T } | { ok: false; error: Error } {
  try {
    return { ok: true, value: work() }
  } catch (error) {
    return { ok: false, error: error as Error }
  }
}
