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
export { renderPrometheus } from './prometheus.ts'
export { type OcsfEvent, toOcsf } from './ocsf.ts'
export {
  type AuditProblem,
  type AuditVerdict,
  verifyAuditLog,
  type VerifyAuditOptions,
} from './verify-audit-log.ts'
