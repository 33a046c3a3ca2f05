import type { AwsErrorRow } from '../../src/credentials/aws/index.ts'

/**
 * Errors of S3, beside those of every service.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
export const S3_ERRORS: readonly AwsErrorRow[] = [
  {
    // The same request may succeed later.
    code: 'ERR_STORE_UNAVAILABLE',
    names:
      'SlowDown InternalError OperationAborted ConditionalRequestConflict RequestLimitExceeded BadDigest IncompleteBody',
  },
  {
    code: 'ERR_KMS_CONFIG',
    names:
      'NoSuchBucket InvalidBucketName InvalidBucketState AuthorizationHeaderMalformed PermanentRedirect IllegalLocationConstraintException InvalidStorageClass',
  },
  {
    code: 'ERR_KMS_UNAUTHENTICATED',
    names: 'InvalidAccessKeyId InvalidToken',
    mend: 'credentials',
  },
]
