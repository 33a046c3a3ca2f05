import { configError, isTexts } from '../../checks/index.ts'
import type { JsonObject } from '../../http/index.ts'
import { columnOf } from '../../stores/index.ts'
import { type Attribute, attributeOf, type Attributes } from '../../stores/dynamo-db-table.ts'
import { idOf, partsOf } from './record-ids.ts'
import { checkId } from './source-options.ts'

/** The primary key of a table: one attribute or two. */
export class DynamoDbKeys {
  readonly names: readonly string[]
  readonly #types: readonly ('S' | 'N' | 'B')[]
  readonly #place: string

  /**
   * @param description - an answer of `DescribeTable`
   * @param table - for errors
   * @throws KmsError `ERR_KMS_CONFIG` for a table with replicas that another region writes
   */
  constructor(description: JsonObject, table: string) {
    this.#place = `table ${table}`
    const facts = Object(description['Table']) as JsonObject
    const schema = listOf(facts, 'KeySchema')
    const types = new Map(
      listOf(facts, 'AttributeDefinitions').map((row) => [
        columnOf(row, 'AttributeName'),
        columnOf(row, 'AttributeType'),
      ]),
    )
    const [names, found] = [
      schema.map((row) => columnOf(row, 'AttributeName')),
      schema.map((row) => types.get(columnOf(row, 'AttributeName'))),
    ]
    if (!isTexts(names) || names.length === 0 || !found.every(isKeyType)) {
      throw configError(`${this.#place}: DescribeTable answered without a primary key`)
    }
    demandOneWriter(this.#place, facts)
    this.names = names
    this.#types = found
  }

  /**
   * Returns the id of an item, or of a key.
   *
   * @throws what `unreadable` returns, for an item without its key
   */
  idOf(item: unknown, unreadable: () => Error): string {
    const parts = this.names.map((name, at) => {
      const part = attributeOf(item, name, this.#types[at] as 'S')
      if (typeof part !== 'string') throw unreadable()
      return part
    })
    return checkId(idOf(parts), this.#place)
  }

  /**
   * Returns the key of an id.
   *
   * @throws RangeError
   */
  keyOf(id: string): Attributes {
    const parts = partsOf(id, this.names.length)
    const pairs = this.names.map((name, at) => [name, { [this.#types[at] as 'S']: parts[at] }])
    return Object.fromEntries(pairs) as Record<string, Attribute>
  }
}

/** A condition holds in one region: with replicas, a write of another region would be lost. */
function demandOneWriter(place: string, facts: JsonObject): void {
  const { Replicas: replicas, MultiRegionConsistency: consistency } = facts
  if (!Array.isArray(replicas) || replicas.length === 0 || consistency === 'STRONG') return
  throw configError(
    `${place} has replicas without MultiRegionConsistency STRONG: a swap could overwrite what another region wrote`,
  )
}

function isKeyType(type: unknown): type is 'S' | 'N' | 'B' {
  return type === 'S' || type === 'N' || type === 'B'
}

function listOf(facts: JsonObject, name: string): readonly unknown[] {
  const list = facts[name]
  return Array.isArray(list) ? (list as readonly unknown[]) : []
}
