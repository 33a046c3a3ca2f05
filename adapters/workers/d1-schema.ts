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
// One pure call, so that a bundle without it drops the text.
export const D1_SCHEMA: string = /* @__PURE__ */ [...SCHEMA, ''].join(';\n')
