/**
 * Metrics of KMS calls, and an audit trail that proves what it covers.
 *
 * @module
 */
export { type AuditCheckpoints } from './audit-checkpoints.ts'
export type { AuditLogEntry } from './audit-entry.ts'
export type { AuditedKey, KmsAuditEvent } from './audit-event.ts'
export type { AuditMacKey } from './audit-keys.ts'
export type {
  AuditCheckpoint,
  AuditLink,
  AuditRecord,
  AuditSink,
  AuditWriteOptions,
} from './audit-record.ts'
export {
  type AuditFormat,
  type AuditQueueBinding,
  fetchSink,
  type FetchSinkOptions,
  lineSink,
  queueSink,
  storeSink,
} from './audit-sinks.ts'
export { type AuditChainOptions, KmsAuditTrail, type KmsAuditTrailOptions } from './audit-trail.ts'
export { cacheFamilies, type CacheNumbers } from './cache-metrics.ts'
export {
  DURATION_BOUNDS,
  KmsMetrics,
  type KmsMetricsOptions,
  type KmsMetricsSnapshot,
} from './kms-metrics.ts'
export type {
  HistogramFamily,
  HistogramSample,
  HistogramValue,
  Labels,
  MetricFamily,
  ScalarFamily,
  ScalarSample,
} from './metric-family.ts'
export type { KmsTotals } from './totals.ts'
export { renderPrometheus } from './prometheus.ts'
export { type OcsfEvent, toOcsf } from './ocsf.ts'
export {
  type AuditGap,
  type AuditVerdict,
  verifyAuditLog,
  type VerifyAuditOptions,
} from './verify-audit-log.ts'
export type { AuditProblem, AuditProblemKind, WriterCoverage } from './writer-log.ts'
