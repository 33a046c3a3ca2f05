import { isKmsError, type KmsError, type Outcome } from '../errors.ts'
import {
  DATA_KEY_CONTEXT_KEY,
  discard,
  type EncryptionContext,
  type GeneratedDataKey,
  type HealthReport,
  type KekVersion,
  type KeyManagementService,
  type KmsCallOptions,
  type KmsCapabilities,
  type KmsSignalOptions,
  type SecretBytes,
  type UnwrappedDataKey,
  type UnwrapRequest,
  type WrappedKey,
} from '../kms/index.ts'
import type { KmsOperation, Runtime } from '../ports/index.ts'
import {
  areKeys,
  holds,
  invalidAnswer,
  isGenerated,
  isReport,
  isUnwrapped,
  outcomesOf,
} from './audit-answers.ts'
import type { AuditedKey, KmsAuditEvent } from './audit-event.ts'

/** What takes the records; `KmsAuditTrail`. */
export interface AuditRecorder {
  actor(): string
  record(events: readonly KmsAuditEvent[], options: KmsSignalOptions): Promise<void>
}

/** One operation, and what its answer must be. */
interface Call<T> {
  readonly operation: KmsOperation
  readonly options: KmsSignalOptions
  readonly context?: EncryptionContext
  /** The wraps that were asked for, which a failure names. */
  readonly wraps?: readonly WrappedKey[]
  readonly make: () => Promise<T>
  readonly isGood: (answer: T) => boolean
  readonly keysOf: (answer: T) => readonly AuditedKey[]
}

/** Records every operation of a service, after it has ended and before its answer is given out. */
export class AuditKms implements KeyManagementService {
  readonly providerName: string
  readonly capabilities: KmsCapabilities
  readonly #kms: KeyManagementService
  readonly #trail: AuditRecorder
  readonly #runtime: Runtime

  constructor(kms: KeyManagementService, trail: AuditRecorder, runtime: Runtime) {
    this.#kms = kms
    this.#trail = trail
    this.#runtime = runtime
    this.providerName = kms.providerName
    this.capabilities = kms.capabilities
  }

  canUnwrap(wrap: WrappedKey): boolean {
    return this.#kms.canUnwrap(wrap)
  }

  generateDataKey(options: KmsCallOptions): Promise<GeneratedDataKey> {
    const make = (): Promise<GeneratedDataKey> => this.#kms.generateDataKey(options)
    const facts = { operation: 'generateDataKey', options, context: options.context } as const
    return this.#run({ ...facts, make, isGood: isGenerated, keysOf: ({ wraps }) => wraps })
  }

  wrapDataKey(plaintext: SecretBytes, options: KmsCallOptions): Promise<readonly WrappedKey[]> {
    const make = (): Promise<readonly WrappedKey[]> => this.#kms.wrapDataKey(plaintext, options)
    const facts = { operation: 'wrapDataKey', options, context: options.context } as const
    return this.#run({ ...facts, make, isGood: areKeys, keysOf: same })
  }

  unwrapDataKey(wraps: readonly WrappedKey[], options: KmsCallOptions): Promise<UnwrappedDataKey> {
    const make = (): Promise<UnwrappedDataKey> => this.#kms.unwrapDataKey(wraps, options)
    const facts = { operation: 'unwrapDataKey', options, context: options.context, wraps } as const
    return this.#run({ ...facts, make, isGood: isUnwrapped, keysOf: ({ by }) => [by] })
  }

  rewrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<readonly WrappedKey[]> {
    const make = (): Promise<readonly WrappedKey[]> => this.#kms.rewrapDataKey(wraps, options)
    const facts = { operation: 'rewrapDataKey', options, context: options.context, wraps } as const
    return this.#run({ ...facts, make, isGood: areKeys, keysOf: same })
  }

  currentVersion(options: KmsSignalOptions): Promise<readonly KekVersion[]> {
    const make = (): Promise<readonly KekVersion[]> => this.#kms.currentVersion(options)
    return this.#run({ operation: 'currentVersion', options, make, isGood: areKeys, keysOf: same })
  }

  /** A rotation whose record is not safe has happened all the same: the next write carries the record. */
  rotateKey(options: KmsSignalOptions): Promise<readonly KekVersion[]> {
    const make = (): Promise<readonly KekVersion[]> => this.#kms.rotateKey(options)
    return this.#run({ operation: 'rotateKey', options, make, isGood: areKeys, keysOf: same })
  }

  healthCheck(options: KmsSignalOptions): Promise<HealthReport> {
    const make = (): Promise<HealthReport> => this.#kms.healthCheck(options)
    return this.#run({
      operation: 'healthCheck',
      options,
      make,
      isGood: isReport,
      keysOf: () => [],
    })
  }

  /** Makes one record for each item: an auditor asks which data keys were opened. */
  async unwrapMany(
    items: readonly UnwrapRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<UnwrappedDataKey>[]> {
    const atMs = this.#runtime.now()
    // The service may do with its list what it likes.
    const asked = items.map(({ wraps, context }) => ({ wraps, context, keys: this.#ours(wraps) }))
    const eventsOf = (outcomeOf: (i: number) => Outcome<UnwrappedDataKey>): KmsAuditEvent[] =>
      asked.map(({ context, keys }, i) => {
        const outcome = outcomeOf(i)
        const facts = { operation: 'unwrapMany', options, context } as const
        if (outcome.ok) return this.#event(facts, atMs, [outcome.value.by])
        return this.#event(facts, atMs, keys, outcome.error)
      })
    let answer: unknown
    try {
      answer = await this.#kms.unwrapMany([...items], options)
    } catch (error) {
      const failed = { ok: false, error: (error ?? 'nothing') as KmsError } as const
      await this.#quietly(
        eventsOf(() => failed),
        options,
      )
      throw error
    }
    const outcomes = outcomesOf(answer, asked.length, this.providerName)
    await this.#demand(
      eventsOf((i) => outcomes[i] as Outcome<UnwrappedDataKey>),
      options,
      outcomes,
    )
    return outcomes
  }

  async #run<T>(call: Call<T>): Promise<T> {
    const { options, wraps, make, isGood, keysOf } = call
    const atMs = this.#runtime.now()
    let answer: T
    try {
      answer = await make()
      if (!holds(isGood, answer)) {
        discard(answer)
        throw invalidAnswer(this.providerName, call.operation)
      }
    } catch (error) {
      const asked = this.#ours(wraps ?? [])
      await this.#quietly([this.#event(call, atMs, asked, error ?? 'nothing')], options)
      throw error
    }
    await this.#demand([this.#event(call, atMs, keysOf(answer))], options, answer)
    return answer
  }

  /** R32: what is not recorded is not given out. */
  async #demand(
    events: readonly KmsAuditEvent[],
    options: KmsSignalOptions,
    answer: unknown,
  ): Promise<void> {
    try {
      await this.#trail.record(events, options)
    } catch (error) {
      discard(answer)
      throw error
    }
  }

  /** An operation that failed keeps its own error: nothing was given out that would need a record first. */
  async #quietly(events: readonly KmsAuditEvent[], options: KmsSignalOptions): Promise<void> {
    await this.#trail.record(events, options).catch(() => undefined)
  }

  #event(
    { operation, options, context }: Pick<Call<never>, 'operation' | 'options' | 'context'>,
    atMs: number,
    keys: readonly AuditedKey[],
    error?: unknown,
  ): KmsAuditEvent {
    return {
      atMs,
      durationMs: Math.max(0, this.#runtime.now() - atMs),
      operation,
      provider: this.providerName,
      outcome: error === undefined ? 'success' : 'failure',
      errorType: error === undefined ? '' : typeOf(error, options.signal),
      actor: this.#trail.actor(),
      dataKey: context?.[DATA_KEY_CONTEXT_KEY] ?? '',
      keys,
    }
  }

  /** The wraps under configured KEKs. What a caller or a service gets wrong here must not cost the record. */
  #ours(wraps: readonly WrappedKey[]): readonly AuditedKey[] {
    try {
      return wraps.filter((wrap) => areKeys([wrap]) && this.#kms.canUnwrap(wrap))
    } catch {
      return []
    }
  }
}

function same(keys: readonly AuditedKey[]): readonly AuditedKey[] {
  return keys
}

function typeOf(error: unknown, signal: AbortSignal | undefined): string {
  if (isKmsError(error)) return error.code
  // An AbortError that nobody asked for is an outage.
  return signal?.aborted === true ? 'aborted' : 'ERR_KMS_UNAVAILABLE'
}
