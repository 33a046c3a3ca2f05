import { stackFromEnv } from 'edge-kms'
import { awsKmsFromEnv } from 'edge-kms/aws-kms'
import { localKmsFromEnv } from 'edge-kms/local'
import { nodePlatform } from 'edge-kms/node'
import { dataKeySource, postgresSource, type RecordSource } from 'edge-kms/rotation'
import { PostgresDataKeyStore } from 'edge-kms/stores'
import { Pool } from 'pg'

/** Returns the stack of this process: AWS KMS where EDGE_KMS_AWS_KEY_ID is set, a local key where EDGE_KMS_KEY_V1 is. */
export function createStack() {
  return stackFromEnv(process.env, { kms: [awsKmsFromEnv, localKmsFromEnv], ...nodePlatform() })
}

/** Returns what the rotation walks: the rows, and the data keys of messages by reference. Each is a job of its own. */
export function sourcesOf(client: Pool): readonly RecordSource[] {
  return [
    dataKeySource(new PostgresDataKeyStore({ client })),
    postgresSource({
      client,
      table: 'customers',
      key: ['tenant', 'id'],
      values: ['email', 'iban'],
    }),
  ]
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

/** Returns a variable that must be a positive integer, or its default. */
export function integer(name: string, standard: number): number {
  const value = Number(process.env[name] ?? standard)
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`${name} must be a positive integer, got ${String(process.env[name])}`)
  return value
}
