import { type Bytes, encodeUtf8 } from '../bytes/index.ts'
import { type KmsAuditEvent, redacted } from './audit-event.ts'

/** One event at its place among those of one writer. */
export interface AuditRecord {
  readonly v: 1
  /** Random, one for each process or isolate: 22 characters of base64url. */
  readonly writer: string
  /** Its place among the writer's records, from 0. */
  readonly seq: number
  /** How many events before this one have no record, because the queue was full. */
  readonly lost: number
  readonly event: KmsAuditEvent
  /** Ties the record to the one before it; absent without the option `chain`. */
  readonly link?: AuditLink
}

/** Members that tie a record to the one before it. */
export interface AuditLink {
  /** `HMAC-SHA-256` if the trail has a `macKey`. */
  readonly alg: 'SHA-256' | 'HMAC-SHA-256'
  /** The hash of the record before; for the first, 43 characters `A`. */
  readonly prev: string
  /** Over all other fields of the record, in base64url. */
  readonly hash: string
}

/** A signed statement of how many records a writer had, and of the hash of the last one. */
export interface AuditCheckpoint {
  readonly v: 1
  readonly writer: string
  /** How many records there were, at least 1. */
  readonly size: number
  /** The hash of the last of them. */
  readonly hash: string
  readonly atMs: number
  /** ECDSA P-256 with SHA-256 over the other fields, in base64url. */
  readonly signature: string
}

/** The destination of records. */
export interface AuditSink {
  /**
   * Writes records and resolves when they are durable. The trail retries a rejected write until its `timeoutMs` is
   * over, so records may arrive twice. They arrive in order, unless a request of an edge isolate died while it wrote.
   * The records are frozen.
   */
  write(records: readonly AuditRecord[], options: AuditWriteOptions): Promise<void>
}

/** Options of a write. */
export interface AuditWriteOptions {
  /** Aborts when the trail gives up. */
  readonly signal?: AbortSignal | undefined
}

/** A record whose hash is not known yet. */
export type Unsealed = Omit<AuditRecord, 'link'> & { readonly link: Omit<AuditLink, 'hash'> }

/** The hash before the first record: 32 zero bytes. */
export const GENESIS: string = 'A'.repeat(43)

/** Separates the hashes of records from whatever else the same key may authenticate. */
export const RECORD_LABEL = 'edge-kms/audit/1'

/**
 * Returns the bytes that a record's hash is over. Line feeds separate the fields: none but the last can hold
 * one. The event is JSON with its fields in the order of {@link redacted}, whatever order a store gave them.
 */
export function recordBytes({ writer, seq, lost, link, event }: Unsealed): Bytes {
  const fields = [link.alg, writer, seq, lost, link.prev, JSON.stringify(redacted(event))]
  return encodeUtf8(fields.join('\n').toWellFormed())
}

/** Returns the bytes that a checkpoint's signature is over. */
export function checkpointBytes(checkpoint: Omit<AuditCheckpoint, 'signature'>): Bytes {
  const { writer, size, hash, atMs } = checkpoint
  return encodeUtf8(['edge-kms/audit-checkpoint/1', writer, size, hash, atMs].join('\n'))
}
