import { integer, refuseOthers } from '../checks/index.ts'
import { type Outcome } from '../errors.ts'
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
import type { KmsOperation } from '../ports/index.ts'
import { notify } from '../runtime/index.ts'
import { Bulkhead, type BulkheadConfig } from './bulkhead.ts'
import { refusal } from './refusal.ts'
import { type DecoratorPorts, type InnerCall, type Ports, portsOf, serviceOf } from './service.ts'
import { hasTurn, waitsForTurn } from './turn.ts'

/** Options of {@link BulkheadKms}. */
export interface BulkheadKmsOptions extends BulkheadConfig, DecoratorPorts {
  readonly kms: KeyManagementService
}

/**
 * Bounds the calls that one KMS gets at the same time, and those that wait for their turn. What is
 * over both bounds is refused with `ERR_KMS_THROTTLED`: a queue without an end only hides an outage.
 */
export class BulkheadKms implements KeyManagementService {
  readonly providerName: string
  readonly capabilities: KmsCapabilities
  readonly #kms: KeyManagementService
  readonly #ports: Ports
  readonly #bulkhead: Bulkhead

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: BulkheadKmsOptions) {
    const { kms, runtime, network, observer, ...config } = options
    this.#kms = serviceOf(kms)
    this.#ports = portsOf({ runtime, network, observer })
    this.#bulkhead = new Bulkhead(complete(config), this.#ports.runtime, this.#ports.network)
    this.providerName = kms.providerName
    this.capabilities = kms.capabilities
  }

  /** Calls in flight and waiting, now. */
  stats(): { readonly inFlight: number; readonly queued: number } {
    return this.#bulkhead.stats()
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

  /** A batch of a service without batches is as many calls, and counts as that. */
  unwrapMany(
    items: readonly UnwrapRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<UnwrappedDataKey>[]> {
    if (!this.capabilities.batches) return unwrapEach(this, items, options)
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

  healthCheck(options: KmsSignalOptions): Promise<HealthReport> {
    return this.#run('healthCheck', options, (given) => this.#kms.healthCheck(given))
  }

  async #run<T, O extends KmsSignalOptions>(
    operation: KmsOperation,
    options: O,
    call: InnerCall<T, O>,
  ): Promise<T> {
    options.signal?.throwIfAborted()
    waitsForTurn(options)
    const permit = await this.#bulkhead.enter(options.signal)
    const { providerName: provider } = this
    if (permit === undefined) {
      notify(this.#ports.observer, { type: 'refusal', by: 'bulkhead', provider, operation })
      const message = 'too many calls wait for the KMS'
      throw refusal('ERR_KMS_THROTTLED', { message, provider, operation })
    }
    hasTurn(options, this.#ports.runtime.now())
    try {
      return await call(options)
    } finally {
      this.#bulkhead.leave(permit)
    }
  }
}

function complete(config: BulkheadConfig): Required<BulkheadConfig> {
  const {
    maxConcurrent = 4,
    maxQueue = 64,
    maxWaitMs = 1_000,
    maxHoldMs = 10_000,
    ...others
  } = config
  refuseOthers(others)
  return {
    maxConcurrent: integer('maxConcurrent', maxConcurrent, 1, 1_000),
    maxQueue: integer('maxQueue', maxQueue, 0, 10_000),
    maxWaitMs: integer('maxWaitMs', maxWaitMs, 1, 60_000),
    maxHoldMs: integer('maxHoldMs', maxHoldMs, 1, 900_000),
  }
}
