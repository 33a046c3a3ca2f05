import type { AwsErrorRow } from '../credentials/aws/index.ts'

/** DynamoDB's error for a conditional write whose condition did not hold. */
export const CONDITION_FAILED = 'ConditionalCheckFailedException'

/**
 * Errors of DynamoDB, beside those of every service.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 */
export const DYNAMO_DB_ERRORS: readonly AwsErrorRow[] = [
  {
    // Throttling, and what passes: the same call may succeed later.
    code: 'ERR_STORE_UNAVAILABLE',
    names:
      'InternalServerError LimitExceeded ProvisionedThroughputExceeded ReplicatedWriteConflict RequestLimitExceeded TransactionConflict TransactionInProgress',
  },
  { code: 'ERR_KMS_CONFIG', names: 'ResourceNotFound TableNotFound' },
]

const NOT_FOUND =
  'was not found: create it, or correct table, region or the account of the credentials'

/** Completes "table NAME in REGION …" for errors of the configuration; AWS's own words may hold values. */
export const DYNAMO_DB_FAULTS: Readonly<Record<string, string>> = {
  ResourceNotFoundException: NOT_FOUND,
  TableNotFoundException: NOT_FOUND,
  ValidationException: 'must have the keys pk HASH S, sk RANGE S',
}
