import { stackFromEnv } from 'edge-kms'
import { awsKmsFromEnv } from 'edge-kms/aws-kms'
import { localKmsFromEnv } from 'edge-kms/local'
import { nodePlatform } from 'edge-kms/node'
import { Pool } from 'pg'

/** Returns the stack of this process: AWS KMS where EDGE_KMS_AWS_KEY_ID is set, a local key where EDGE_KMS_KEY_V1 is. */
export function createStack() {
  return stackFromEnv(process.env, { kms: [awsKmsFromEnv, localKmsFromEnv], ...nodePlatform() })
}

/** Returns a pool of connections. No query lasts longer than ten seconds. */
export function createPool(): Pool {
  const pool = new Pool({
    connectionString: required('DATABASE_URL'),
    connectionTimeoutMillis: 5_000,
    query_timeout: 10_000,
  })
  // An idle connection that breaks is replaced. Without a listener it would end the process.
  pool.on('error', (error) => {
    console.error('a connection of the pool broke:', error.message)
  })
  return pool
}

/** Returns a variable that must be set. */
export function required(name: string): string {
  const value = process.env[name]
  if (value === undefined || value === '') throw new Error(`${name} is not set`)
  return value
}
