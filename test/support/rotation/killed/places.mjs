/** A table of encrypted values, and the states of its job, in SQLite or in PostgreSQL: as a process opens them. */
import { createHash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { createLocalKms } from '../../../../src/providers/local/index.ts'
import { keyValueStateStore } from '../../../../src/rotation/state-store.ts'
import { postgresSource, sqliteSource } from '../../../../src/rotation/sources/index.ts'
import { PostgresKeyValueStore, postgresSchema } from '../../../../src/stores/index.ts'

const COLUMNS = { table: 'kept', key: ['id'], values: ['secret'], facts: ['tenant'] }

/** Returns the KMS that has the versions up to this one, the same in each process. */
export function kmsAt(version) {
  const key = (number) => new Uint8Array(createHash('sha256').update(`key ${number}`).digest())
  const versions = Array.from({ length: version }, (_, at) => ({
    version: at + 1,
    key: key(at + 1),
  }))
  return createLocalKms({ versions })
}

function openSqlite(file) {
  const database = new DatabaseSync(file, { timeout: 20_000 })
  const run = (sql, ...values) => database.prepare(sql).all(...values)
  return {
    source: () => sqliteSource({ database, ...COLUMNS }),
    states: {
      async load(key) {
        const [row] = run('SELECT text FROM states WHERE key = ?', key)
        return row && String(row['text'])
      },
      async save(key, expected, next) {
        const swapped =
          expected === undefined
            ? run(
                'INSERT INTO states VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING key',
                key,
                next,
              )
            : run(
                'UPDATE states SET text = ? WHERE key = ? AND text = ? RETURNING key',
                next,
                key,
                expected,
              )
        return swapped.length === 1
      },
    },
    async create() {
      run('PRAGMA journal_mode = WAL')
      run('CREATE TABLE kept (id INTEGER PRIMARY KEY, tenant TEXT, secret BLOB)')
      run('CREATE TABLE states (key TEXT PRIMARY KEY, text TEXT)')
    },
    insert: async (id, tenant, value) =>
      void run('INSERT INTO kept VALUES (?, ?, ?)', id, tenant, value),
    update: async (id, value) => void run('UPDATE kept SET secret = ? WHERE id = ?', value, id),
    remove: async (id) => void run('DELETE FROM kept WHERE id = ?', id),
    rows: async () => run('SELECT id, tenant, secret FROM kept'),
    close: async () => database.close(),
  }
}

async function openPostgres(port, clients) {
  const { poolOf } = await import(clients)
  const pool = poolOf(Number(port), { max: 3 })
  const run = async (sql, ...values) => (await pool.query(sql, values)).rows
  return {
    source: () => postgresSource({ client: pool, ...COLUMNS }),
    states: keyValueStateStore(new PostgresKeyValueStore({ client: pool, table: 'kept_states' })),
    async create() {
      await run('CREATE TABLE kept (id bigint PRIMARY KEY, tenant text, secret bytea)')
      await pool.query(postgresSchema({ values: 'kept_states', dataKeys: 'kept_records' }))
    },
    insert: (id, tenant, value) =>
      run('INSERT INTO kept VALUES ($1, $2, $3)', id, tenant, Buffer.from(value)),
    update: (id, value) => run('UPDATE kept SET secret = $1 WHERE id = $2', Buffer.from(value), id),
    remove: (id) => run('DELETE FROM kept WHERE id = $1', id),
    rows: () => run('SELECT id::int AS id, tenant, secret FROM kept'),
    close: () => pool.end(),
  }
}

/** @param {string} kind - `sqlite` with a file, or `postgres` with a port, and the URL of the module that connects */
export async function openPlace(kind, where, clients) {
  return kind === 'sqlite' ? openSqlite(where) : openPostgres(where, clients)
}
