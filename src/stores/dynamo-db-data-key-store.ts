import { type Bytes, encodeBase64 } from '../bytes/index.ts'
import { oneOf, plainOptions } from '../checks/index.ts'
import type { DataKeyPage, DataKeyStore, DataKeyStoreOptions } from '../ports/index.ts'
import { checkDataKeyName, checkPage, checkValue, MAX_VALUE_BYTES, pageOf } from './checks.ts'
import { demandTable } from './dynamo-db-durability.ts'
import {
  attributeOf,
  type Attributes,
  type DynamoDbOptions,
  DynamoDbTable,
} from './dynamo-db-table.ts'
import { bytesOfText } from './text-values.ts'

/** Options of {@link DynamoDbDataKeyStore}. */
export interface DynamoDbDataKeyStoreOptions extends DynamoDbOptions {
  /**
   * `checked` (default): before its first write the store verifies, by DescribeTable, the table's keys and that every
   * replica is strongly consistent; otherwise it refuses to write. `declared`: you guarantee this yourself, if
   * `dynamodb:DescribeTable` is not granted.
   */
  readonly durability?: 'checked' | 'declared'
}

/**
 * A {@link DataKeyStore} on DynamoDB: consistent reads and conditional writes, in one region or in a global table of
 * strong consistency. Records are in one partition, in the order of their names. They have no `ttl`, so they never
 * expire.
 *
 * @remarks Security: restoring a backup loses the records that were written since, and with them every message that
 * refers to them. Turn deletion protection and point-in-time recovery on.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
 */
export class DynamoDbDataKeyStore implements DataKeyStore {
  readonly consistency = 'strong' as const
  readonly #table: DynamoDbTable
  #durable: boolean

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: DynamoDbDataKeyStoreOptions) {
    const { durability = 'checked', ...common } = plainOptions(options)
    oneOf('durability', durability, ['checked', 'declared'])
    this.#table = new DynamoDbTable(common)
    this.#durable = durability === 'declared'
  }

  async get(key: string, options: DataKeyStoreOptions = {}): Promise<Bytes | undefined> {
    const item = await this.#table.read('get', this.#key(key), options.signal)
    if (item === undefined) return undefined
    const unreadable = (): Error => this.#table.calls.unreadable('get')
    return bytesOfText(attributeOf(item, 'record', 'B'), unreadable)
  }

  /** @throws KmsError `ERR_KMS_CONFIG` if the table is not fit for records */
  putIfAbsent(key: string, record: Bytes, options: DataKeyStoreOptions = {}): Promise<boolean> {
    const condition = { ConditionExpression: 'attribute_not_exists(pk)' }
    return this.#write('putIfAbsent', key, record, condition, options)
  }

  /** @throws KmsError `ERR_KMS_CONFIG` if the table is not fit for records */
  async compareAndSwap(
    key: string,
    expected: Bytes,
    next: Bytes,
    options: DataKeyStoreOptions = {},
  ): Promise<boolean> {
    const condition = {
      ConditionExpression: '#r = :held',
      ExpressionAttributeNames: { '#r': 'record' },
      ExpressionAttributeValues: { ':held': { B: encodeBase64(expected) } },
    }
    return this.#write('compareAndSwap', key, next, condition, options)
  }

  /** @throws KmsError `ERR_KMS_CONFIG` if the table is not fit for records */
  async delete(key: string, { signal }: DataKeyStoreOptions = {}): Promise<void> {
    const input = { Key: this.#key(key) }
    await this.#demandTable(signal)
    await this.#table.ask('delete', 'DeleteItem', input, signal)
  }

  async list(
    cursor: string | undefined,
    limit: number,
    options: DataKeyStoreOptions = {},
  ): Promise<DataKeyPage> {
    checkPage(cursor, limit)
    const found: unknown[] = []
    let after: unknown = cursor
    // An answer ends at 1 MiB of records, so a page may take several.
    do {
      const answer = await this.#query(after, limit + 1 - found.length, options)
      found.push(...answer.names)
      after = answer.isWhole ? undefined : found.at(-1)
    } while (after !== undefined && found.length <= limit)
    return pageOf(found, limit, () => this.#table.calls.unreadable('list'))
  }

  async #query(
    after: unknown,
    limit: number,
    { signal }: DataKeyStoreOptions,
  ): Promise<{ readonly names: readonly unknown[]; readonly isWhole: boolean }> {
    const answer = await this.#table.ask(
      'list',
      'Query',
      {
        KeyConditionExpression: 'pk = :pk AND sk > :after',
        ExpressionAttributeValues: {
          ':pk': this.#partition,
          ':after': { S: after ?? 'ek1/' },
        },
        ProjectionExpression: 'sk',
        ConsistentRead: true,
        Limit: limit,
      },
      signal,
    )
    const items = answer['Items']
    const isWhole = answer['LastEvaluatedKey'] === undefined
    // An empty answer that goes on would never end.
    if (!Array.isArray(items) || (items.length === 0 && !isWhole)) {
      throw this.#table.calls.unreadable('list')
    }
    return { names: items.map((item) => attributeOf(item, 'sk', 'S')), isWhole }
  }

  async #write(
    operation: string,
    key: string,
    record: Bytes,
    condition: Readonly<Record<string, unknown>>,
    { signal }: DataKeyStoreOptions,
  ): Promise<boolean> {
    const text = encodeBase64(checkValue(record, MAX_VALUE_BYTES))
    const item = { ...this.#key(key), record: { B: text } }
    await this.#demandTable(signal)
    return this.#table.writeIf(operation, item, condition, signal)
  }

  async #demandTable(signal: AbortSignal | undefined): Promise<void> {
    if (this.#durable) return
    demandTable(await this.#table.ask('describe', 'DescribeTable', {}, signal))
    this.#durable = true
  }

  #key(key: string): Attributes {
    return { pk: this.#partition, sk: { S: checkDataKeyName(key) } }
  }

  get #partition(): { readonly S: string } {
    return { S: `${this.#table.prefix}data-keys` }
  }
}
