import { isKmsError, KmsError, type Outcome } from '../errors.ts'
import {
  areVersions,
  areWraps,
  checkAnswer,
  DATA_KEY_CONTEXT_KEY,
  discard,
  type EncryptionContext,
  InterceptedKms,
  isGenerated,
  isReport,
  isUnwrapped,
  type KeyManagementService,
  type KmsCall,
  type KmsSignalOptions,
  type NextCall,
  type UnwrappedDataKey,
  type UnwrapRequest,
  type WrappedKey,
} from '../kms/index.ts'
import type { KmsOperation, Runtime } from '../ports/index.ts'
import type { AuditedKey, KmsAuditEvent } from './audit-event.ts'

/** Takes the records: `KmsAuditTrail`. */
export interface AuditRecorder {
  actor(): string
  record(events: readonly KmsAuditEvent[], options: KmsSignalOptions): Promise<void>
}

type Opened = Outcome<UnwrappedDataKey>

type Labels = Pick<KmsCall<unknown>, 'operation' | 'provider'>

/** Facts of a call that an event takes. */
interface Facts {
  readonly operation: KmsOperation
  readonly options: KmsSignalOptions
  readonly context?: EncryptionContext
}

/** Whether an answer is what the interface promises; the items of a batch are looked at one by one. */
const ANSWERS: Readonly<Record<Exclude<KmsOperation, 'unwrapMany'>, (answer: never) => boolean>> = {
  generateDataKey: isGenerated,
  wrapDataKey: areWraps,
  unwrapDataKey: isUnwrapped,
  rewrapDataKey: areWraps,
  currentVersion: areVersions,
  rotateKey: areVersions,
  healthCheck: isReport,
}

/**
 * Records every operation of a service, after it has ended and before its answer is given out. A rotation
 * whose record is not safe has happened all the same: the next write carries the record.
 */
export class AuditKms extends InterceptedKms {
  readonly #trail: AuditRecorder
  readonly #runtime: Runtime

  constructor(kms: KeyManagementService, trail: AuditRecorder, runtime: Runtime) {
    super(kms, { wholeBatches: true })
    this.#trail = trail
    this.#runtime = runtime
  }

  protected override async around<T, O extends KmsSignalOptions>(
    call: KmsCall<T, O>,
    next: NextCall<T, O>,
  ): Promise<T> {
    const { operation, options, context, wraps = [], keysOf } = call
    if (operation === 'unwrapMany')
      return this.#batch(call, call.items ?? [], next as never) as Promise<T>
    const atMs = this.#runtime.now()
    let answer: T
    try {
      const isGood = ANSWERS[operation] as (given: T) => boolean
      answer = checked(call, await next(options), isGood)
    } catch (error) {
      const asked = this.#ours(wraps, context)
      await this.#quietly([this.#event(call, atMs, asked, error ?? 'nothing')], options)
      throw error
    }
    await this.#demand([this.#event(call, atMs, keysOf(answer))], options, answer)
    return answer
  }

  /** Makes one record for each item: an auditor asks which data keys were opened. */
  async #batch(
    call: Labels & Facts,
    items: readonly UnwrapRequest[],
    next: NextCall<unknown>,
  ): Promise<readonly Opened[]> {
    const { operation, options } = call
    const atMs = this.#runtime.now()
    // The service may do with its list what it likes.
    const asked = items.map(({ wraps, context }) => ({
      context,
      keys: this.#ours(wraps, context),
    }))
    const eventsOf = (outcomeOf: (i: number) => Opened | undefined): KmsAuditEvent[] =>
      asked.map(({ context, keys }, i) => {
        const outcome = outcomeOf(i)
        const facts = { operation, options, context }
        if (outcome?.ok) return this.#event(facts, atMs, [outcome.value.by])
        return this.#event(facts, atMs, keys, outcome?.error)
      })
    let answer: unknown
    try {
      answer = await next(options, [...items])
    } catch (error) {
      const failed = { ok: false, error: (error ?? 'nothing') as KmsError } as const
      const events = eventsOf(() => failed)
      await this.#quietly(events, options)
      throw error
    }
    const outcomes = outcomesOf(call, answer, asked.length)
    const events = eventsOf((i) => outcomes[i])
    await this.#demand(events, options, outcomes)
    return outcomes
  }

  /** Releases a result only after its record was written. */
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
    { operation, options, context }: Facts,
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

  /** The wraps under configured KEKs. A mistake of a caller or a service here must not cost the record. */
  #ours(
    wraps: readonly WrappedKey[],
    context: EncryptionContext | undefined,
  ): readonly AuditedKey[] {
    try {
      return wraps.filter((wrap) => areVersions([wrap]) && this.canUnwrap(wrap, context))
    } catch {
      return []
    }
  }
}

/** Returns an outcome for each item, a failure where the service gave none; wipes what is left over. */
function outcomesOf(call: Labels, answer: unknown, count: number): readonly Opened[] {
  const given: readonly unknown[] = Array.isArray(answer) ? answer : []
  discard(Array.isArray(answer) ? given.slice(count) : answer)
  return Array.from({ length: count }, (_, i) => {
    try {
      return checked(call, given[i] as Opened, isOutcome)
    } catch (error) {
      return { ok: false, error: error as KmsError }
    }
  })
}

/** Returns an answer that is good; else wipes it, and names the operation in the error. */
function checked<T>({ provider, operation }: Labels, answer: T, isGood: (given: T) => boolean): T {
  try {
    return checkAnswer(provider, answer, isGood)
  } catch (error) {
    const { code, message } = error as KmsError
    throw new KmsError(code, { message, provider, operation })
  }
}

function isOutcome(outcome: Opened): boolean {
  return outcome.ok ? isUnwrapped(outcome.value) : isKmsError(outcome.error)
}

function typeOf(error: unknown, signal: AbortSignal | undefined): string {
  if (isKmsError(error)) return error.code
  // An AbortError that nobody asked for is an outage.
  return signal?.aborted === true ? 'aborted' : 'ERR_KMS_UNAVAILABLE'
}
