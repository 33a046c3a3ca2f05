import type { AwsErrorRow } from '../credentials/aws/index.ts'

/** What a conditional write answers whose condition did not hold. */
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

/** Of errors of the configuration, what is wrong; AWS's own words may hold values. */
export const DYNAMO_DB_FAULTS: Readonly<Record<string, string>> = {
  ResourceNotFoundException: 'there is no such table in this region and account',
  TableNotFoundException: 'there is no such table in this region and account',
  ValidationException: 'the table must have the keys pk and sk, both strings',
}
