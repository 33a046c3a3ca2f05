import { oneOf, plainOptions } from '../checks/index.ts'
import { type Bytes, encodeBase64 } from '../bytes/index.ts'
import type {
  KeyValueCapabilities,
  KeyValueOptions,
  KeyValueStore,
  KeyValueWriteOptions,
} from '../ports/index.ts'
import { capabilitiesOf, checkKey, checkTtl, checkValue } from './checks.ts'
import {
  attributeOf,
  type Attributes,
  type DynamoDbOptions,
  DynamoDbTable,
} from './dynamo-db-table.ts'
import { bytesOfText } from './text-values.ts'

/** Options of {@link DynamoDbKeyValueStore}. */
export interface DynamoDbKeyValueStoreOptions extends DynamoDbOptions {
  /**
   * `strong` (default) if all readers and writers use one region. `eventual` for a global table that replicates
   * asynchronously; its compareAndSwap would be atomic only in one region, so the store refuses it.
   */
  readonly consistency?: 'strong' | 'eventual'
}

const FREE = 'attribute_not_exists(pk) OR #e <= :now'
const HELD = '#v = :held AND #e > :now'

/**
 * A {@link KeyValueStore} on DynamoDB: strong, by consistent reads and conditional writes. A value has
 * its expiry time in `ends_at_ms`, by this client's clock, and is never returned after that; DynamoDB
 * itself deletes by `ttl`, in whole seconds, within days.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
 */
export class DynamoDbKeyValueStore implements KeyValueStore {
  readonly capabilities: KeyValueCapabilities
  readonly #table: DynamoDbTable

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: DynamoDbKeyValueStoreOptions) {
    const { consistency = 'strong', ...common } = plainOptions(options)
    oneOf('consistency', consistency, ['strong', 'eventual'])
    this.#table = new DynamoDbTable(common)
    this.capabilities = capabilitiesOf({
      consistency,
      compareAndSwap: consistency === 'strong',
    })
  }

  async get(key: string, options: KeyValueOptions = {}): Promise<Bytes | undefined> {
    const item = await this.#table.read('get', this.#key(key), options.signal)
    if (item === undefined) return undefined
    const unreadable = (): Error => this.#table.calls.unreadable('get')
    const end = attributeOf(item, 'ends_at_ms', 'N')
    if (typeof end !== 'string' || !/^\d{1,16}$/.test(end)) throw unreadable()
    const value = bytesOfText(attributeOf(item, 'v', 'B'), unreadable)
    return this.#table.runtime.now() < Number(end) ? value : undefined
  }

  async put(key: string, value: Bytes, options: KeyValueWriteOptions): Promise<void> {
    const input = { Item: this.#item(key, value, options) }
    await this.#table.ask('put', 'PutItem', input, options.signal)
  }

  /** @throws KmsError `ERR_KMS_UNSUPPORTED` if the store is eventual */
  async compareAndSwap(
    key: string,
    expected: Bytes | undefined,
    next: Bytes,
    options: KeyValueWriteOptions,
  ): Promise<boolean> {
    const operation = 'compareAndSwap'
    if (!this.capabilities.compareAndSwap) return this.#table.calls.cannotSwap()
    const item = this.#item(key, next, options)
    const isFree = expected === undefined
    const condition = {
      ConditionExpression: isFree ? FREE : HELD,
      ExpressionAttributeNames: { '#e': 'ends_at_ms', ...(!isFree && { '#v': 'v' }) },
      ExpressionAttributeValues: {
        ':now': { N: wholeMs(this.#table.runtime.now()) },
        ...(!isFree && { ':held': { B: encodeBase64(expected) } }),
      },
    }
    return this.#table.writeIf(operation, item, condition, options.signal)
  }

  async delete(key: string, options: KeyValueOptions = {}): Promise<void> {
    await this.#table.ask('delete', 'DeleteItem', { Key: this.#key(key) }, options.signal)
  }

  #item(key: string, value: Bytes, { ttlMs }: KeyValueWriteOptions): Attributes {
    const endsAtMs = this.#table.runtime.now() + checkTtl(ttlMs)
    return {
      ...this.#key(key),
      v: { B: encodeBase64(checkValue(value, this.capabilities.maxValueBytes)) },
      ends_at_ms: { N: wholeMs(endsAtMs) },
      ttl: { N: wholeMs(endsAtMs / 1_000) },
    }
  }

  /** A partition for each value, so that no partition has all the load. */
  #key(key: string): Attributes {
    const name = checkKey(key, this.capabilities.maxKeyBytes)
    return { pk: { S: `${this.#table.prefix}value:${name}` }, sk: { S: 'value' } }
  }
}

function wholeMs(time: number): string {
  return String(Math.ceil(time))
}
