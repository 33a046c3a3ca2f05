export type { AwsCredentials, AwsSigner, AwsSigningRequest } from './aws-signer.ts'
export type { DataKeyPage, DataKeyStore, DataKeyStoreOptions } from './data-key-store.ts'
export type {
  KeyValueCapabilities,
  KeyValueOptions,
  KeyValueStore,
  KeyValueWriteOptions,
} from './key-value-store.ts'
export type { Network, NetworkBody, NetworkResponse } from './network.ts'
export type {
  AuditLossEvent,
  CheckpointLossEvent,
  CallClass,
  CallEvent,
  CircuitEvent,
  CircuitState,
  FailoverEvent,
  KeyLifecycleOperation,
  KmsEvent,
  KmsOperation,
  MissingWrapEvent,
  Observer,
  RefusalEvent,
  RetryEvent,
} from './observer.ts'
export type { MissingWraps, RepairLog } from './repair-log.ts'
export type { Runtime } from './runtime.ts'
