import { configError, isTexts } from '../../checks/index.ts'
import { columnOf } from '../../stores/index.ts'
import type { TableColumns } from './table-options.ts'

/** The table and its columns, as the catalogue describes them. */
export interface PostgresTable {
  /** The types of the key's columns, e.g. `bigint`. */
  readonly keyTypes: readonly string[]
  /** Which of the value columns are `bytea`; the others are text. */
  readonly areBytes: readonly boolean[]
}

const PLAIN_KEYS = ['text', 'character varying', 'uuid', 'bigint', 'integer', 'smallint']
/** Their text depends on the session's DateStyle, and that of JSON does not. */
export const DATE_KEYS: readonly string[] = [
  'date',
  'timestamp without time zone',
  'timestamp with time zone',
]
const VALUE_TYPES = ['bytea', 'text', 'character varying']

/** The table as it is written here: kind, durability, columns and unique keys. One parameter, its quoted name. */
export const DESCRIBE = `SELECT c.relkind::text AS kind, c.relpersistence::text AS persistence,
  current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit,
  (SELECT json_agg(json_build_array(a.attname, a.atttypid::regtype::text, a.attnotnull))::text
    FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
  (SELECT json_agg((SELECT json_agg(a.attname) FROM pg_attribute a
      WHERE a.attrelid = i.indrelid AND a.attnum = ANY((i.indkey::int2[])[0:i.indnkeyatts - 1])))::text
    FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate
      AND i.indpred IS NULL AND i.indexprs IS NULL) AS uniques
  FROM pg_class c WHERE c.oid = to_regclass($1::text)`

/**
 * Returns the table's facts from a row of {@link DESCRIBE}.
 *
 * @throws KmsError `ERR_KMS_CONFIG` for a table whose rows cannot be found again, or whose columns hold no messages
 */
export function postgresTable(name: string, columns: TableColumns, row: unknown): PostgresTable {
  const refuse = (says: string): Error => configError(`table ${name} ${says}`)
  if (row === undefined) throw refuse('was not found: create it, or correct table or schema')
  const kind = columnOf(row, 'kind')
  if (kind !== 'r' && kind !== 'p') throw refuse('must be a table, not a view')
  const types = typesOf(row)
  const typeOf = (column: string, choices: readonly string[], of: string): string => {
    const [type, isRequired] = types.get(column) ?? []
    if (type === undefined) throw refuse(`has no column "${column}": correct ${of}`)
    if (!choices.includes(type)) {
      throw refuse(`column "${column}" of ${of} must be ${choices.join(', ')}, got ${type}`)
    }
    if (of === 'key' && !isRequired) throw refuse(`column "${column}" of key must be NOT NULL`)
    return type
  }
  const keyTypes = columns.key.map((one) => typeOf(one, [...PLAIN_KEYS, ...DATE_KEYS], 'key'))
  const areBytes = columns.values.map((one) => typeOf(one, VALUE_TYPES, 'values') === 'bytea')
  for (const one of columns.facts) {
    if (!types.has(one)) throw refuse(`has no column "${one}": correct facts`)
  }
  if (!uniquesOf(row).some((unique) => unique.every((one) => columns.key.includes(one)))) {
    throw refuse('needs a primary key or a unique index of the columns of key')
  }
  return { keyTypes, areBytes }
}

/**
 * Refuses to write where a crash would bring old values back: after the old KEK is retired they are lost.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function demandDurableTable(name: string, row: unknown): void {
  const refuse = (says: string): Error =>
    configError(`table ${name}: ${says}; or set durability: 'declared'`)
  if (columnOf(row, 'persistence') !== 'p')
    throw refuse('it must be a logged table: a crash empties it')
  if (columnOf(row, 'fsync') !== 'on') throw refuse('fsync of the server must be on')
  const commit = columnOf(row, 'commit')
  if (typeof commit !== 'string' || commit === 'off') {
    throw refuse('synchronous_commit must not be off: a crash brings old values back')
  }
}

function typesOf(row: unknown): ReadonlyMap<string, readonly [type: string, isRequired: boolean]> {
  const list = parsed(row, 'columns') as [string, string, boolean][]
  return new Map(list.map(([column, type, isRequired]) => [column, [type, isRequired]]))
}

function uniquesOf(row: unknown): readonly (readonly string[])[] {
  const list: unknown = parsed(row, 'uniques')
  return Array.isArray(list) ? list.filter((one): one is string[] => isTexts(one)) : []
}

/** `json_agg` of nothing is NULL. */
function parsed(row: unknown, column: string): unknown {
  const text = columnOf(row, column)
  return typeof text === 'string' ? JSON.parse(text) : []
}
