import { integer, oneOf, refuseOthers } from '../checks/index.ts'
import { isKmsError } from '../errors.ts'
import {
  type HealthReport,
  InterceptedKms,
  type KmsCall,
  type KmsKekOptions,
  type KmsSignalOptions,
  type NextCall,
} from '../kms/index.ts'
import type { CallEvent } from '../ports/index.ts'
import { notify } from '../runtime/index.ts'
import { TIMEOUTS } from './defaults.ts'
import { callWithin, type DecoratorOptions, errorTypeOf, partsOf, type Ports } from './service.ts'

/** Options of {@link TimeoutKms}. */
export interface TimeoutKmsOptions extends DecoratorOptions {
  /** Time from the call to its answer, in milliseconds, 1 to 900,000. */
  readonly timeoutMs: number
  /** `operation`: the total deadline, outside the retries. `attempt`: one call to one KMS, inside them. */
  readonly layer: CallEvent['layer']
}

/**
 * Rejects a call that takes longer than `timeoutMs`, even if the KMS ignores its signal, and reports the duration to
 * the observer. A late answer is wiped, never returned.
 *
 * @remarks If the service has no batches, each item of a batch is a call with the whole time, except under the total
 * deadline.
 */
export class TimeoutKms extends InterceptedKms {
  readonly #timeoutMs: number
  readonly #layer: CallEvent['layer']
  readonly #ports: Ports

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: TimeoutKmsOptions) {
    const { ports, rest } = partsOf(options)
    const { kms, timeoutMs, layer, ...others } = rest
    refuseOthers(others)
    super(kms, { wholeBatches: oneOf('layer', layer, ['operation', 'attempt']) === 'operation' })
    this.#timeoutMs = integer('timeoutMs', timeoutMs, 1, TIMEOUTS.deadlineMs.most)
    this.#layer = layer
    this.#ports = ports
  }

  /** Reports a KMS that is late or fails as not healthy, instead of throwing. */
  override async healthCheck(options: KmsKekOptions = {}): Promise<HealthReport> {
    try {
      return await super.healthCheck(options)
    } catch (error) {
      options.signal?.throwIfAborted()
      if (!isKmsError(error) || !/^ERR_KMS_(TIMEOUT|UNAVAILABLE)$/.test(error.code)) throw error
      const check = { provider: this.providerName, kekId: '', healthy: false, code: error.code }
      return { healthy: false, checks: [check] }
    }
  }

  protected override async around<T, O extends KmsSignalOptions>(
    { operation, provider, options }: KmsCall<T, O>,
    next: NextCall<T, O>,
  ): Promise<T> {
    const { runtime, observer } = this.#ports
    const startedMs = runtime.now()
    const tell = (errorType?: string): void => {
      const durationMs = Math.max(0, runtime.now() - startedMs)
      const facts = { type: 'call', layer: this.#layer, provider, operation, durationMs } as const
      notify(observer, errorType === undefined ? facts : { ...facts, errorType })
    }
    try {
      const bound = { timeoutMs: this.#timeoutMs, provider, operation }
      const hasAttemptTimeout = this.#layer === 'attempt' || options.hasAttemptTimeout
      const given = { ...options, hasAttemptTimeout }
      const answer = await callWithin(this.#ports, bound, given, next)
      tell()
      return answer
    } catch (error) {
      tell(errorTypeOf(error, options.signal))
      throw error
    }
  }
}
