import { configError } from '../checks/index.ts'
import type { JsonObject } from '../http/index.ts'

/**
 * What `DescribeTable` says, held against what a system of record needs: keys of our form, and no
 * replica in another region that learns of a write later.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html
 */
export function demandTable(answer: JsonObject): void {
  const table = Object(answer['Table']) as JsonObject
  if (keysOf(table) !== 'pk HASH S, sk RANGE S') {
    throw configError('the table must have the keys pk and sk, both strings')
  }
  const { Replicas: replicas, MultiRegionConsistency: consistency } = table
  const isGlobal = Array.isArray(replicas) && replicas.length > 0
  if (isGlobal && consistency !== 'STRONG') {
    throw configError('the table has replicas that are eventual')
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
