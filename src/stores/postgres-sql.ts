import { wrongOption } from '../checks/index.ts'

/** Names with one spelling, with a schema before the table's or without; shorter than 64 with `_ends_at`. */
const TABLE = /^(?:[a-z_][a-z0-9_]{0,62}\.)?[a-z_][a-z0-9_]{0,54}$/

/** Names of the tables. */
export interface PostgresTables {
  /** `edge_kms_values` by default. */
  readonly values?: string
  /** `edge_kms_data_keys` by default. */
  readonly dataKeys?: string
}

export const VALUES_TABLE = 'edge_kms_values'
export const DATA_KEYS_TABLE = 'edge_kms_data_keys'

/**
 * A table's name, quoted: the one thing that cannot be a parameter.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function quotedTable(table: string): string {
  if (typeof table !== 'string' || !TABLE.test(table)) {
    throw wrongOption(
      'table',
      'a name of up to 55 lower-case letters, digits and `_`, or schema.name',
      table,
    )
  }
  return table
    .split('.')
    .map((part) => `"${part}"`)
    .join('.')
}

/**
 * Returns the statements that create the tables of `PostgresKeyValueStore` and `PostgresDataKeyStore`, for a
 * migration. The stores never create a table, so their database user does not need that right.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 *
 * @example
 * ```ts
 * import { postgresSchema } from 'edge-kms/stores'
 *
 * console.log(postgresSchema()) // > migrations/0001_edge_kms.sql
 * ```
 */
export function postgresSchema(tables: PostgresTables = {}): string {
  const { values = VALUES_TABLE, dataKeys = DATA_KEYS_TABLE } = tables
  const [ofValues, ofDataKeys] = [quotedTable(values), quotedTable(dataKeys)]
  const index = `${values.slice(values.indexOf('.') + 1)}_ends_at`
  // COLLATE "C": keys are equal and in order by their bytes, whatever the database's language.
  return `CREATE TABLE IF NOT EXISTS ${ofValues} (
  key text COLLATE "C" PRIMARY KEY, value bytea NOT NULL, ends_at timestamptz NOT NULL);
CREATE INDEX IF NOT EXISTS "${index}" ON ${ofValues} (ends_at);
CREATE TABLE IF NOT EXISTS ${ofDataKeys} (
  key text COLLATE "C" PRIMARY KEY, record bytea NOT NULL);
`
}

/** Bytes travel as base64, which every client carries alike; PostgreSQL breaks its lines. */
const BYTES = (name: string): string => `translate(encode(${name}, 'base64'), E'\\n', '')`

/** Expiry time of a value whose time to live, in milliseconds, is this parameter. */
const END = (parameter: string): string =>
  `clock_timestamp() + ${parameter}::float8 * interval '1 millisecond'`

/** Statements on values. An expired value counts as absent. */
export interface ValueStatements {
  /** key */
  readonly get: string
  /** key, value, time to live */
  readonly put: string
  /** key, value, time to live; a row if it was free */
  readonly putIfFree: string
  /** key, value, time to live, expected; a row if it was that */
  readonly swap: string
  /** key */
  readonly delete: string
}

/**
 * Every write is one atomic statement. It also deletes a few expired values, except its own and those that another
 * client has locked.
 */
export function valueStatements(table: string): ValueStatements {
  const sweep = `WITH ended AS (SELECT key FROM ${table}
    WHERE ends_at <= statement_timestamp() AND key <> $1::text
    ORDER BY ends_at LIMIT 16 FOR UPDATE SKIP LOCKED),
  swept AS (DELETE FROM ${table} t USING ended WHERE t.key = ended.key)`
  const insert = `${sweep} INSERT INTO ${table} AS held (key, value, ends_at)
  VALUES ($1::text, decode($2::text, 'base64'), ${END('$3')})
  ON CONFLICT (key) DO UPDATE SET value = excluded.value, ends_at = excluded.ends_at`
  return {
    get: `SELECT ${BYTES('value')} AS value FROM ${table}
  WHERE key = $1::text AND ends_at > clock_timestamp()`,
    put: insert,
    putIfFree: `${insert} WHERE held.ends_at <= clock_timestamp() RETURNING key`,
    swap: `${sweep} UPDATE ${table} SET value = decode($2::text, 'base64'), ends_at = ${END('$3')}
  WHERE key = $1::text AND ends_at > clock_timestamp() AND value = decode($4::text, 'base64')
  RETURNING key`,
    delete: `DELETE FROM ${table} WHERE key = $1::text`,
  }
}

/** Statements on records. */
export interface RecordStatements {
  /** key */
  readonly get: string
  /** key, record; a row if it was free */
  readonly putIfAbsent: string
  /** key, next, expected; a row if it was that */
  readonly swap: string
  /** key */
  readonly delete: string
  /** the last key of the page before, limit */
  readonly list: string
  /** the table as it is written here; what a system of record must be */
  readonly durability: string
}

export function recordStatements(table: string): RecordStatements {
  return {
    get: `SELECT ${BYTES('record')} AS record FROM ${table} WHERE key = $1::text`,
    putIfAbsent: `INSERT INTO ${table} (key, record) VALUES ($1::text, decode($2::text, 'base64'))
  ON CONFLICT (key) DO NOTHING RETURNING key`,
    swap: `UPDATE ${table} SET record = decode($2::text, 'base64')
  WHERE key = $1::text AND record = decode($3::text, 'base64') RETURNING key`,
    delete: `DELETE FROM ${table} WHERE key = $1::text`,
    list: `SELECT key FROM ${table} WHERE key COLLATE "C" > $1::text
  ORDER BY key COLLATE "C" LIMIT $2::int`,
    durability: `SELECT current_setting('fsync') AS fsync,
  current_setting('synchronous_commit') AS commit,
  (SELECT relpersistence::text FROM pg_class WHERE oid = to_regclass($1::text)) AS kind,
  (SELECT atttypid::regtype::text FROM pg_attribute
    WHERE attrelid = to_regclass($1::text) AND attname = 'record') AS type`,
  }
}
