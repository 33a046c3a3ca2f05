import type { AuditCheckpoint, AuditRecord, KmsAuditEvent } from './audit-event.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * A copy as plain data, read once, or `undefined` where there is none: what a log holds is of whoever
 * had it, and must neither throw nor change between the check and the use.
 */
export function plainCopy(value: unknown): Fields | undefined {
  try {
    const copy: unknown = structuredClone(value)
    return typeof copy === 'object' && copy !== null ? (copy as Fields) : undefined
  } catch {
    return undefined
  }
}

/** Whether these are the fields of a record; its event is checked by its hash, then by {@link isEvent}. */
export function isRecord(fields: unknown): fields is AuditRecord {
  const { v, writer, seq, prev, hash, event } = Object(fields) as Fields
  return (
    v === 1 &&
    isWriter(writer) &&
    isCount(seq) &&
    isHash(prev) &&
    isHash(hash) &&
    typeof event === 'object' &&
    event !== null &&
    hasFields(fields, 6)
  )
}

/** Whether the fields of an event have the types that they must have. A hash proves none: anyone can make it. */
export function isEvent(event: KmsAuditEvent): boolean {
  const { atMs, durationMs, outcome, keys, ...texts } = event as unknown as Fields
  return (
    Number.isFinite(atMs) &&
    Number.isFinite(durationMs) &&
    (outcome === 'success' || outcome === 'failure') &&
    Array.isArray(keys) &&
    [texts, ...(keys as Fields[])].every(holdsText)
  )
}

/** Whether these are the fields of a checkpoint. */
export function isCheckpoint(fields: unknown): fields is AuditCheckpoint {
  const { v, writer, size, hash, atMs, signature } = Object(fields) as Fields
  return (
    v === 1 &&
    isWriter(writer) &&
    isCount(size) &&
    size > 0 &&
    isHash(hash) &&
    Number.isFinite(atMs) &&
    typeof signature === 'string' &&
    hasFields(fields, 6)
  )
}

/** 22 characters of base64url. */
export function isWriter(text: unknown): text is string {
  return typeof text === 'string' && /^[\w-]{22}$/.test(text)
}

/** A whole number from 0. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isHash(text: unknown): boolean {
  return typeof text === 'string' && /^[\w-]{43}$/.test(text)
}

function hasFields(value: unknown, count: number): boolean {
  return Object.keys(Object(value) as object).length === count
}

function holdsText(fields: Fields): boolean {
  return Object.values(fields).every((text) => typeof text === 'string')
}
