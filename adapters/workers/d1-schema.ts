import { SCHEMA } from './sql.ts'

/**
 * The tables of `D1KeyValueStore` and `D1DataKeyStore`, for a migration of `wrangler d1 migrations`.
 *
 * @example
 * ```ts
 * import { D1_SCHEMA } from 'edge-kms/workers'
 *
 * console.log(D1_SCHEMA) // > migrations/0001_edge_kms.sql
 * ```
 */
export const D1_SCHEMA: string = `${SCHEMA.join(';\n')};\n`
