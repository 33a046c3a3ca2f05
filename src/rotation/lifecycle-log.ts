import { isKmsError } from '../errors.ts'
import type { KekVersion } from '../kms/index.ts'
import type { KeyLifecycleOperation, Runtime } from '../ports/index.ts'
import { type RotationObserver, tell } from './events.ts'

/** The record of one lifecycle step: a `KmsAuditEvent`. */
export interface RotationAuditEvent {
  readonly atMs: number
  readonly durationMs: number
  readonly operation: KeyLifecycleOperation
  readonly provider: string
  readonly outcome: 'success' | 'failure'
  readonly errorType: string
  readonly actor: string
  readonly dataKey: string
  readonly keys: readonly KekVersion[]
}

/** Receives audit records, e.g. a `KmsAuditTrail` of `edge-kms/observability`. */
export interface RotationAudit {
  actor(): string
  /** Resolves when the records are durable, as far as the trail's mode requires that. */
  record(
    events: readonly RotationAuditEvent[],
    options: { readonly signal?: AbortSignal | undefined },
  ): Promise<void>
}

/** One step in the life of a job or a KEK. */
export interface LifecycleStep {
  readonly operation: KeyLifecycleOperation
  readonly job: string
  readonly keys: readonly KekVersion[]
}

/** Ports of a {@link LifecycleLog}. */
export interface LifecyclePorts {
  readonly audit: RotationAudit | undefined
  readonly observe: RotationObserver | undefined
  readonly runtime: Pick<Runtime, 'now'>
}

/** Records each lifecycle step once: as an audit record, and as an event. */
export class LifecycleLog {
  readonly #ports: LifecyclePorts

  constructor(ports: LifecyclePorts) {
    this.#ports = ports
  }

  /**
   * Does a step and records how it ended.
   *
   * @throws what the step throws; `ERR_STORE_UNAVAILABLE` of an audit trail in mode `closed`. The step has happened
   * all the same, and the next write of the trail carries its record
   */
  async around<T>(
    step: LifecycleStep,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    const { audit, observe, runtime } = this.#ports
    const atMs = runtime.now()
    let answer: T
    try {
      answer = await work()
    } catch (error) {
      const failed = this.#event(step, atMs, isKmsError(error) ? error.code : 'ERR_KMS_UNAVAILABLE')
      await audit?.record([failed], { signal }).catch(() => undefined)
      throw error
    }
    tell(observe, { type: 'lifecycle', ...step, atMs })
    await audit?.record([this.#event(step, atMs, '')], { signal })
    return answer
  }

  #event({ operation, keys }: LifecycleStep, atMs: number, errorType: string): RotationAuditEvent {
    const { audit, runtime } = this.#ports
    return {
      atMs,
      durationMs: Math.max(0, runtime.now() - atMs),
      operation,
      provider: keys[0]?.provider ?? 'rotation',
      outcome: errorType === '' ? 'success' : 'failure',
      errorType,
      actor: audit?.actor() ?? '',
      dataKey: '',
      keys,
    }
  }
}
