import type { KmsOperation } from '../ports/index.ts'

/** A KEK that took part in an operation. */
export interface AuditedKey {
  readonly provider: string
  readonly kekId: string
  /** Empty where the vendor reveals none. */
  readonly kekVersion: string
}

/** One operation on a KMS or a key, as it ended. Holds no secret, no context value and no message. */
export interface KmsAuditEvent {
  /** When it began, milliseconds since the epoch. */
  readonly atMs: number
  readonly durationMs: number
  readonly operation: KmsOperation
  readonly provider: string
  readonly outcome: 'success' | 'failure'
  /** A `KmsErrorCode` or `aborted`; empty for a success. */
  readonly errorType: string
  /** Who asked, as the application says; empty where it does not. */
  readonly actor: string
  /** `edge-kms:dk`, which also stands in the vendor's own log; empty for operations on no data key. */
  readonly dataKey: string
  /** The KEKs of the wraps that were made or opened, or of the versions; for a failure those that were asked. */
  readonly keys: readonly AuditedKey[]
}

/** One event in the chain of one writer. */
export interface AuditRecord {
  readonly v: 1
  /** Random, one for each process or isolate: 22 characters of base64url. */
  readonly writer: string
  /** Its place in the chain, from 0. */
  readonly seq: number
  /** The hash of the record before; for the first, of nothing: 43 characters `A`. */
  readonly prev: string
  /** SHA-256 over writer, place, the hash before and the event, in base64url. */
  readonly hash: string
  readonly event: KmsAuditEvent
}

/** A promise, signed, that the chain of a writer had this hash at this length. */
export interface AuditCheckpoint {
  readonly v: 1
  readonly writer: string
  /** How many records the chain had. */
  readonly size: number
  /** The hash of the last of them. */
  readonly hash: string
  readonly atMs: number
  /** ECDSA P-256 with SHA-256 over the other fields, in base64url. */
  readonly signature: string
}

/** Where records go. */
export interface AuditSink {
  /**
   * Resolves when the records are safe. They may come twice, and not quite in their order: several
   * calls are written at the same time. The chain says what belongs where. All of it is frozen.
   */
  write(records: readonly AuditRecord[], options: AuditWriteOptions): Promise<void>
}

/** Options of a write. */
export interface AuditWriteOptions {
  readonly signal?: AbortSignal | undefined
}

/** The longest name of an actor, characters. */
const MAX_ACTOR = 256
const DATA_KEY = /^[\w-]{43}\.\d{1,16}$/

/**
 * The one place that decides what an event may hold: text of the application is cut and loses its
 * control characters, and of a context only `edge-kms:dk` is taken, if it looks like one.
 */
export function redacted(event: KmsAuditEvent): KmsAuditEvent {
  return {
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
    keys: event.keys.map(({ provider, kekId, kekVersion }) => ({ provider, kekId, kekVersion })),
  }
}

/** The event as it goes into a chain: nobody can change it after its hash. */
export function frozen(event: KmsAuditEvent): KmsAuditEvent {
  const own = redacted(event)
  for (const key of own.keys) Object.freeze(key)
  Object.freeze(own.keys)
  return Object.freeze(own)
}
