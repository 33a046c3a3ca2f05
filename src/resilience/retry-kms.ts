import { type KmsError, type Outcome, typedError } from '../errors.ts'
import {
  checkAnswer,
  discard,
  InterceptedKms,
  type KmsCall,
  type KmsSignalOptions,
  missing,
  type NextCall,
  type UnwrappedDataKey,
  type UnwrapRequest,
} from '../kms/index.ts'
import type { KmsOperation } from '../ports/index.ts'
import { notify, sleep } from '../runtime/index.ts'
import { isRefusal } from './refusal.ts'
import {
  refill,
  type RetryBudget,
  type RetryConfig,
  retryCost,
  retryDelayMs,
  type RetryPolicy,
  retryPolicy,
  spend,
} from './retry-policy.ts'
import { demandOneKek, type DecoratorOptions, partsOf, type Ports } from './service.ts'

/** Options of {@link RetryKms}. */
export interface RetryKmsOptions extends RetryConfig, DecoratorOptions {}

type Opened = Outcome<UnwrappedDataKey>
type Labels = Pick<KmsCall<unknown>, 'operation' | 'provider' | 'options'>

/**
 * Retries a call that may succeed later, after a delay with full jitter, while its budget and the caller's deadline
 * allow. It never retries health checks, or calls that this stack itself refused. It retries `rotateKey` only after a
 * throttle, because a second rotation would make a second version.
 *
 * @example
 * ```ts
 * import { EnvelopeCipher, type KeyManagementService, RetryKms } from 'edge-kms'
 *
 * export function patient(kms: KeyManagementService): EnvelopeCipher {
 *   return new EnvelopeCipher({ kms: new RetryKms({ kms, maxAttempts: 5 }) })
 * }
 * ```
 */
export class RetryKms extends InterceptedKms {
  readonly #policy: RetryPolicy
  readonly #ports: Ports
  #budget: RetryBudget

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: RetryKmsOptions) {
    const { ports, rest } = partsOf(options)
    const { kms, ...config } = rest
    super(demandOneKek('RetryKms', kms))
    this.#policy = retryPolicy(config)
    this.#ports = ports
    this.#budget = { tokens: this.#policy.budget }
  }

  /** Returns the budget that is left for retries. */
  budget(): RetryBudget {
    return this.#budget
  }

  protected override around<T, O extends KmsSignalOptions>(
    call: KmsCall<T, O>,
    next: NextCall<T, O>,
  ): Promise<T> {
    if (call.callClass === undefined) return next(call.options)
    if (call.items === undefined) return this.#run(call, () => next(call.options))
    return this.#runBatch(call, call.items, next as never) as Promise<T>
  }

  /** Sends a batch again with only those of its items that may succeed then. */
  async #runBatch(
    call: Labels,
    items: readonly UnwrapRequest[],
    next: NextCall<readonly (Opened | undefined)[]>,
  ): Promise<readonly Opened[]> {
    const { options, provider } = call
    const outcomes: Opened[] = []
    let open = [...items.entries()]
    try {
      await this.#run(call, async () => {
        const given = await next(
          options,
          open.map(([, item]) => item),
        )
        const answers = checkAnswer(provider, given, Array.isArray)
        for (const [n, [i]] of open.entries())
          outcomes[i] = answers[n] ?? { ok: false, error: missing() }
        open = open.filter(([i]) => errorOf(outcomes[i])?.retryable)
        const [first] = open
        if (first !== undefined) throw errorOf(outcomes[first[0]]) as KmsError
      })
    } catch (error) {
      if (options.signal?.aborted === true) discard(outcomes)
      options.signal?.throwIfAborted()
      // Each item has its own error; without any item, the batch itself failed.
      if (outcomes.length === 0) throw error
    }
    return outcomes
  }

  async #run<T>(
    { operation, provider, options }: Labels,
    attemptOnce: () => Promise<T>,
  ): Promise<T> {
    const { network, observer } = this.#ports
    let paid = 0
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await attemptOnce()
        this.#budget = refill(this.#policy, this.#budget, paid)
        return answer
      } catch (error) {
        const failure = typedError(error, 'ERR_KMS_UNAVAILABLE', options.signal)
        const delayMs = retryDelayMs(this.#policy, attempt, failure, network.jitter())
        if (!this.#may(operation, attempt, failure) || this.#isTooLate(delayMs, options))
          throw failure
        paid = retryCost(this.#policy, failure)
        const left = spend(this.#budget, paid)
        if (left === undefined) {
          notify(observer, { type: 'refusal', by: 'retry-budget', provider, operation })
          throw failure
        }
        this.#budget = left
        const { code: errorType } = failure
        notify(observer, { type: 'retry', provider, operation, attempt, delayMs, errorType })
        await sleep(network, delayMs, options.signal)
      }
    }
  }

  #may(operation: KmsOperation, attempt: number, failure: KmsError): boolean {
    if (attempt >= this.#policy.maxAttempts || !failure.retryable || isRefusal(failure))
      return false
    return operation !== 'rotateKey' || failure.code === 'ERR_KMS_THROTTLED'
  }

  /** A sleep into the deadline would hide the failure behind a timeout. */
  #isTooLate(delayMs: number, { deadlineMs }: KmsSignalOptions): boolean {
    return deadlineMs !== undefined && this.#ports.runtime.now() + delayMs >= deadlineMs
  }
}

function errorOf(outcome: Opened | undefined): KmsError | undefined {
  return outcome?.ok === false ? outcome.error : undefined
}
