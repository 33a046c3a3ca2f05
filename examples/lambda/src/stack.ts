import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { EnvelopeCipher } from 'edge-kms'
import { awsCredentialsFromEnv, createAwsKms } from 'edge-kms/aws-kms'
import { createNodeNetwork } from 'edge-kms/node'
import { Cards } from './cards.js'

/** The context of every data key: the policies in template.yaml have it as a condition. */
export const context = { app: 'cards' }

/** Returns the stack that an execution environment keeps: `withKms` calls this once. */
export function createStack() {
  // Set where a local server stands in for AWS; the AWS SDK reads it, too.
  const endpoint = process.env['AWS_ENDPOINT_URL']
  const kms = createAwsKms({
    keyId: required('KMS_KEY_ARN'),
    // A function: Lambda's credentials are read again when AWS refuses the ones from before.
    credentials: async () => awsCredentialsFromEnv(process.env),
    network: createNodeNetwork(),
    ...(endpoint !== undefined && { endpoint, allowHttpLoopback: true }),
  })
  return {
    cipher: new EnvelopeCipher({ kms }),
    cards: new Cards(new DynamoDBClient({}), required('TABLE_NAME')),
  }
}

function required(name: string): string {
  const value = process.env[name]
  if (value === undefined || value === '') throw new Error(`${name} is not set`)
  return value
}
