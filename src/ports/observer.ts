/** The methods of a KMS that do something, and with that the names in metrics, traces and audit events. */
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
 * Calls that fail together at one KMS. Rewrap and the versions stand apart: a rotation that fails must not
 * stop the traffic.
 */
export type CallClass = 'encrypt' | 'decrypt' | 'manage'

/** The state of a circuit breaker. */
export type CircuitState = 'closed' | 'open' | 'half-open'

/**
 * One event stream from every layer. Synchronous, on the path of the calls: take the numbers and
 * return. Errors that it throws are dropped.
 */
export interface Observer {
  observe(event: KmsEvent): void
}

/**
 * An event of a layer. Holds names, codes and numbers, never a context, a key's bytes or a message:
 * nothing of it has to be redacted.
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
  /** `operation`: what the cipher asked, with all retries. `attempt`: one call to one KMS. */
  readonly layer: 'operation' | 'attempt'
  readonly durationMs: number
  /** A `KmsErrorCode`, or `aborted`. Absent: it succeeded. */
  readonly errorType?: string
}

/** A call failed and will be made again. */
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
  /** `advice`: not from calls of this process, but from what others left in the shared store. */
  readonly why: 'calls' | 'advice'
}

/** A call was turned away here, without reaching the KMS. */
export interface RefusalEvent extends EventFacts {
  readonly type: 'refusal'
  readonly by: 'circuit' | 'bulkhead' | 'retry-budget'
}

/** Another KEK was asked, because this one failed or was slow. */
export interface FailoverEvent extends EventFacts {
  readonly type: 'failover'
  readonly why: 'failed' | 'slow'
}

/** A data key left without the wrap of this KEK, as its write policy allows. */
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
