/** Methods of a KMS. Their names are the names of operations in metrics, traces and audit events. */
export type KmsOperation =
  | 'generateDataKey'
  | 'wrapDataKey'
  | 'unwrapDataKey'
  | 'unwrapMany'
  | 'rewrapDataKey'
  | 'currentVersion'
  | 'rotateKey'
  | 'healthCheck'

/** Steps in the life of a rotation or of a KEK's version, as the audit trail names them. */
export type KeyLifecycleOperation =
  | 'startRotation'
  | 'pauseRotation'
  | 'resumeRotation'
  | 'stopRotation'
  | 'finishRotation'
  | 'disableKeyVersion'
  | 'enableKeyVersion'
  | 'scheduleKeyDestruction'

/**
 * Class of calls that share one circuit of a KMS. Rewraps and calls about versions have their own class, so that a
 * failing rotation does not stop the traffic.
 */
export type CallClass = 'encrypt' | 'decrypt' | 'manage'

/** The state of a circuit breaker. */
export type CircuitState = 'closed' | 'open' | 'half-open'

/**
 * Receives the events of every layer. It is called synchronously on the path of each call: take the numbers and
 * return. Errors that it throws are dropped.
 */
export interface Observer {
  observe(event: KmsEvent): void
}

/**
 * An event of a layer. Holds names, codes and numbers, never a context, a key's bytes or a message: it needs no
 * redaction.
 */
export type KmsEvent =
  | CallEvent
  | RetryEvent
  | CircuitEvent
  | RefusalEvent
  | FailoverEvent
  | MissingWrapEvent
  | AuditLossEvent
  | CheckpointLossEvent

/** Facts of every event. */
interface EventFacts {
  readonly provider: string
  readonly operation: KmsOperation
}

/** A call ended. */
export interface CallEvent extends EventFacts {
  readonly type: 'call'
  /** `operation`: one request of the cipher, with all retries. `attempt`: one call to one KMS. */
  readonly layer: 'operation' | 'attempt'
  readonly durationMs: number
  /** A `KmsErrorCode`, or `aborted`. Absent: it succeeded. */
  readonly errorType?: string
}

/** A call failed and will be retried. */
export interface RetryEvent extends EventFacts {
  readonly type: 'retry'
  /** How many attempts were made so far. */
  readonly attempt: number
  readonly delayMs: number
  readonly errorType: string
}

/** A circuit breaker changed its phase. */
export interface CircuitEvent {
  readonly type: 'circuit'
  readonly provider: string
  readonly callClass: CallClass
  readonly from: CircuitState
  readonly to: CircuitState
  /** `advice`: an entry of the shared store is the reason, not calls of this process. */
  readonly why: 'calls' | 'advice'
}

/** A layer refused a call before it reached the KMS. */
export interface RefusalEvent extends EventFacts {
  readonly type: 'refusal'
  readonly by: 'circuit' | 'bulkhead' | 'retry-budget'
}

/** Another KEK was asked, because this one failed or was slow. */
export interface FailoverEvent extends EventFacts {
  readonly type: 'failover'
  readonly why: 'failed' | 'slow'
}

/** A data key was made without a wrap of this KEK, as the write policy allows. */
export interface MissingWrapEvent extends EventFacts {
  readonly type: 'missing-wrap'
}

/** Facts of an event about a record of the audit trail. */
interface AuditedFacts {
  readonly provider: string
  readonly operation: KmsOperation | KeyLifecycleOperation
}

/** An audit event was not written in time. In mode `closed` its call failed, in mode `open` it went on. */
export interface AuditLossEvent extends AuditedFacts {
  readonly type: 'audit-loss'
}

/** A checkpoint of the audit log could not be written. The next batch of records tries again. */
export interface CheckpointLossEvent extends AuditedFacts {
  readonly type: 'checkpoint-loss'
}
