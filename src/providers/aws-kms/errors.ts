import type { AwsErrorRow } from '../../credentials/aws/index.ts'

/**
 * Errors of AWS KMS (API Reference, "Errors" of each operation), beside those of every service.
 * Docs: `docs/providers/aws-kms.md`, "Errors".
 */
export const AWS_KMS_ERRORS: ReadonlyMap<string, AwsErrorRow> = new Map<string, AwsErrorRow>([
  ['CloudHsmClusterInvalidConfigurationException', { code: 'ERR_KMS_UNAVAILABLE' }],
  ['CustomKeyStoreInvalidStateException', { code: 'ERR_KMS_UNAVAILABLE' }],
  ['DependencyTimeoutException', { code: 'ERR_KMS_UNAVAILABLE' }],
  ['DisabledException', { code: 'ERR_KMS_KEY_DISABLED' }],
  ['IncorrectKeyException', { code: 'ERR_DECRYPT_FAILED' }],
  ['InvalidAliasNameException', { code: 'ERR_KMS_CONFIG' }],
  ['InvalidArnException', { code: 'ERR_KMS_CONFIG' }],
  ['InvalidCiphertextException', { code: 'ERR_DECRYPT_FAILED' }],
  ['InvalidGrantTokenException', { code: 'ERR_KMS_ACCESS_DENIED' }],
  ['InvalidKeyUsageException', { code: 'ERR_KMS_CONFIG' }],
  ['KeyUnavailableException', { code: 'ERR_KMS_UNAVAILABLE' }],
  ['KMSInternalException', { code: 'ERR_KMS_UNAVAILABLE' }],
  ['KMSInvalidStateException', { code: 'ERR_KMS_KEY_DISABLED' }],
  ['LimitExceededException', { code: 'ERR_KMS_CONFIG' }],
  ['NotFoundException', { code: 'ERR_KMS_KEY_NOT_FOUND' }],
  ['UnsupportedOperationException', { code: 'ERR_KMS_UNSUPPORTED' }],
])
