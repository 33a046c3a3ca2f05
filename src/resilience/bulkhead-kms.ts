import { checkNumbers } from '../checks/index.ts'
import { InterceptedKms, type KmsCall, type KmsSignalOptions, type NextCall } from '../kms/index.ts'
import { notify } from '../runtime/index.ts'
import { Bulkhead, type BulkheadConfig } from './bulkhead.ts'
import { BULKHEAD, HOLD } from './defaults.ts'
import { refusal } from './refusal.ts'
import { demandOneKek, type DecoratorOptions, partsOf, type Ports } from './service.ts'

/** Options of {@link BulkheadKms}. */
export interface BulkheadKmsOptions extends BulkheadConfig, DecoratorOptions {}

/**
 * Limits how many calls one KMS gets at the same time, and how many wait in a queue. It refuses further calls with
 * `ERR_KMS_THROTTLED`, because an endless queue only hides an outage. If the service has no batches, each item of a
 * batch counts as a call.
 */
export class BulkheadKms extends InterceptedKms {
  readonly #ports: Ports
  readonly #bulkhead: Bulkhead

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: BulkheadKmsOptions) {
    const { ports, rest } = partsOf(options)
    const { kms, ...config } = rest
    super(demandOneKek('BulkheadKms', kms))
    this.#ports = ports
    const bounds = checkNumbers({ ...BULKHEAD, ...HOLD }, config)
    this.#bulkhead = new Bulkhead(bounds, ports.runtime, ports.network)
  }

  /** Returns how many calls are in flight now, and how many wait. */
  stats(): { readonly inFlight: number; readonly queued: number } {
    return this.#bulkhead.stats()
  }

  protected override async around<T, O extends KmsSignalOptions>(
    { operation, provider, options }: KmsCall<T, O>,
    next: NextCall<T, O>,
  ): Promise<T> {
    const { progress, signal } = options
    if (progress !== undefined) progress.askedAtMs = Infinity
    const permit = await this.#bulkhead.enter(signal)
    if (permit === undefined) {
      notify(this.#ports.observer, { type: 'refusal', by: 'bulkhead', provider, operation })
      const message = 'too many calls wait for the KMS'
      throw refusal('ERR_KMS_THROTTLED', { message, provider, operation })
    }
    if (progress !== undefined) progress.askedAtMs = this.#ports.runtime.now()
    try {
      return await next(options)
    } finally {
      this.#bulkhead.leave(permit)
    }
  }
}
