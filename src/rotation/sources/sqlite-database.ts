import { wrongOption } from '../../checks/index.ts'

/** A value of SQLite; integers pass as text. */
export type SqliteValue = string | number | null | Uint8Array

/** One statement with its parameters. */
export interface SqliteStatement {
  readonly sql: string
  readonly values: readonly SqliteValue[]
}

/** A SQLite database behind calls that may be remote. `d1Source` of `edge-kms/workers` makes one of a binding. */
export interface SqliteDatabase {
  /** Names the platform in errors. */
  readonly provider: string
  /** Runs statements in order and returns the rows of each; what was written is durable then. */
  run(statements: readonly SqliteStatement[]): Promise<readonly (readonly unknown[])[]>
}

/** The part of a driver that is used: `DatabaseSync` of node:sqlite, better-sqlite3, `Database` of bun:sqlite. */
export interface SqliteDriver {
  prepare(sql: string): { all(...values: SqliteValue[]): unknown[] }
  /** Of node:sqlite. */
  readonly isTransaction?: boolean
  /** Of better-sqlite3 and bun:sqlite. */
  readonly inTransaction?: boolean
}

/**
 * Returns the database behind the option `database`.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function sqliteDatabase(given: SqliteDatabase | SqliteDriver): SqliteDatabase {
  const { run, prepare } = Object(given) as Partial<SqliteDatabase & SqliteDriver>
  if (typeof run === 'function' && typeof prepare !== 'function') return given as SqliteDatabase
  if (typeof prepare === 'function') return driven(given as SqliteDriver)
  throw wrongOption('database', 'a database with the method `prepare`', given)
}

function driven(driver: SqliteDriver): SqliteDatabase {
  return {
    provider: 'sqlite',
    // A driver that throws must reject.
    run: async (statements) => {
      await Promise.resolve()
      if (driver.isTransaction === true || driver.inTransaction === true) {
        throw Object.assign(new Error(), { code: 'SQLITE_TRANSACTION_OPEN' })
      }
      return statements.map(({ sql, values }) => driver.prepare(sql).all(...values))
    },
  }
}
