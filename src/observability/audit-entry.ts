import { type KmsAuditEvent, redacted } from './audit-event.ts'
import type { AuditCheckpoint, AuditRecord } from './audit-record.ts'
import { type OcsfEvent, toOcsf } from './ocsf.ts'
import { AUDITED_OPERATIONS } from './operations.ts'

/** An entry of a log: a record, the event that `toOcsf` made of it, or the JSON text of either. */
export type AuditLogEntry = AuditRecord | OcsfEvent | string

/** A record, or what is wrong with what should be one; writer and place are those that it claims. */
export type EntryResult =
  | { readonly record: AuditRecord }
  | { readonly kind: 'malformed' | 'edited'; readonly writer: string; readonly seq: number }

type Fields = Readonly<Record<string, unknown>>

/** Returns the record of an entry. It never throws: an attacker may have made the entry. */
export function readEntry(entry: unknown): EntryResult {
  const fields = plainCopy(typeof entry === 'string' ? parsed(entry) : entry)
  const isOcsf = fields !== undefined && 'unmapped' in fields
  const inner = isOcsf ? (Object(fields['unmapped']) as Fields)['edge_kms'] : fields
  const { writer, seq } = Object(inner) as Fields
  const place = { writer: isWriter(writer) ? writer : '', seq: isCount(seq) ? seq : -1 }
  if (!isRecord(inner)) return { kind: 'malformed', ...place }
  if (!isWholeEvent(inner.event)) return { kind: 'edited', ...place }
  // Members beside the record must say the same, and a text must say it in one way only.
  if (isOcsf && !isSame(toOcsf(inner), fields)) return { kind: 'edited', ...place }
  if (typeof entry === 'string' && JSON.stringify(fields) !== entry)
    return { kind: 'edited', ...place }
  return { record: inner }
}

/** Returns a checkpoint as plain data, or `undefined` where it is none. */
export function readCheckpoint(value: unknown): AuditCheckpoint | undefined {
  const fields = plainCopy(value)
  const { v, writer, size, hash, atMs, signature } = Object(fields) as Fields
  const isGood =
    v === 1 &&
    isWriter(writer) &&
    isCount(size) &&
    size > 0 &&
    isHash(hash) &&
    Number.isFinite(atMs) &&
    typeof signature === 'string' &&
    hasFields(fields, 6)
  return isGood ? (fields as unknown as AuditCheckpoint) : undefined
}

/** 22 characters of base64url. */
export function isWriter(text: unknown): text is string {
  return typeof text === 'string' && /^[\w-]{22}$/.test(text)
}

/** A whole number from 0. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** A copy as plain data, read once: it must not change between the check and the use. */
function plainCopy(value: unknown): Fields | undefined {
  try {
    const copy: unknown = structuredClone(value)
    return typeof copy === 'object' && copy !== null ? (copy as Fields) : undefined
  } catch {
    return undefined
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isRecord(fields: unknown): fields is AuditRecord {
  const { v, writer, seq, lost, event, link } = Object(fields) as Fields
  return (
    v === 1 &&
    isWriter(writer) &&
    isCount(seq) &&
    isCount(lost) &&
    isEvent(event) &&
    (link === undefined ? hasFields(fields, 5) : isLink(link) && hasFields(fields, 6))
  )
}

function isLink(link: unknown): boolean {
  const { alg, prev, hash } = Object(link) as Fields
  const isKnown = alg === 'SHA-256' || alg === 'HMAC-SHA-256'
  return isKnown && isHash(prev) && isHash(hash) && hasFields(link, 3)
}

/** Whether the fields of an event have the types that they must have. */
function isEvent(event: unknown): event is KmsAuditEvent {
  const { atMs, durationMs, outcome, keys, operation, ...texts } = Object(event) as Fields
  return (
    Number.isFinite(atMs) &&
    Number.isFinite(durationMs) &&
    (outcome === 'success' || outcome === 'failure') &&
    typeof operation === 'string' &&
    AUDITED_OPERATIONS.has(operation) &&
    Array.isArray(keys) &&
    [texts, ...(keys as Fields[])].every(holdsText)
  )
}

/** Whether an event has exactly the fields of one: what no hash covers must not be there. */
function isWholeEvent(event: KmsAuditEvent): boolean {
  try {
    return isSame(redacted(event), event)
  } catch {
    return false
  }
}

/**
 * Whether two values are the same plain data, in whatever order the fields stand: a store may change it. It goes
 * no deeper than ours, so that a cycle or a depth of somebody's making costs nothing.
 *
 * @param ours - made here, small and without cycles
 */
function isSame(ours: unknown, other: unknown): boolean {
  if (ours === other) return true
  if (typeof ours !== 'object' || ours === null) return false
  if (typeof other !== 'object' || other === null) return false
  if (Array.isArray(ours) !== Array.isArray(other)) return false
  const names = Object.entries(ours).filter(([, value]) => value !== undefined)
  const given = Object.values(other).filter((value) => value !== undefined)
  if (names.length !== given.length) return false
  return names.every(
    ([name, value]) =>
      Object.hasOwn(other, name) && isSame(value, (other as Record<string, unknown>)[name]),
  )
}

function isHash(text: unknown): text is string {
  return typeof text === 'string' && /^[\w-]{43}$/.test(text)
}

function hasFields(value: unknown, count: number): boolean {
  return Object.keys(Object(value) as object).length === count
}

function holdsText(fields: Fields): boolean {
  return Object.values(Object(fields) as Fields).every((text) => typeof text === 'string')
}
