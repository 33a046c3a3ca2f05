import type { DynamoDBRecord } from 'aws-lambda'
import { dynamoBatch } from 'edge-kms/lambda'
import { context, createStack } from './stack.js'

const idOf = (record: DynamoDBRecord): string => record.dynamodb?.Keys?.['id']?.S ?? ''

/** The table's stream: every new or changed card is decrypted, and its last four digits are logged. */
export const handler = dynamoBatch(
  (plaintext, record: DynamoDBRecord) => {
    const last4 = plaintext && new TextDecoder().decode(plaintext).slice(-4)
    console.log(JSON.stringify({ event: record.eventName, id: idOf(record), last4 }))
  },
  {
    create: createStack,
    attribute: 'card',
    context: () => context,
    aad: (record) => ({ id: idOf(record) }),
    onError: (error, { dynamodb }) => console.error(dynamodb?.SequenceNumber, error),
  },
)
