import type { KmsOperation, RefusalEvent, SecretBytes } from '../../../src/index.ts'
import type { RequestScope } from '../scope.ts'
import type { Attempt } from './circuit-rules.ts'
import type { OutagePlan } from './plan.ts'

/** Rules for the calls of one isolate. */
export type AttemptRule = 'retried' | 'budget' | 'crowd' | 'shed' | 'storm' | 'hedged'

interface Series {
  readonly attempts: Attempt[]
}

const FINAL: readonly unknown[] = ['ERR_KMS_KEY_DISABLED', 'ERR_DECRYPT_FAILED']
const THROTTLED = 'ERR_KMS_THROTTLED'
const RETRY_COST = 14
const THROTTLE_COST = 5

/** R20 and R25 for one KMS as one isolate asks it. */
export class AttemptRules {
  readonly #plan: OutagePlan
  readonly #blame: (rule: AttemptRule, text: string) => void
  /** By operation and what it is about, within one request. */
  readonly #series = new WeakMap<RequestScope, Map<string, Series>>()
  readonly #refusals = new WeakMap<RequestScope, Map<string, number>>()
  readonly #inFlight = new Map<Attempt, RequestScope | undefined>()
  #lastEndMs = -Infinity
  #tokens: number
  /** Its clock was set: how long a call has been under way is not known. */
  jumped = false

  constructor(plan: OutagePlan, blame: (rule: AttemptRule, text: string) => void) {
    this.#plan = plan
    this.#blame = blame
    this.#tokens = plan.config.retry.budget
  }

  began(
    attempt: Attempt,
    scope: RequestScope | undefined,
    operation: KmsOperation,
    subject: string,
  ): void {
    if (scope !== undefined) this.#retries(attempt, scope, operation, subject)
    this.#inFlight.set(attempt, scope)
    const { maxConcurrent } = this.#plan.config.bulkhead
    // A client that does not listen goes on when its place is free again.
    if (this.#plan.deaf || this.jumped) return
    const alive = [...this.#inFlight.values()].filter((one) => one?.alive !== false).length
    if (alive > maxConcurrent) this.#blame('crowd', `${String(alive)} calls at the same time`)
  }

  ended(attempt: Attempt, scope: RequestScope | undefined, nowMs: number): void {
    this.#inFlight.delete(attempt)
    this.#lastEndMs = nowMs
    if (attempt.code !== undefined || scope === undefined) return
    const series = [...(this.#series.get(scope)?.values() ?? [])]
    const own = series.find(({ attempts }) => attempts.includes(attempt))
    const before = own?.attempts.at(-2)
    this.#tokens += before === undefined ? 1 : costAfter(before)
  }

  refused({ by, operation }: RefusalEvent, scope: RequestScope | undefined): void {
    if (scope === undefined) return
    const counts = this.#refusals.get(scope) ?? new Map<string, number>()
    this.#refusals.set(scope, counts)
    const times = (counts.get(`${by} ${operation}`) ?? 0) + 1
    counts.set(`${by} ${operation}`, times)
    const items = scope.task.kind === 'unwrapMany' ? 8 : 1
    if (by !== 'retry-budget' && times > items)
      this.#blame('storm', `${operation} is refused ${String(times)} times for one caller`)
  }

  /** After all that happened at this moment: were all places taken when somebody was turned away? */
  checkShed(nowMs: number): void {
    const { maxConcurrent } = this.#plan.config.bulkhead
    if (this.jumped || this.#lastEndMs >= nowMs - 1) return
    const holdMs = 2 * this.#plan.config.attemptTimeoutMs + 50
    const held = [...this.#inFlight.keys()].filter(({ atMs }) => nowMs - atMs <= holdMs).length
    if (held < maxConcurrent)
      this.#blame('shed', `turned away with ${String(held)} of ${String(maxConcurrent)} in flight`)
  }

  #retries(attempt: Attempt, scope: RequestScope, operation: KmsOperation, subject: string): void {
    const all = this.#series.get(scope) ?? new Map<string, Series>()
    this.#series.set(scope, all)
    const key = `${operation} ${subject}`
    const { attempts } = all.get(key) ?? { attempts: [] }
    const before = attempts.at(-1)
    attempts.push(attempt)
    all.set(key, { attempts })
    if (before === undefined) return
    if (before.code === 'aborted' || (!before.cut && FINAL.includes(before.code)))
      this.#blame('retried', `${operation} after ${before.code ?? ''}`)
    if (operation === 'rotateKey' && before.code !== THROTTLED)
      this.#blame('retried', `rotateKey after ${before.code ?? 'nothing'}`)
    if (attempts.length > this.#plan.config.retry.maxAttempts)
      this.#blame('retried', `${operation}: attempt ${String(attempts.length)}`)
    this.#tokens -= costAfter(before)
    if (this.#tokens < 0) this.#blame('budget', `${operation}: nothing is left for a retry`)
  }
}

function costAfter({ code, endedMs }: Attempt): number {
  // A batch that was answered in part is made again for its worst item, which is not seen here.
  return code === THROTTLED || (endedMs !== undefined && code === undefined)
    ? THROTTLE_COST
    : RETRY_COST
}

/** The maker of a secret, and its context. */
export interface Made {
  readonly secret: SecretBytes
  readonly scope: RequestScope | undefined
}

export function isWiped({ secret }: Made): boolean {
  try {
    return secret.length < 0
  } catch {
    return true
  }
}
