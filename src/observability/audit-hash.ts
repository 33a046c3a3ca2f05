import { type Bytes, encodeBase64Url, encodeUtf8 } from '../bytes/index.ts'
import { sha256 } from '../ciphers/index.ts'
import {
  type AuditCheckpoint,
  type AuditRecord,
  type KmsAuditEvent,
  redacted,
} from './audit-event.ts'

/** The hash before the first record: 32 zero bytes. */
export const GENESIS: string = 'A'.repeat(43)

/**
 * The hash of a record. Fields are joined by line feeds, which none but the last can hold; the event
 * is JSON with its fields in the order of {@link redacted}, whatever order a store gave them.
 */
export async function auditHash(record: Omit<AuditRecord, 'hash'>): Promise<string> {
  const { writer, seq, prev, event } = record
  const text = ['edge-kms/audit/1', writer, seq, prev, JSON.stringify(redacted(event))].join('\n')
  return encodeBase64Url(await sha256(encodeUtf8(text.toWellFormed())))
}

/** The bytes that a checkpoint's signature is over. */
export function checkpointBytes(checkpoint: Omit<AuditCheckpoint, 'signature'>): Bytes {
  const { writer, size, hash, atMs } = checkpoint
  return encodeUtf8(['edge-kms/audit-checkpoint/1', writer, size, hash, atMs].join('\n'))
}

/** Whether an event has exactly the fields of one: what the hash does not cover must not be there. */
export function isWholeEvent(event: KmsAuditEvent): boolean {
  try {
    const clean = redacted(event)
    return JSON.stringify(sorted(clean)) === JSON.stringify(sorted(event))
  } catch {
    return false
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return entries.map(([name, inner]) => [name, sorted(inner)])
}
