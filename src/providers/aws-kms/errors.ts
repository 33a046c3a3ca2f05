import type { AwsErrorRow } from '../../credentials/aws/index.ts'

/**
 * Errors of AWS KMS (API Reference, "Errors" of each operation), beside those of every service.
 * Docs: `docs/providers/aws-kms.md`, "Errors".
 */
export const AWS_KMS_ERRORS: readonly AwsErrorRow[] = [
  { code: 'ERR_DECRYPT_FAILED', names: 'IncorrectKey InvalidCiphertext' },
  { code: 'ERR_KMS_KEY_NOT_FOUND', names: 'NotFound' },
  { code: 'ERR_KMS_KEY_DISABLED', names: 'Disabled KMSInvalidState' },
  { code: 'ERR_KMS_ACCESS_DENIED', names: 'InvalidGrantToken' },
  {
    code: 'ERR_KMS_UNAVAILABLE',
    names:
      'CloudHsmClusterInvalidConfiguration Conflict CustomKeyStoreInvalidState DependencyTimeout KeyUnavailable KMSInternal',
  },
  { code: 'ERR_KMS_CONFIG', names: 'InvalidAliasName InvalidArn InvalidKeyUsage LimitExceeded' },
  { code: 'ERR_KMS_UNSUPPORTED', names: 'UnsupportedOperation' },
]
