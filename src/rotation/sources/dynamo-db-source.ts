import { encodeBase64 } from '../../bytes/index.ts'
import { configError, flag, integer, plainOptions, refuseOthers } from '../../checks/index.ts'
import { columnOf } from '../../stores/index.ts'
import {
  type Attribute,
  type DynamoDbOptions,
  DynamoDbTable,
} from '../../stores/dynamo-db-table.ts'
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
import { eachInOrder } from './each-in-order.ts'
import {
  callOptions,
  checkChanges,
  checkLimit,
  type SourceCallOptions,
  sourceName,
} from './source-options.ts'
import { tableColumns } from './table-options.ts'

/** Options of {@link dynamoDbSource}. */
export interface DynamoDbSourceOptions
  extends Omit<DynamoDbOptions, 'prefix' | 'timeoutMs' | 'network'>, SourceCallOptions {
  /** The attributes that hold messages, of type B or S, 1 to 32. All of them are rotated in one pass. */
  readonly values: readonly string[]
  /** The attributes that a context is made of, at most 32; text and numbers arrive as text, others as JSON. */
  readonly facts?: readonly string[]
  /** Reads only items that have one of the attributes: for a table of several kinds of item. `false` by default. */
  readonly skipOthers?: boolean
  /**
   * The part of the table that this source walks, for several workers: `[0, 4]` is the first of four. Each is a source
   * with a name of its own.
   */
  readonly segment?: readonly [index: number, total: number]
  /** Conditional writes in flight, 1 to 64; 8 by default. */
  readonly writesAtOnce?: number
}

const FAULTS: Readonly<Record<string, string>> = {
  ResourceNotFoundException:
    'was not found: correct table, region or the account of the credentials',
  ValidationException: 'refused the request: an item above 400 KB, or a cursor of another table',
}

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
  return new DynamoDbSource(options)
}

class DynamoDbSource implements ValueSource {
  readonly kind = 'values'
  readonly name: string
  readonly #table: DynamoDbTable
  readonly #tableName: string
  readonly #values: readonly string[]
  readonly #facts: readonly string[]
  readonly #scan: Readonly<Record<string, unknown>>
  readonly #writesAtOnce: number
  #keys: DynamoDbKeys | undefined

  constructor(options: DynamoDbSourceOptions) {
    const { name, values, facts = [], skipOthers = false, segment, ...more } = plainOptions(options)
    const { writesAtOnce = 8, timeoutMs, network, ...place } = more
    refuseOthers({ prefix: (place as { readonly prefix?: unknown }).prefix })
    const calls = callOptions({ timeoutMs, network })
    this.#table = new DynamoDbTable({ ...place, ...calls }, FAULTS)
    this.#tableName = place.table
    this.#values = tableColumns({ key: ['-'], values, facts }).values
    this.#facts = facts
    this.#writesAtOnce = integer('writesAtOnce', writesAtOnce, 1, 64)
    const part = segmentOf(segment)
    const suffix = part === undefined ? '' : `-${String(part.Segment)}`
    this.name = sourceName(name, `${place.table.slice(0, 56)}${suffix}`)
    const filter = values.map((_, at) => `attribute_exists(#v${String(at)})`).join(' OR ')
    this.#scan = { ...part, ...(flag('skipOthers', skipOthers) && { FilterExpression: filter }) }
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
    const input = { ...this.#scan, ...this.#projection(keys), ...after }
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
    return eachInOrder(ids, this.#writesAtOnce, async (id) => {
      const input = { Key: keys.keyOf(id), ConsistentRead: true, ...projection }
      const { Item: item } = await this.#table.ask('read', 'GetItem', input, signal)
      return item === undefined ? undefined : this.#recordOf(item, keys)
    })
  }

  async swap(
    changes: readonly RecordChange[],
    { signal }: SourceOptions,
  ): Promise<readonly SwapOutcome[]> {
    checkChanges(changes, this.#values)
    const keys = await this.#learn(signal)
    return eachInOrder(changes, this.#writesAtOnce, async ({ id, field, expected, next }) => {
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
    })
  }

  async #learn(signal: AbortSignal | undefined): Promise<DynamoDbKeys> {
    if (this.#keys !== undefined) return this.#keys
    const answer = await this.#table.ask('describe', 'DescribeTable', {}, signal)
    const keys = new DynamoDbKeys(answer, this.#tableName)
    const twice = this.#values.find((name) => keys.names.includes(name))
    if (twice !== undefined)
      throw configError(`values must not name a key of the table, got ${twice}`)
    this.#keys = keys
    return keys
  }

  /** Values are `#v0`, `#v1` …, so that the filter names them too. */
  #projection({ names }: DynamoDbKeys): Readonly<Record<string, unknown>> {
    const others = [...new Set([...names, ...this.#facts])]
    const placeholders = { ...placeholdersOf('#v', this.#values), ...placeholdersOf('#o', others) }
    return {
      ProjectionExpression: Object.keys(placeholders).join(', '),
      ExpressionAttributeNames: placeholders,
    }
  }

  #recordOf(item: unknown, keys: DynamoDbKeys): RotationRecord {
    const values = this.#values.map((name) => [
      name,
      storedValueOf(columnOf(item, name), this.#unreadable),
    ])
    const facts = this.#facts.map((name) => [name, factOf(columnOf(item, name))])
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

function segmentOf(
  segment: DynamoDbSourceOptions['segment'],
): { readonly Segment: number; readonly TotalSegments: number } | undefined {
  if (segment === undefined) return undefined
  const [index, total] = segment
  integer('segment.1', total, 1, 1_000_000)
  return { Segment: integer('segment.0', index, 0, total - 1), TotalSegments: total }
}
