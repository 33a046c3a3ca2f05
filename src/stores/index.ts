export { CacheApiStore, type CacheApiStoreOptions, type WebCache } from './cache-api-store.ts'
export { D1DataKeyStore, type D1DataKeyStoreOptions } from './d1-data-key-store.ts'
export type { D1DatabaseBinding, D1StatementBinding } from './d1-database.ts'
export { D1KeyValueStore, type D1KeyValueStoreOptions } from './d1-key-value-store.ts'
export { MemoryDataKeyStore } from './memory-data-key-store.ts'
export { MemoryKeyValueStore, type MemoryKeyValueStoreOptions } from './memory-key-value-store.ts'
export { type RepairPage, StoreRepairLog } from './store-repair-log.ts'
export type { StoreCallOptions } from './store-calls.ts'
export {
  WorkersKvStore,
  type WorkersKvStoreOptions,
  type WorkersKvNamespace,
} from './workers-kv-store.ts'
export type {
  DurableObjectStoreOptions,
  StoreObjectNamespace,
  StoreObjectStub,
} from './durable-object-client.ts'
export { DurableObjectDataKeyStore } from './durable-object-data-key-store.ts'
export { DurableObjectKeyValueStore } from './durable-object-key-value-store.ts'
export { EdgeKmsStoreObject, type StoreObjectState } from './store-object.ts'
export { D1_SCHEMA } from './d1-schema.ts'
export type { RedisCommand } from './redis-command.ts'
export { RedisDataKeyStore, type RedisDataKeyStoreOptions } from './redis-data-key-store.ts'
export { RedisKeyValueStore, type RedisKeyValueStoreOptions } from './redis-key-value-store.ts'
export { redisOverHttp, type RedisOverHttpOptions } from './redis-over-http.ts'
export type { DenoKv, DenoKvEntry, DenoKvOperation } from './deno-kv.ts'
export { DenoKvDataKeyStore, type DenoKvDataKeyStoreOptions } from './deno-kv-data-key-store.ts'
export { DenoKvKeyValueStore, type DenoKvKeyValueStoreOptions } from './deno-kv-key-value-store.ts'
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
