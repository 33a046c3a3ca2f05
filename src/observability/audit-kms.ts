import { isKmsError, KmsError, type Outcome } from '../errors.ts'
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
import type { AuditedKey, KmsAuditEvent } from './audit-event.ts'

/** What takes the records; `KmsAuditTrail`. */
export interface AuditRecorder {
  actor(): string
  record(events: readonly KmsAuditEvent[], options: KmsSignalOptions): Promise<void>
}

/** What is known of an operation before it began. */
interface Started {
  readonly operation: KmsOperation
  readonly context?: EncryptionContext
  /** The KEKs that it is about. */
  readonly keys: readonly AuditedKey[]
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
    const started = { operation: 'generateDataKey', context: options.context, keys: [] } as const
    const call = (): Promise<GeneratedDataKey> => this.#kms.generateDataKey(options)
    return this.#run(started, options, call, ({ wraps }) => wraps)
  }

  wrapDataKey(plaintext: SecretBytes, options: KmsCallOptions): Promise<readonly WrappedKey[]> {
    const started = { operation: 'wrapDataKey', context: options.context, keys: [] } as const
    const call = (): Promise<readonly WrappedKey[]> => this.#kms.wrapDataKey(plaintext, options)
    return this.#run(started, options, call, (wraps) => wraps)
  }

  unwrapDataKey(wraps: readonly WrappedKey[], options: KmsCallOptions): Promise<UnwrappedDataKey> {
    const { context } = options
    const started = { operation: 'unwrapDataKey', context, keys: this.#ours(wraps) } as const
    const call = (): Promise<UnwrappedDataKey> => this.#kms.unwrapDataKey(wraps, options)
    return this.#run(started, options, call, ({ by }) => [by])
  }

  /** One record for each item: who audits asks which data keys were opened. */
  async unwrapMany(
    items: readonly UnwrapRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<UnwrappedDataKey>[]> {
    const atMs = this.#runtime.now()
    const events = (outcomeOf: (i: number) => Outcome<UnwrappedDataKey>): KmsAuditEvent[] =>
      items.map(({ wraps, context }, i) => {
        const outcome = outcomeOf(i)
        const keys = outcome.ok ? [outcome.value.by] : this.#ours(wraps)
        const started = { operation: 'unwrapMany', context, keys } as const
        return this.#eventOf(started, atMs, outcome.ok ? undefined : outcome.error, options)
      })
    let outcomes: readonly Outcome<UnwrappedDataKey>[]
    try {
      outcomes = await this.#kms.unwrapMany(items, options)
    } catch (error) {
      await this.#quietly(
        events(() => ({ ok: false, error: error as never })),
        options,
      )
      throw error
    }
    const missing = { ok: false, error: new KmsError('ERR_KMS_RESPONSE_INVALID') } as const
    await this.#demand(
      events((i) => outcomes[i] ?? missing),
      options,
      outcomes,
    )
    return outcomes
  }

  rewrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<readonly WrappedKey[]> {
    const { context } = options
    const started = { operation: 'rewrapDataKey', context, keys: this.#ours(wraps) } as const
    const call = (): Promise<readonly WrappedKey[]> => this.#kms.rewrapDataKey(wraps, options)
    return this.#run(started, options, call, (made) => made)
  }

  currentVersion(options: KmsSignalOptions): Promise<readonly KekVersion[]> {
    const call = (): Promise<readonly KekVersion[]> => this.#kms.currentVersion(options)
    return this.#run({ operation: 'currentVersion', keys: [] }, options, call, (made) => made)
  }

  /** A rotation whose record is lost has happened all the same: the error says that, and the next write carries it. */
  rotateKey(options: KmsSignalOptions): Promise<readonly KekVersion[]> {
    const call = (): Promise<readonly KekVersion[]> => this.#kms.rotateKey(options)
    return this.#run({ operation: 'rotateKey', keys: [] }, options, call, (made) => made)
  }

  healthCheck(options: KmsSignalOptions): Promise<HealthReport> {
    const call = (): Promise<HealthReport> => this.#kms.healthCheck(options)
    return this.#run({ operation: 'healthCheck', keys: [] }, options, call, () => [])
  }

  async #run<T>(
    started: Started,
    options: KmsSignalOptions,
    call: () => Promise<T>,
    keysOf: (answer: T) => readonly AuditedKey[],
  ): Promise<T> {
    const atMs = this.#runtime.now()
    let answer: T
    try {
      answer = await call()
    } catch (error) {
      await this.#quietly([this.#eventOf(started, atMs, error ?? 'nothing', options)], options)
      throw error
    }
    const event = this.#eventOf({ ...started, keys: keysOf(answer) }, atMs, undefined, options)
    await this.#demand([event], options, answer)
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

  /** What has failed keeps its own error: nothing was given out that would need a record first. */
  async #quietly(events: readonly KmsAuditEvent[], options: KmsSignalOptions): Promise<void> {
    await this.#trail.record(events, options).catch(() => undefined)
  }

  #eventOf(
    { operation, context, keys }: Started,
    atMs: number,
    error: unknown,
    { signal }: KmsSignalOptions,
  ): KmsAuditEvent {
    return {
      atMs,
      durationMs: Math.max(0, this.#runtime.now() - atMs),
      operation,
      provider: this.providerName,
      outcome: error === undefined ? 'success' : 'failure',
      errorType: error === undefined ? '' : typeOf(error, signal),
      actor: this.#trail.actor(),
      dataKey: context?.[DATA_KEY_CONTEXT_KEY] ?? '',
      keys,
    }
  }

  #ours(wraps: readonly WrappedKey[]): readonly AuditedKey[] {
    return wraps.filter((wrap) => this.#kms.canUnwrap(wrap))
  }
}

function typeOf(error: unknown, signal: AbortSignal | undefined): string {
  if (isKmsError(error)) return error.code
  if (signal?.aborted === true) return 'aborted'
  const isAbort = (error as Partial<Error> | undefined)?.name === 'AbortError'
  return isAbort ? 'aborted' : 'ERR_KMS_UNAVAILABLE'
}
