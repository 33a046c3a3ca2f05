import { wrongOption } from '../checks/index.ts'
import {
  InterceptedKms,
  type KmsCall,
  type KmsCallProgress,
  type KmsSignalOptions,
  type NextCall,
} from '../kms/index.ts'
import type { CallClass, KeyValueStore } from '../ports/index.ts'
import { notify } from '../runtime/index.ts'
import { Circuit } from './circuit.ts'
import { type CircuitBreakerConfig, circuitRules, restoredCircuit } from './circuit-config.ts'
import type { CircuitRecord } from './circuit-state.ts'
import { refusal } from './refusal.ts'
import { demandOneKek, batchError, type DecoratorOptions, partsOf, type Ports } from './service.ts'
import { SharedCircuit } from './shared-circuit.ts'

/** Options of {@link CircuitBreakerKms}. */
export interface CircuitBreakerKmsOptions extends CircuitBreakerConfig, DecoratorOptions {
  /** The name of the circuit in the store: the provider and its region or vault. The provider's name by default. */
  readonly scope?: string | undefined
  /**
   * The store in which isolates share the state of circuits; it requires compare-and-swap. Its entries are only
   * advice: a lost or forged entry can cost calls, but never a wrong answer. While the store is down, each isolate
   * decides alone.
   */
  readonly store?: KeyValueStore | undefined
  /** Initial state: the result of {@link CircuitBreakerKms.state} in an earlier process. */
  readonly state?: CircuitStates | undefined
}

/** The circuits of one KMS, as plain data. */
export type CircuitStates = Readonly<Record<CallClass, CircuitRecord>>

/**
 * Stops calling a KMS that fails. After a time it lets single calls through to test whether the KMS works again. Each
 * class of calls has its own circuit. While a circuit is open, it refuses its calls with `ERR_KMS_UNAVAILABLE` and
 * `retryAfterMs`; `RetryKms` does not retry these, and `CachedKms` answers from memory. Health checks bypass the
 * circuits and do not count. A batch counts once.
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
export class CircuitBreakerKms extends InterceptedKms {
  readonly #ports: Ports
  readonly #circuits: Readonly<Record<CallClass, Circuit>>

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: CircuitBreakerKmsOptions) {
    const { ports, rest } = partsOf(options)
    const { kms, scope, store, state, ...config } = rest
    super(demandOneKek('CircuitBreakerKms', kms))
    this.#ports = ports
    if (scope !== undefined && typeof scope !== 'string')
      throw wrongOption('scope', 'a string', scope)
    if (state !== undefined && Object(state) !== state)
      throw wrongOption('state', 'what state() returned', state)
    const { providerName: provider } = this
    const rules = circuitRules(config, store !== undefined)
    const circuit = (callClass: CallClass): Circuit => {
      const key = `circuit/${scope ?? provider}/${callClass}`
      const shared = store && new SharedCircuit(store, key, rules, ports)
      const restored = restoredCircuit(`state.${callClass}`, state?.[callClass])
      return new Circuit(rules, { provider, callClass }, ports, shared, restored)
    }
    this.#circuits = {
      encrypt: circuit('encrypt'),
      decrypt: circuit('decrypt'),
      manage: circuit('manage'),
    }
  }

  /** Returns the state of the circuits. Plain data, for `options.state` of a later process. */
  state(): CircuitStates {
    const { encrypt, decrypt, manage } = this.#circuits
    return { encrypt: encrypt.state, decrypt: decrypt.state, manage: manage.state }
  }

  protected override async around<T, O extends KmsSignalOptions>(
    { operation, callClass, provider, options, items }: KmsCall<T, O>,
    next: NextCall<T, O>,
  ): Promise<T> {
    if (callClass === undefined) return next(options)
    const circuit = this.#circuits[callClass]
    const ticket = await circuit.enter(options)
    if ('retryAfterMs' in ticket) {
      notify(this.#ports.observer, { type: 'refusal', by: 'circuit', provider, operation })
      const { retryAfterMs } = ticket
      const message = 'the circuit to the KMS is open'
      throw refusal('ERR_KMS_UNAVAILABLE', { message, provider, operation, retryAfterMs })
    }
    const progress: KmsCallProgress = { askedAtMs: ticket.startedMs }
    const given = { ...options, progress }
    let answer: T
    try {
      answer = await next(given)
    } catch (error) {
      circuit.leave(ticket, error ?? new Error('rejected with nothing'), given)
      throw error
    }
    circuit.leave(ticket, items && batchError(answer as never), given)
    return answer
  }
}
