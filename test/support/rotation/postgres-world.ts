import {
  postgresSource,
  type PostgresSourceOptions,
  type StoredValue,
} from '../../../src/rotation/sources/index.ts'
import type { PostgresClient } from '../../../src/stores/index.ts'
import type { RecordSourceSubject } from '../../../src/testing/index.ts'

/** The kind of key of a table: its columns, and how an id is written into them. */
const KEYS = {
  text: { columns: ['The "key"'], types: ['text'] },
  bigint: { columns: ['id'], types: ['bigint'] },
  uuid: { columns: ['id'], types: ['uuid'] },
  composite: { columns: ['tenant', 'id'], types: ['text', 'bigint'] },
} as const

let tables = 0
let last = 9_007_199_254_740_993n

/** A table of two fields on any client of PostgreSQL, with names that have to be quoted. */
export function postgresWorld(
  client: PostgresClient,
  kind: keyof typeof KEYS,
  options: Partial<PostgresSourceOptions> = {},
): { readonly subject: RecordSourceSubject } {
  const { columns, types } = KEYS[kind]
  const quoted = columns.map((name) => `"${name.replaceAll('"', '""')}"`)
  const keyOf = (id: string): readonly string[] =>
    columns.length === 1 ? [id] : (JSON.parse(id) as string[])
  const create: RecordSourceSubject['create'] = async () => {
    const table = `Source ${kind} ${String(++tables)}`
    const rows = quoted.map((name, at) => `${name} ${types[at] ?? ''} NOT NULL`)
    await client.query(
      `CREATE TABLE "${table}" (${rows.join(', ')}, "Secret" bytea, "user" text, PRIMARY KEY (${quoted.join(', ')}))`,
      [],
    )
    const values = ['Secret', 'user']
    const source = postgresSource({ client, table, key: columns, values, ...options })
    const condition = quoted.map((name, at) => `${name} = $${String(at + 1)}::${types[at] ?? ''}`)
    return {
      source,
      put: async (id, { Secret: secret = null, user = null }) => {
        const places = quoted.map((_, at) => `$${String(at + 3)}::text::${types[at] ?? ''}`)
        await client.query(
          `INSERT INTO "${table}" ("Secret", "user", ${quoted.join(', ')})
            VALUES (decode($1::text, 'hex'), $2::text, ${places.join(', ')})
            ON CONFLICT (${quoted.join(', ')}) DO UPDATE SET "Secret" = excluded."Secret", "user" = excluded."user"`,
          [hexOf(secret), user as string | null, ...keyOf(id)],
        )
      },
      delete: async (id) => {
        await client.query(`DELETE FROM "${table}" WHERE ${condition.join(' AND ')}`, [
          ...keyOf(id),
        ])
      },
      failing: () => {
        const broken = { query: () => Promise.reject(new Error('connection terminated')) }
        return postgresSource({ client: broken, table, key: columns, values })
      },
    }
  }
  return {
    subject: {
      fields: { Secret: 'bytes', user: 'text' },
      create,
      ...(kind === 'text'
        ? {}
        : { newId: newIds[kind], without: { textIds: `the key is ${kind}` } }),
    },
  }
}

const newIds = {
  bigint: () => String((last += 3n)),
  uuid: () => crypto.randomUUID(),
  composite: () => JSON.stringify([`te"na\\nt {${String(last % 5n)}}`, String((last += 3n))]),
}

function hexOf(value: StoredValue | null): string | null {
  if (value === null || typeof value === 'string') return null
  return Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
