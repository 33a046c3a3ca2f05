export type { BulkheadConfig } from './bulkhead.ts'
export { BulkheadKms, type BulkheadKmsOptions } from './bulkhead-kms.ts'
export {
  CircuitBreakerKms,
  type CircuitBreakerKmsOptions,
  type CircuitStates,
} from './circuit-breaker-kms.ts'
export type { CircuitBreakerConfig } from './circuit-config.ts'
export type { CircuitRecord } from './circuit-state.ts'
export type { CircuitBucket } from './circuit-window.ts'
export { composeKms, joinKms } from './compose-kms.ts'
export {
  type AuditLayer,
  type ComposeKmsOptions,
  composeLayers,
  type JoinKms,
} from './compose-layers.ts'
export { BULKHEAD, CIRCUIT, HEDGE, HOLD, QUORUM, RETRY, TIMEOUTS } from './defaults.ts'
export type { CustomerCapabilities, KmsByContextOptions } from './by-context-options.ts'
export { kmsByContext, type KmsByContext } from './kms-by-context.ts'
export type { CreateKms } from './kms-pool.ts'
export { MultiKms } from './multi-kms.ts'
export type { HedgeConfig, MultiKmsOptions, WritePolicy } from './multi-options.ts'
export { CIRCUIT_PRESETS, RETRY_PRESETS } from './part-presets.ts'
export { type PresetName, PRESETS, type ResiliencePreset } from './presets.ts'
export {
  type ResilienceConfig,
  resilienceValues,
  type ResilienceValues,
} from './resilience-config.ts'
export { RetryKms, type RetryKmsOptions } from './retry-kms.ts'
export type { RetryBudget, RetryConfig } from './retry-policy.ts'
export type { DecoratorPorts } from './service.ts'
export { TimeoutKms, type TimeoutKmsOptions } from './timeout-kms.ts'
