export type { KmsCapabilities, KmsLimits } from './capabilities.ts'
export {
  areVersions,
  areWraps,
  checkAnswer,
  isGenerated,
  isReport,
  isUnwrapped,
  missing,
  outcomesOf,
} from './check-answer.ts'
export { parseContextJson } from './context-json.ts'
export {
  CONTEXT_LIMITS,
  type ContextInput,
  DATA_KEY_CONTEXT_KEY,
  encodeContext,
  encodeKmsContext,
  encodePrefixedContext,
  type EncryptionContext,
  keysOf,
} from './context-encoding.ts'
export {
  callersContext,
  type CanonicalContext,
  canonicalContext,
  contextEquals,
  contextId,
  frozenMap,
  kmsContext,
} from './encryption-context.ts'
export type {
  GeneratedDataKey,
  HealthCheck,
  HealthReport,
  KeyManagementService,
  KmsCallOptions,
  KmsCallProgress,
  KmsKekOptions,
  KmsSignalOptions,
  UnwrappedDataKey,
  UnwrapRequest,
} from './key-management-service.ts'
export { demandUsage } from './demand-usage.ts'
export { discard } from './discard.ts'
export { firstThatOpens } from './first-that-opens.ts'
export { healthOf } from './health-of.ts'
export {
  InterceptedKms,
  type InterceptOptions,
  type KmsCall,
  type NextCall,
  serviceOf,
} from './intercepted-kms.ts'
export { isCurrentVersion } from './is-current-version.ts'
export type {
  KeyLifecycle,
  KeyLifecycleOptions,
  KeyVersionState,
  ScheduledDestruction,
} from './key-lifecycle.ts'
export {
  CANCEL_FIRST,
  demandOwnKek,
  demandState,
  DISABLE_FIRST,
  NOT_SCHEDULED,
  unsupportedStep,
} from './lifecycle-rules.ts'
export { kmsFromEnv, type KmsFromEnv, type KmsFromEnvOptions } from './kms-from-env.ts'
export { localKeyNames } from './local-key-names.ts'
export { recognizes } from './recognizes.ts'
export { rewrapByUnwrapping } from './rewrap-by-unwrapping.ts'
export { SecretBytes } from './secret-bytes.ts'
export { typedCall } from './typed-call.ts'
export { unwrapEach } from './unwrap-each.ts'
export type { KekVersion, WrappedKey } from './wrapped-key.ts'
