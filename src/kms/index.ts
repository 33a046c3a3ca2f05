export type { KmsCapabilities, KmsLimits } from './capabilities.ts'
export { parseContextJson } from './context-json.ts'
export {
  type CanonicalContext,
  CONTEXT_LIMITS,
  canonicalContext,
  contextId,
  DATA_KEY_CONTEXT_KEY,
  type EncryptionContext,
  encodeContext,
  encodeKmsContext,
  kmsContext,
  RESERVED_CONTEXT_PREFIX,
} from './encryption-context.ts'
export type {
  GeneratedDataKey,
  HealthCheck,
  HealthReport,
  KeyManagementService,
  KmsCallOptions,
  KmsSignalOptions,
  UnwrappedDataKey,
  UnwrapRequest,
} from './key-management-service.ts'
export { SecretBytes } from './secret-bytes.ts'
export { unwrapEach } from './unwrap-each.ts'
export type { KekVersion, WrappedKey } from './wrapped-key.ts'
