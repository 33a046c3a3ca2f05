export type {
  ObjectSource,
  RecordChange,
  RecordPage,
  RecordSource,
  RewrapObjectCall,
  RotationRecord,
  SourceFacts,
  SourceOptions,
  StoredValue,
  SwapOutcome,
  ValueSource,
} from '../record-source.ts'
export { dataKeySource } from './data-key-source.ts'
export type { DynamoDbSourceOptions } from './dynamo-db-options.ts'
export { dynamoDbSource } from './dynamo-db-source.ts'
export { iterableSource, type IterableSourceOptions } from './iterable-source.ts'
export { postgresSource, type PostgresSourceOptions } from './postgres-source.ts'
export type { SourceCallOptions } from './source-options.ts'
export type {
  SqliteDatabase,
  SqliteDriver,
  SqliteStatement,
  SqliteValue,
} from './sqlite-database.ts'
export { sqliteSource, type SqliteSourceOptions } from './sqlite-source.ts'
export type { TableOptions } from './table-options.ts'
