import type { KmsOperation } from './kms-service.ts'
import { keyOf } from './permissions.ts'

/**
 * Tells the last successful use of a key; of one that was never used, an empty element. The fake has watched each key
 * since it was made.
 *
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyLastUsage.html
 */
export const getKeyLastUsage: KmsOperation = (call) => {
  const { arn, createdAtMs, lastUse } = keyOf(call)
  const createdAt = createdAtMs / 1_000
  return {
    KeyId: arn,
    KeyCreationDate: createdAt,
    TrackingStartDate: createdAt,
    KeyLastUsage:
      lastUse === undefined
        ? {}
        : {
            Operation: lastUse.operation,
            Timestamp: lastUse.atMs / 1_000,
            CloudTrailEventId: lastUse.eventId,
            KmsRequestId: lastUse.eventId,
          },
  }
}
