export type {
  AuditCheckpoint,
  AuditedKey,
  AuditRecord,
  AuditSink,
  AuditWriteOptions,
  KmsAuditEvent,
} from './audit-event.ts'
export {
  type AuditFormat,
  type AuditQueue,
  fetchSink,
  type FetchSinkOptions,
  lineSink,
  queueSink,
  storeSink,
} from './audit-sinks.ts'
export { type AuditCheckpoints, KmsAuditTrail, type KmsAuditTrailOptions } from './audit-trail.ts'
export {
  type CacheNumbers,
  DURATION_BOUNDS,
  KmsMetrics,
  type KmsMetricsOptions,
} from './kms-metrics.ts'
export { type OcsfEvent, toOcsf } from './ocsf.ts'
export type { CounterSample, HistogramSample, Labels } from './series.ts'
export type { CounterSnapshot, HistogramSnapshot, KmsMetricsSnapshot } from './snapshot.ts'
export {
  type AuditProblem,
  type AuditVerdict,
  verifyAuditLog,
  type VerifyAuditOptions,
} from './verify-audit-log.ts'
