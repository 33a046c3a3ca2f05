import { configError, isTexts, wrongOption } from '../../checks/index.ts'
import type { SourceCallOptions } from './source-options.ts'

/** Options of a source on one table of an SQL database. */
export interface TableOptions extends SourceCallOptions {
  /** The table's name as the database has it, upper case and spaces too; it is quoted. */
  readonly table: string
  /** The columns by which a row is found: those of the primary key or of a unique index, 1 to 8. */
  readonly key: readonly string[]
  /** The columns that hold messages, 1 to 32. All of them are rotated in one pass. */
  readonly values: readonly string[]
  /** The columns that a context is made of, at most 32. They arrive as text, as the database writes it, or as `null`. */
  readonly facts?: readonly string[]
  /**
   * An SQL condition that limits the rows that are read, e.g. `tenant_id = 7`. It becomes part of the statement: never
   * build it from input.
   */
  readonly where?: string
}

/** The columns of a source, checked. */
export interface TableColumns {
  readonly key: readonly string[]
  readonly values: readonly string[]
  readonly facts: readonly string[]
  readonly where: string | undefined
}

/** The columns of a source, as the caller gave them. */
interface GivenColumns extends Pick<TableOptions, 'key' | 'values'> {
  readonly facts?: readonly string[] | undefined
  readonly where?: string | undefined
}

/** PostgreSQL cuts longer names off without an error. */
const MAX_NAME_BYTES = 63

/** @throws KmsError `ERR_KMS_CONFIG` */
export function tableColumns({ key, values, facts = [], where }: GivenColumns): TableColumns {
  const columns = {
    key: names('key', key, 1, 8),
    values: names('values', values, 1, 32),
    facts: names('facts', facts, 0, 32),
    where,
  }
  const twice = columns.values.find((name) => key.includes(name) || facts.includes(name))
  if (twice !== undefined) {
    throw configError(`values must not name a column of key or facts, got ${quoted(twice)}`)
  }
  if (where !== undefined && (typeof where !== 'string' || where.trim() === '')) {
    throw wrongOption('where', 'an SQL condition', where)
  }
  return columns
}

/**
 * Returns a name quoted for SQL, where it can only be a name.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function quoted(name: string, option = 'column'): string {
  const isName = typeof name === 'string' && name !== '' && !name.includes('\0')
  if (isName && new TextEncoder().encode(name).length <= MAX_NAME_BYTES) {
    return `"${name.replaceAll('"', '""')}"`
  }
  throw wrongOption(option, `a name of 1 to ${String(MAX_NAME_BYTES)} bytes`, name)
}

/** The comment that a condition may end with must not take the rest of the statement along. */
export function condition(where: string | undefined): string {
  return where === undefined ? '' : ` AND (${where}\n)`
}

function names(
  option: string,
  given: readonly string[],
  least: number,
  most: number,
): readonly string[] {
  distinctNames(option, given, least, most)
  for (const name of given) quoted(name, option)
  return [...given]
}

/**
 * Refuses what is not a list of different names.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function distinctNames(
  option: string,
  given: readonly string[],
  least: number,
  most: number,
): void {
  const expected = `a list of ${String(least)} to ${String(most)} different names`
  const isList = isTexts(given) && given.length >= least && given.length <= most
  if (!isList || given.includes('') || new Set(given).size !== given.length) {
    throw wrongOption(option, expected, given)
  }
}
