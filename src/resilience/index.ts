export type { BulkheadConfig } from './bulkhead.ts'
export { BulkheadKms, type BulkheadKmsOptions } from './bulkhead-kms.ts'
export {
  CircuitBreakerKms,
  type CircuitBreakerKmsOptions,
  type CircuitStates,
} from './circuit-breaker-kms.ts'
export type { CircuitBreakerConfig } from './circuit-config.ts'
export type { CircuitBucket, CircuitState } from './circuit-state.ts'
export { MultiKms, type MultiKmsOptions } from './multi-kms.ts'
export { RetryKms, type RetryKmsOptions } from './retry-kms.ts'
export type { RetryBudget, RetryConfig } from './retry-policy.ts'
export type { DecoratorPorts } from './service.ts'
export { TimeoutKms, type TimeoutKmsOptions } from './timeout-kms.ts'
