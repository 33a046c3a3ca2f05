import { plainOptions } from '../../src/checks/index.ts'
import {
  type SqliteDatabase,
  sqliteSource,
  type SqliteSourceOptions,
  type ValueSource,
} from '../../src/rotation/sources/index.ts'
import { checkBinding } from '../../src/stores/index.ts'
import { type D1DatabaseBinding, rowsOf } from './d1-database.ts'

/** Options of {@link d1Source}. */
export interface D1SourceOptions extends Omit<SqliteSourceOptions, 'database'> {
  /** The binding itself: a session of D1 may read from a replica, which is not strong. */
  readonly database: D1DatabaseBinding
}

/**
 * Returns a table of D1 as a source of a rotation, with the options of `sqliteSource`. The swaps of a page are one batch,
 * which D1 runs as one transaction.
 *
 * @throws KmsError `ERR_KMS_CONFIG`; the first call, if the table or a column is not as the options say
 *
 * @example
 * ```ts
 * import { d1Source, type D1DatabaseBinding } from 'edge-kms/workers'
 *
 * export const notesOf = (env: { readonly DB: D1DatabaseBinding }) =>
 *   d1Source({ database: env.DB, table: 'notes', key: ['id'], values: ['body'], facts: ['tenant'] })
 * ```
 */
export function d1Source(options: D1SourceOptions): ValueSource {
  const { database, ...common } = plainOptions(options)
  checkBinding('database', database, 'batch')
  return sqliteSource({ ...common, database: batched(database) })
}

function batched(binding: D1DatabaseBinding): SqliteDatabase {
  return {
    provider: 'd1',
    run: async (statements) => {
      const bound = statements.map(({ sql, values }) => binding.prepare(sql).bind(...values))
      return (await binding.batch(bound)).map((answer) => rowsOf(answer))
    },
  }
}
