import { MultiKms } from 'edge-kms'
import { awsCredentialsFromEnv, createAwsKms } from 'edge-kms/aws-kms'
import { createNodeNetwork } from 'edge-kms/node'
import { dynamoDbSource, type RecordSource } from 'edge-kms/rotation'

// A function: Lambda's credentials are read again when AWS refuses the ones from before.
const credentials = async () => awsCredentialsFromEnv(process.env)
// Set where a local server stands in for AWS; the AWS SDK reads it, too.
const endpoint = process.env['AWS_ENDPOINT_URL']
const place = endpoint === undefined ? {} : { endpoint, allowHttpLoopback: true }
const network = createNodeNetwork()

/** Returns the KMS that opens what is under either key, and wraps with the new one alone. */
export function createKms() {
  const common = { credentials, network, ...place }
  const next = createAwsKms({ keyId: required('KMS_KEY_ARN'), ...common })
  const old = createAwsKms({ keyId: required('OLD_KMS_KEY_ARN'), usage: 'decrypt', ...common })
  return new MultiKms({ read: [next, old], write: [next] })
}

/** Returns the segments of the table. Each is a source of its own, and so a chain of messages of its own. */
export function createSources(): readonly RecordSource[] {
  const total = integer('SEGMENTS')
  return Array.from({ length: total }, (_, at) =>
    dynamoDbSource({
      table: required('TABLE_NAME'),
      region: required('AWS_REGION'),
      credentials,
      values: ['card'],
      segment: [at, total],
      ...place,
    }),
  )
}

/** Returns a variable that must be set. */
export function required(name: string): string {
  const value = process.env[name]
  if (value === undefined || value === '') throw new Error(`${name} is not set`)
  return value
}

/** Returns a variable that must be a positive integer. */
export function integer(name: string): number {
  const value = Number(required(name))
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`${name} must be a positive integer, got ${required(name)}`)
  return value
}
