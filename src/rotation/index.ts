/**
 * Rotation of KEKs as an operation: rewraps stored data keys from any source, resumes, and retires old versions.
 *
 * @module
 */
export type { RewrapDekOptions } from './batch.ts'
export type { CensusClass, CensusCounts, RotationCensus, VersionCount } from './census.ts'
export { ROTATION_CLASSES } from './counts.ts'
export type {
  RotationEvent,
  RotationLifecycleEvent,
  RotationObserver,
  RotationProgressEvent,
} from './events.ts'
export {
  compareFingerprints,
  type FingerprintComparison,
  type SourceFingerprint,
} from './fingerprint-sources.ts'
export type {
  KeyLifecycle,
  KeyLifecycleOptions,
  KeyVersionState,
  ScheduledDestruction,
} from '../kms/index.ts'
export { KeyRotationManager } from './key-rotation-manager.ts'
export type { RotationAudit, RotationAuditEvent } from './lifecycle-log.ts'
export type { KekCallOptions, ManagerCallOptions, ResumeOptions } from './manager-calls.ts'
export type { KeyRotationManagerOptions } from './manager-options.ts'
export type { RotationOutage } from './page-tally.ts'
export type { PlannedRequests, PlanOptions, RotationPlan } from './plan.ts'
export type { RotationProgress } from './progress.ts'
export type { MapOfValue, ReencryptOptions, ReencryptResult } from './reencrypt/options.ts'
export { reencryptRecords } from './reencrypt/reencrypt-records.ts'
export type {
  ObjectSource,
  RecordChange,
  RecordPage,
  RecordSource,
  RewrapObjectCall,
  RotationRecord,
  SourceFacts,
  SourceOptions,
  StoredValue,
  SwapOutcome,
  ValueSource,
} from './record-source.ts'
export type {
  BatchRotationResult,
  JobRotationResult,
  KeyRotationResult,
  SweepFingerprints,
} from './result.ts'
export type { RetireOptions, WriterTimes } from './retire-options.ts'
export type { Objections, RetirementResult } from './retirement-result.ts'
export {
  FAILURE_CLASSES,
  type RotationClass,
  type RotationCounts,
  type RotationFailure,
  type RotationPhase,
  type RotationState,
  type SourceState,
} from './rotation-state.ts'
export { createRotationStep, type RotationStep } from './rotation-step.ts'
export type { RunOptions } from './run-job.ts'
export { runRotation, type RunRotationOptions } from './run-rotation.ts'
export type { ScheduledFailure, ScheduledRotationOptions } from './schedule/options.ts'
export type { RotationPolicy } from './schedule/policy.ts'
export type { ScheduledRun } from './schedule/scheduled-run.ts'
export {
  type ScheduledCallOptions,
  type ScheduledRotation,
  scheduledRotation,
} from './schedule/scheduled-rotation.ts'
export { type NewRotation, newRotationState } from './state.ts'
export {
  keyValueStateStore,
  memoryStateStore,
  type RotationStateStore,
  type StateStoreOptions,
} from './state-store.ts'
export type {
  FailureSink,
  FailureThreshold,
  RotationRate,
  RotationStepOptions,
} from './step-options.ts'
export {
  type ProgressSeries,
  progressSeries,
  type ProgressSeriesOptions,
  rotationReport,
  type RotationReport,
  type RotationReportOptions,
  type RotationSample,
} from './report/index.ts'
export { terminalProgress, type TerminalStream } from './terminal-progress.ts'
export { termsOf, VENDOR_TERMS, type VendorTerms } from './vendor-terms.ts'
export {
  dataKeySource,
  dynamoDbSource,
  type DynamoDbSourceOptions,
  iterableSource,
  type IterableSourceOptions,
  postgresSource,
  type PostgresSourceOptions,
  type SourceCallOptions,
  type SqliteDatabase,
  type SqliteDriver,
  sqliteSource,
  type SqliteSourceOptions,
  type SqliteStatement,
  type SqliteValue,
  type TableOptions,
} from './sources/index.ts'
export type { StepBudget, StepResult } from './step-result.ts'
