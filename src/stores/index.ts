/**
 * Stores for shared data keys, circuits and data-key records, and the building blocks of your own.
 *
 * @module
 */
export { MemoryDataKeyStore } from './memory-data-key-store.ts'
export { MemoryKeyValueStore, type MemoryKeyValueStoreOptions } from './memory-key-value-store.ts'
export { type RepairPage, StoreRepairLog } from './store-repair-log.ts'
export type { RedisCommand } from './redis-command.ts'
export { RedisDataKeyStore, type RedisDataKeyStoreOptions } from './redis-data-key-store.ts'
export { RedisKeyValueStore, type RedisKeyValueStoreOptions } from './redis-key-value-store.ts'
export { redisOverHttp, type RedisOverHttpOptions } from './redis-over-http.ts'
export type { DynamoDbOptions } from './dynamo-db-table.ts'
export {
  DynamoDbDataKeyStore,
  type DynamoDbDataKeyStoreOptions,
} from './dynamo-db-data-key-store.ts'
export {
  DynamoDbKeyValueStore,
  type DynamoDbKeyValueStoreOptions,
} from './dynamo-db-key-value-store.ts'
export {
  PostgresDataKeyStore,
  type PostgresDataKeyStoreOptions,
} from './postgres-data-key-store.ts'
export {
  PostgresKeyValueStore,
  type PostgresKeyValueStoreOptions,
} from './postgres-key-value-store.ts'
export type { PostgresClient, PostgresOptions } from './postgres-query.ts'
export { postgresSchema, type PostgresTables } from './postgres-sql.ts'
export {
  UnstorageKeyValueStore,
  type UnstorageKeyValueStoreOptions,
  type UnstorageStorage,
} from './unstorage-key-value-store.ts'
export {
  bytesOfText,
  capabilitiesOf,
  checkBinding,
  checkDataKeyName,
  checkKey,
  checkPage,
  checkPrefix,
  checkTtl,
  checkValue,
  columnOf,
  MAX_KEY_BYTES,
  MAX_PAGE,
  MAX_TEXT_LENGTH,
  MAX_TTL_MS,
  MAX_VALUE_BYTES,
  pageOf,
  type StoreCallOptions,
  StoreCalls,
  type TimedValue,
  TimedValues,
} from './support.ts'
