import { integer, refuseOthers } from '../checks/index.ts'
import { isKmsError, type Outcome } from '../errors.ts'
import {
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
import type { CallEvent, KmsOperation } from '../ports/index.ts'
import { notify } from '../runtime/index.ts'
import { boundedCall } from './bounded-call.ts'
import {
  type DecoratorPorts,
  errorTypeOf,
  type InnerCall,
  type Ports,
  portsOf,
  serviceOf,
} from './service.ts'

/** Options of {@link TimeoutKms}. */
export interface TimeoutKmsOptions extends DecoratorPorts {
  readonly kms: KeyManagementService
  /** From the call to its answer, in milliseconds, 1 to 900,000. */
  readonly timeoutMs: number
  /** `operation`: the total deadline, outside the retries. `attempt`: one call to one KMS, inside them. */
  readonly layer: CallEvent['layer']
}

/**
 * Ends a call in time, whether the KMS listens to its signal or not, and tells the observer how long
 * it took. What comes after the end is wiped, never given out.
 *
 * @remarks A batch of a service without batches is as many calls, each with the whole time, unless it
 * is the total deadline.
 */
export class TimeoutKms implements KeyManagementService {
  readonly providerName: string
  readonly capabilities: KmsCapabilities
  readonly #kms: KeyManagementService
  readonly #timeoutMs: number
  readonly #layer: CallEvent['layer']
  readonly #ports: Ports

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: TimeoutKmsOptions) {
    const { kms, timeoutMs, layer, runtime, network, observer, ...others } = options
    refuseOthers(others)
    this.#kms = serviceOf(kms)
    this.#timeoutMs = integer('timeoutMs', timeoutMs, 1, 900_000)
    this.#layer = layer
    this.#ports = portsOf({ runtime, network, observer })
    this.providerName = kms.providerName
    this.capabilities = kms.capabilities
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

  unwrapMany(
    items: readonly UnwrapRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<UnwrappedDataKey>[]> {
    if (this.#layer === 'attempt' && !this.capabilities.batches)
      return unwrapEach(this, items, options)
    return this.#run('unwrapMany', options, (given) => this.#kms.unwrapMany(items, given))
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

  rotateKey(options: KmsSignalOptions): Promise<readonly KekVersion[]> {
    return this.#run('rotateKey', options, (given) => this.#kms.rotateKey(given))
  }

  /** Late is not healthy: the report says so instead of an error. */
  async healthCheck(options: KmsSignalOptions): Promise<HealthReport> {
    try {
      return await this.#run('healthCheck', options, (given) => this.#kms.healthCheck(given))
    } catch (error) {
      options.signal?.throwIfAborted()
      if (!isKmsError(error, 'ERR_KMS_TIMEOUT')) throw error
      const check = { provider: this.providerName, kekId: '', healthy: false, code: error.code }
      return { healthy: false, checks: [check] }
    }
  }

  async #run<T, O extends KmsSignalOptions>(
    operation: KmsOperation,
    options: O,
    call: InnerCall<T, O>,
  ): Promise<T> {
    const { providerName: provider } = this
    options.signal?.throwIfAborted()
    const started = this.#ports.runtime.now()
    try {
      const bound = { timeoutMs: this.#timeoutMs, provider, operation }
      const answer = await boundedCall(this.#ports, bound, options, call)
      this.#tell(operation, started)
      return answer
    } catch (error) {
      this.#tell(operation, started, errorTypeOf(error, options.signal))
      throw error
    }
  }

  #tell(operation: KmsOperation, started: number, errorType?: string): void {
    const { runtime, observer } = this.#ports
    const durationMs = Math.max(0, runtime.now() - started)
    const { providerName: provider } = this
    const facts = { type: 'call', layer: this.#layer, provider, operation, durationMs } as const
    notify(observer, errorType === undefined ? facts : { ...facts, errorType })
  }
}
