import { configError } from '../checks/index.ts'
import type { JsonObject } from '../http/index.ts'

/** Names, roles and types, as {@link keysOf} writes them. */
const TABLE_KEYS = 'pk HASH S, sk RANGE S'

/**
 * Checks an answer of `DescribeTable`: a system of record needs keys of our form, and no
 * replica in another region that learns of a write later.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html
 */
export function demandTable(answer: JsonObject): void {
  const table = Object(answer['Table']) as JsonObject
  const keys = keysOf(table)
  if (keys !== TABLE_KEYS) {
    throw configError(`the keys of the table must be ${TABLE_KEYS}, got ${keys || 'none'}`)
  }
  const { Replicas: replicas, MultiRegionConsistency: consistency } = table
  const isGlobal = Array.isArray(replicas) && replicas.length > 0
  if (isGlobal && consistency !== 'STRONG') {
    const got = typeof consistency === 'string' ? consistency : 'none'
    throw configError(
      `a table with replicas must have MultiRegionConsistency STRONG, got ${got}: a data key would be missing in other regions`,
    )
  }
}

/** Names, roles and types of the primary key, in order. */
function keysOf(table: JsonObject): string {
  const types = new Map(
    listOf(table, 'AttributeDefinitions').map((row) => [
      row['AttributeName'],
      row['AttributeType'],
    ]),
  )
  return listOf(table, 'KeySchema')
    .map((row) => [row['AttributeName'], row['KeyType'], types.get(row['AttributeName'])].join(' '))
    .join(', ')
}

function listOf(table: JsonObject, name: string): readonly JsonObject[] {
  const list = table[name]
  return Array.isArray(list) ? list.map((row) => Object(row) as JsonObject) : []
}
