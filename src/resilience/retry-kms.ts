import { KmsError, type Outcome, typedError } from '../errors.ts'
import {
  discard,
  type GeneratedDataKey,
  type HealthReport,
  type KekVersion,
  type KeyManagementService,
  type KmsCallOptions,
  type KmsCapabilities,
  type KmsSignalOptions,
  type SecretBytes,
  type UnwrappedDataKey,
  unwrapEach,
  type UnwrapRequest,
  type WrappedKey,
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
import { type DecoratorPorts, type InnerCall, type Ports, portsOf, serviceOf } from './service.ts'

/** Options of {@link RetryKms}. */
export interface RetryKmsOptions extends RetryConfig, DecoratorPorts {
  readonly kms: KeyManagementService
}

/**
 * Makes a call again that may succeed then, after a delay with full jitter, as long as its budget and
 * the caller's deadline allow. What this process itself turned away is never retried.
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
export class RetryKms implements KeyManagementService {
  readonly providerName: string
  readonly capabilities: KmsCapabilities
  readonly #kms: KeyManagementService
  readonly #policy: RetryPolicy
  readonly #ports: Ports
  #budget: RetryBudget

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: RetryKmsOptions) {
    const { kms, runtime, network, observer, ...config } = options
    this.#kms = serviceOf(kms)
    this.#policy = retryPolicy(config)
    this.#ports = portsOf({ runtime, network, observer })
    this.#budget = { tokens: this.#policy.budget }
    this.providerName = kms.providerName
    this.capabilities = kms.capabilities
  }

  /** The tokens that are left for retries. */
  budget(): RetryBudget {
    return this.#budget
  }

  canUnwrap(wrap: WrappedKey): boolean {
    return this.#kms.canUnwrap(wrap)
  }

  generateDataKey(options: KmsCallOptions): Promise<GeneratedDataKey> {
    return this.#run('generateDataKey', options, (given) => this.#kms.generateDataKey(given))
  }

  wrapDataKey(plaintext: SecretBytes, options: KmsCallOptions): Promise<readonly WrappedKey[]> {
    return this.#run('wrapDataKey', options, (given) => this.#kms.wrapDataKey(plaintext, given))
  }

  unwrapDataKey(wraps: readonly WrappedKey[], options: KmsCallOptions): Promise<UnwrappedDataKey> {
    return this.#run('unwrapDataKey', options, (given) => this.#kms.unwrapDataKey(wraps, given))
  }

  /** A batch goes out again with those of its items only that may succeed then. */
  async unwrapMany(
    items: readonly UnwrapRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<UnwrappedDataKey>[]> {
    if (!this.capabilities.batches) return unwrapEach(this, items, options)
    const outcomes: Outcome<UnwrappedDataKey>[] = []
    let open = items.map((_, i) => i)
    await this.#run('unwrapMany', options, async (given) => {
      const asked = open
      const answers = await this.#kms.unwrapMany(
        asked.map((i) => items[i] as UnwrapRequest),
        given,
      )
      asked.forEach((i, n) => (outcomes[i] = answers[n] ?? missing()))
      open = asked.filter((i) => isRetryable(outcomes[i]))
      const [first] = open.map((i) => outcomes[i])
      if (first?.ok === false) throw first.error
    }).catch((error: unknown) => {
      // Items that did not make it have their own error; without any, the batch itself failed.
      if (options.signal?.aborted === true) discard(outcomes)
      options.signal?.throwIfAborted()
      if (outcomes.length === 0) throw error
    })
    return outcomes
  }

  rewrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<readonly WrappedKey[]> {
    return this.#run('rewrapDataKey', options, (given) => this.#kms.rewrapDataKey(wraps, given))
  }

  currentVersion(options: KmsSignalOptions): Promise<readonly KekVersion[]> {
    return this.#run('currentVersion', options, (given) => this.#kms.currentVersion(given))
  }

  /** Made again only when the KMS said that it did not do it: two rotations are not one. */
  rotateKey(options: KmsSignalOptions): Promise<readonly KekVersion[]> {
    return this.#run('rotateKey', options, (given) => this.#kms.rotateKey(given))
  }

  /** Never made again: it reports, and what it reports is now. */
  healthCheck(options: KmsSignalOptions): Promise<HealthReport> {
    return this.#kms.healthCheck(options)
  }

  async #run<T, O extends KmsSignalOptions>(
    operation: KmsOperation,
    options: O,
    call: InnerCall<T, O>,
  ): Promise<T> {
    const { network, observer } = this.#ports
    let paid = 0
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await call(options)
        this.#budget = refill(this.#policy, this.#budget, paid)
        return answer
      } catch (error) {
        const failure = typedError(error, 'ERR_KMS_UNAVAILABLE', options.signal)
        const random = network.jitter()
        const delayMs = retryDelayMs(this.#policy, attempt, failure, random)
        if (!this.#may(operation, attempt, failure) || this.#isTooLate(delayMs, options))
          throw failure
        paid = retryCost(this.#policy, failure)
        const left = spend(this.#budget, paid)
        const { providerName: provider } = this
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

  /** To sleep into the deadline would hide the failure behind a timeout, and help nobody. */
  #isTooLate(delayMs: number, { deadlineMs }: KmsSignalOptions): boolean {
    return deadlineMs !== undefined && this.#ports.runtime.now() + delayMs >= deadlineMs
  }
}

/** What stands for an item that a batch did not answer. */
function missing(): Outcome<never> {
  return { ok: false, error: new KmsError('ERR_KMS_RESPONSE_INVALID') }
}

function isRetryable(outcome: Outcome<unknown> | undefined): boolean {
  return outcome?.ok === false && outcome.error.retryable
}
