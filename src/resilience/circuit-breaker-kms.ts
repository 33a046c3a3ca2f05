import type { Outcome } from '../errors.ts'
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
import type { CallClass, KeyValueStore, KmsOperation } from '../ports/index.ts'
import { notify } from '../runtime/index.ts'
import { batchError } from './batch-error.ts'
import { Circuit } from './circuit.ts'
import { type CircuitBreakerConfig, circuitRules, restoredCircuit } from './circuit-config.ts'
import type { CircuitState } from './circuit-state.ts'
import { refusal } from './refusal.ts'
import {
  classOf,
  type DecoratorPorts,
  type InnerCall,
  type Ports,
  portsOf,
  serviceOf,
} from './service.ts'
import { SharedCircuit } from './shared-circuit.ts'

/** Options of {@link CircuitBreakerKms}. */
export interface CircuitBreakerKmsOptions extends CircuitBreakerConfig, DecoratorPorts {
  readonly kms: KeyManagementService
  /** Which fate this is: the provider and its region or vault. The provider's name by default. */
  readonly scope?: string | undefined
  /**
   * Where isolates tell each other; needs compare-and-swap. It is advice: what it loses or invents
   * costs calls, never a wrong answer, and when it is down each isolate decides alone.
   */
  readonly store?: KeyValueStore | undefined
  /** What {@link CircuitBreakerKms.state} gave in an earlier process. */
  readonly state?: CircuitStates | undefined
}

/** The circuits of one KMS, as plain data. */
export type CircuitStates = Readonly<Record<CallClass, CircuitState>>

/**
 * Stops asking a KMS that does not answer, for a time, and then lets single calls through to see
 * whether it is back. One circuit for each class of calls. While one is open its calls are refused
 * with `ERR_KMS_UNAVAILABLE` and `retryAfterMs`, which `RetryKms` does not retry and `CachedKms`
 * answers from memory.
 *
 * @example
 * ```ts
 * import { CircuitBreakerKms, type KeyManagementService } from 'edge-kms'
 *
 * export function guarded(kms: KeyManagementService): KeyManagementService {
 *   return new CircuitBreakerKms({ kms, scope: 'aws-kms/eu-central-1', resetTimeoutMs: 10_000 })
 * }
 * ```
 */
export class CircuitBreakerKms implements KeyManagementService {
  readonly providerName: string
  readonly capabilities: KmsCapabilities
  readonly #kms: KeyManagementService
  readonly #ports: Ports
  readonly #circuits: Readonly<Record<CallClass, Circuit>>

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: CircuitBreakerKmsOptions) {
    const { kms, scope, store, state, runtime, network, observer, ...config } = options
    this.#kms = serviceOf(kms)
    this.#ports = portsOf({ runtime, network, observer })
    this.providerName = kms.providerName
    this.capabilities = kms.capabilities
    const rules = circuitRules(config, store !== undefined)
    const circuit = (callClass: CallClass): Circuit => {
      const key = `circuit/${scope ?? kms.providerName}/${callClass}`
      const shared = store && new SharedCircuit(store, key, rules.resetTimeoutMs, this.#ports)
      const name = { provider: kms.providerName, callClass }
      return new Circuit(rules, name, this.#ports, shared, restoredCircuit(state?.[callClass]))
    }
    this.#circuits = {
      encrypt: circuit('encrypt'),
      decrypt: circuit('decrypt'),
      manage: circuit('manage'),
    }
  }

  /** Where the circuits stand. Plain data, for `options.state` of a later process. */
  state(): CircuitStates {
    const { encrypt, decrypt, manage } = this.#circuits
    return { encrypt: encrypt.state, decrypt: decrypt.state, manage: manage.state }
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

  /** A batch counts once. */
  unwrapMany(
    items: readonly UnwrapRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<UnwrappedDataKey>[]> {
    if (!this.capabilities.batches) return unwrapEach(this, items, options)
    return this.#run(
      'unwrapMany',
      options,
      (given) => this.#kms.unwrapMany(items, given),
      batchError,
    )
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

  /** Past the circuits, and not counted: it is how one sees that the KMS is back. */
  healthCheck(options: KmsSignalOptions): Promise<HealthReport> {
    return this.#kms.healthCheck(options)
  }

  async #run<T, O extends KmsSignalOptions>(
    operation: Exclude<KmsOperation, 'healthCheck'>,
    options: O,
    call: InnerCall<T, O>,
    errorOf: (answer: T) => unknown = () => undefined,
  ): Promise<T> {
    options.signal?.throwIfAborted()
    const circuit = this.#circuits[classOf(operation)]
    const ticket = await circuit.enter(options)
    const { providerName: provider } = this
    if ('retryAfterMs' in ticket) {
      notify(this.#ports.observer, { type: 'refusal', by: 'circuit', provider, operation })
      const { retryAfterMs } = ticket
      const message = 'the circuit to the KMS is open'
      throw refusal('ERR_KMS_UNAVAILABLE', { message, provider, operation, retryAfterMs })
    }
    // Of its own, so that it can be told how long this call waited for its turn.
    const given = { ...options }
    try {
      const answer = await call(given)
      circuit.leave(ticket, errorOf(answer), given)
      return answer
    } catch (error) {
      circuit.leave(ticket, error ?? new Error('rejected with nothing'), given)
      throw error
    }
  }
}
