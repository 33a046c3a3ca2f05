import { encodeBase64 } from '../../bytes/index.ts'
import { configError } from '../../checks/index.ts'
import { columnOf } from '../../stores/index.ts'
import type { Attribute, DynamoDbTable } from '../../stores/dynamo-db-table.ts'
import type {
  RecordChange,
  RecordPage,
  RotationRecord,
  SourceOptions,
  StoredValue,
  SwapOutcome,
  ValueSource,
} from '../record-source.ts'
import { factOf, placeholdersOf, storedValueOf } from './dynamo-db-items.ts'
import { DynamoDbKeys } from './dynamo-db-keys.ts'
import {
  dynamoDbSettings,
  type DynamoDbSourceOptions,
  type DynamoDbSourceSettings,
} from './dynamo-db-options.ts'
import { eachInOrder } from './each-in-order.ts'
import { checkChanges, checkLimit } from './source-options.ts'

/**
 * Returns a table of DynamoDB as a source: a scan with consistent reads, and a conditional update for each value. Its
 * credentials need `DescribeTable`, `Scan`, `GetItem` and `UpdateItem`.
 *
 * @throws KmsError `ERR_KMS_CONFIG`; the first call, for a table with replicas that are not strongly consistent
 *
 * @example
 * ```ts
 * import type { AwsCredentialsOption } from 'edge-kms/aws-kms'
 * import { dynamoDbSource } from 'edge-kms/rotation'
 *
 * export const ordersOf = (credentials: AwsCredentialsOption) =>
 *   dynamoDbSource({ table: 'orders', region: 'eu-central-1', credentials, values: ['card'], facts: ['tenant'] })
 * ```
 */
export function dynamoDbSource(options: DynamoDbSourceOptions): ValueSource {
  return new DynamoDbSource(dynamoDbSettings(options))
}

class DynamoDbSource implements ValueSource {
  readonly kind = 'values'
  readonly name: string
  readonly #settings: DynamoDbSourceSettings
  readonly #table: DynamoDbTable
  #keys: DynamoDbKeys | undefined

  constructor(settings: DynamoDbSourceSettings) {
    this.name = settings.name
    this.#settings = settings
    this.#table = settings.table
  }

  /** A filtered page may be empty and go on. */
  async page(
    cursor: string | undefined,
    limit: number,
    { signal }: SourceOptions,
  ): Promise<RecordPage> {
    checkLimit(limit)
    const keys = await this.#learn(signal)
    const after = cursor === undefined ? {} : { ExclusiveStartKey: keys.keyOf(cursor) }
    const input = { ...this.#settings.scan, ...this.#projection(keys), ...after }
    const call = { ...input, ConsistentRead: true, Limit: limit }
    const answer = await this.#table.ask('page', 'Scan', call, signal)
    const items = answer['Items']
    if (!Array.isArray(items)) throw this.#unreadable()
    const records = items.map((item) => this.#recordOf(item, keys))
    const last = answer['LastEvaluatedKey']
    return last === undefined ? { records } : { records, cursor: keys.idOf(last, this.#unreadable) }
  }

  async read(
    ids: readonly string[],
    { signal }: SourceOptions,
  ): Promise<readonly (RotationRecord | undefined)[]> {
    const keys = await this.#learn(signal)
    const projection = this.#projection(keys)
    return eachInOrder(ids, this.#settings.callsAtOnce, async (id) => {
      const input = { Key: keys.keyOf(id), ConsistentRead: true, ...projection }
      const { Item: item } = await this.#table.ask('read', 'GetItem', input, signal)
      return item === undefined ? undefined : this.#recordOf(item, keys)
    })
  }

  async swap(
    changes: readonly RecordChange[],
    { signal }: SourceOptions,
  ): Promise<readonly SwapOutcome[]> {
    checkChanges(changes, this.#settings.values)
    const keys = await this.#learn(signal)
    return eachInOrder(
      changes,
      this.#settings.callsAtOnce,
      async ({ id, field, expected, next }) => {
        const input = {
          Key: keys.keyOf(id),
          UpdateExpression: 'SET #v = :next',
          ConditionExpression: '#v = :expected',
          ExpressionAttributeNames: { '#v': field },
          ExpressionAttributeValues: {
            ':next': attributeFor(next),
            ':expected': attributeFor(expected),
          },
        }
        const isSwapped = await this.#table.askIf('swap', 'UpdateItem', input, signal)
        return isSwapped ? 'swapped' : 'lost'
      },
    )
  }

  async #learn(signal: AbortSignal | undefined): Promise<DynamoDbKeys> {
    if (this.#keys !== undefined) return this.#keys
    const answer = await this.#table.ask('describe', 'DescribeTable', {}, signal)
    const keys = new DynamoDbKeys(answer, this.#settings.tableName)
    const twice = this.#settings.values.find((name) => keys.names.includes(name))
    if (twice !== undefined)
      throw configError(`values must not name a key of the table, got ${twice}`)
    this.#keys = keys
    return keys
  }

  /** Values are `#v0`, `#v1` …, so that the filter names them too. */
  #projection({ names }: DynamoDbKeys): Readonly<Record<string, unknown>> {
    const others = [...new Set([...names, ...this.#settings.facts])]
    const placeholders = {
      ...placeholdersOf('#v', this.#settings.values),
      ...placeholdersOf('#o', others),
    }
    return {
      ProjectionExpression: Object.keys(placeholders).join(', '),
      ExpressionAttributeNames: placeholders,
    }
  }

  #recordOf(item: unknown, keys: DynamoDbKeys): RotationRecord {
    const values = this.#settings.values.map((name) => [
      name,
      storedValueOf(columnOf(item, name), this.#unreadable),
    ])
    const facts = this.#settings.facts.map((name) => [name, factOf(columnOf(item, name))])
    return {
      id: keys.idOf(item, this.#unreadable),
      values: Object.fromEntries(values) as RotationRecord['values'],
      ...(facts.length > 0 && { facts: Object.fromEntries(facts) as Record<string, unknown> }),
    }
  }

  readonly #unreadable = (): Error => this.#table.calls.unreadable('page')
}

function attributeFor(value: StoredValue): Attribute {
  return typeof value === 'string' ? { S: value } : { B: encodeBase64(value) }
}
