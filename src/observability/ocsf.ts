import type { KeyLifecycleOperation, KmsOperation } from '../ports/index.ts'
import type { AuditRecord } from './audit-record.ts'

/** Activities of class 6003: 1 create, 2 read, 3 update, 4 delete, 99 other. */
const ACTIVITIES: { readonly [O in KmsOperation | KeyLifecycleOperation]: 1 | 2 | 3 | 4 | 99 } = {
  generateDataKey: 1,
  wrapDataKey: 99,
  unwrapDataKey: 2,
  unwrapMany: 2,
  rewrapDataKey: 3,
  currentVersion: 2,
  rotateKey: 3,
  healthCheck: 2,
  startRotation: 99,
  pauseRotation: 99,
  resumeRotation: 99,
  stopRotation: 99,
  finishRotation: 99,
  disableKeyVersion: 3,
  enableKeyVersion: 3,
  scheduleKeyDestruction: 4,
}
const CLASS = 6_003

/** An event of OCSF 1.9.0, class 6003 (API Activity), as plain data. */
export type OcsfEvent = Readonly<Record<string, unknown>>

/**
 * Returns a record as an OCSF event. The record itself is under `unmapped`: `verifyAuditLog` takes such events,
 * and compares all their other fields with what this function makes of the record.
 *
 * @throws TypeError for an unknown operation
 */
export function toOcsf(record: AuditRecord): OcsfEvent {
  const { event, writer, seq } = record
  if (!Object.hasOwn(ACTIVITIES, event.operation)) throw new TypeError('unknown operation')
  const activity = ACTIVITIES[event.operation]
  const failed = event.outcome === 'failure'
  return {
    category_uid: 6,
    class_uid: CLASS,
    activity_id: activity,
    ...(activity === 99 && { activity_name: event.operation }),
    type_uid: CLASS * 100 + activity,
    time: event.atMs,
    duration: event.durationMs,
    severity_id: failed ? 3 : 1,
    status_id: failed ? 2 : 1,
    ...(failed && { status_code: event.errorType }),
    metadata: {
      version: '1.9.0',
      product: { name: 'edge-kms', vendor_name: 'edge-kms' },
      uid: `${writer}/${seq}`,
      sequence: seq,
    },
    api: { operation: event.operation, service: { name: event.provider } },
    actor: event.actor === '' ? { app_name: 'edge-kms' } : { user: { name: event.actor } },
    src_endpoint: { uid: writer },
    resources: event.keys.map(({ provider, kekId, kekVersion }) => ({
      type: 'KEK',
      uid: kekId,
      namespace: provider,
      ...(kekVersion !== '' && { version: kekVersion }),
    })),
    unmapped: { edge_kms: record },
  }
}
