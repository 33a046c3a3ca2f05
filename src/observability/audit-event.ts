import type { KeyLifecycleOperation, KmsOperation } from '../ports/index.ts'

/** A KEK that took part in an operation. */
export interface AuditedKey {
  readonly provider: string
  readonly kekId: string
  /** Empty if the vendor does not reveal one. */
  readonly kekVersion: string
}

/** One operation on a KMS or a key, as it ended. Holds no secret, no context value and no message. */
export interface KmsAuditEvent {
  /** When it began, milliseconds since the epoch. */
  readonly atMs: number
  readonly durationMs: number
  readonly operation: KmsOperation | KeyLifecycleOperation
  readonly provider: string
  readonly outcome: 'success' | 'failure'
  /** A `KmsErrorCode` or `aborted`; empty for a success. */
  readonly errorType: string
  /** The actor, as the application names it; empty if it does not. */
  readonly actor: string
  /** `edge-kms:dk`, which is in the vendor's own log too; empty for operations that concern no data key. */
  readonly dataKey: string
  /** The KEKs of the wraps that were made or opened, or of the versions; for a failure those that were asked. */
  readonly keys: readonly AuditedKey[]
}

/** The longest name of an actor, characters. */
const MAX_ACTOR = 256
const DATA_KEY = /^[\w-]{43}\.\d{1,16}$/

/**
 * Returns a frozen copy that holds the fields of an event and nothing else. The one place that decides what a
 * log may hold: the actor's name is cut and loses its control characters, and of a context only
 * `edge-kms:dk` is taken, if it looks like one.
 */
export function redacted(event: KmsAuditEvent): KmsAuditEvent {
  const keys = event.keys.map(({ provider, kekId, kekVersion }) =>
    Object.freeze({ provider, kekId, kekVersion }),
  )
  return Object.freeze({
    atMs: event.atMs,
    durationMs: event.durationMs,
    operation: event.operation,
    provider: event.provider,
    outcome: event.outcome,
    errorType: event.errorType,
    actor: event.actor
      .replaceAll(/[\u0000-\u001f\u007f]/g, ' ')
      .slice(0, MAX_ACTOR)
      .toWellFormed(),
    dataKey: DATA_KEY.test(event.dataKey) ? event.dataKey : '',
    keys: Object.freeze(keys),
  })
}
