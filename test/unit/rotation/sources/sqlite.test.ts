import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import {
  type SqliteDriver,
  sqliteSource,
  type StoredValue,
} from '../../../../src/rotation/sources/index.ts'
import { recordSourceContract, type RecordSourceWorld } from '../../../../src/testing/index.ts'
import { runContract } from '../../../support/contract.ts'

type Values = Readonly<Record<string, StoredValue | null>>

/** A table in memory with names that have to be quoted. */
function worldOf(
  create: string,
  key: string,
  columns: readonly [string, string],
): RecordSourceWorld {
  const database = new DatabaseSync(':memory:')
  database.exec(create)
  const [bytes, text] = columns
  const source = sqliteSource({ database, table: 'the "table"', key: [key], values: columns })
  const put = database.prepare(`INSERT OR REPLACE INTO "the ""table""" VALUES (?, ?, ?)`)
  const remove = database.prepare(`DELETE FROM "the ""table""" WHERE "${key}" = ?`)
  return {
    source,
    put: async (id, values: Values) => {
      await Promise.resolve()
      put.run(id, values[bytes] ?? null, values[text] ?? null)
    },
    delete: async (id) => {
      await Promise.resolve()
      remove.run(id)
    },
    failing: () => {
      const closed = new DatabaseSync(':memory:')
      closed.close()
      return sqliteSource({ database: closed, table: 't', key: ['id'], values: columns })
    },
  }
}

describe('contract: source on SQLite', () => {
  const create =
    'CREATE TABLE "the ""table""" ("the key" TEXT PRIMARY KEY, "Bytes" BLOB, "select" TEXT)'
  runContract(
    recordSourceContract({
      fields: { Bytes: 'bytes', select: 'text' },
      create: () => worldOf(create, 'the key', ['Bytes', 'select']),
    }),
  )
})

describe('contract: source on SQLite by integers above 2^53, in columns without case', () => {
  const create =
    'CREATE TABLE "the ""table""" (id INTEGER PRIMARY KEY, b BLOB COLLATE NOCASE, t TEXT COLLATE NOCASE) STRICT'
  let last = 9_007_199_254_740_993n
  runContract(
    recordSourceContract({
      fields: { t: 'text', b: 'bytes' },
      create: () => worldOf(create, 'id', ['b', 't']),
      newId: () => String((last += 7n)),
      without: { textIds: 'the key is an integer' },
    }),
  )
})

const open = (sql: string): DatabaseSync => {
  const database = new DatabaseSync(':memory:')
  database.exec(sql)
  return database
}
const common = { table: 't', key: ['id'], values: ['v'] }
const failureOf = (options: object): Promise<unknown> =>
  sqliteSource({ ...common, ...options } as never)
    .page(undefined, 10, {})
    .then(
      () => undefined,
      (error: unknown) => error,
    )

describe('a source on SQLite', () => {
  it('walks a composite key and gives the context columns as text', async () => {
    const database = open(`CREATE TABLE t (tenant TEXT, id INTEGER, at REAL, raw BLOB, v BLOB,
      PRIMARY KEY (tenant, id)) WITHOUT ROWID;
      INSERT INTO t VALUES ('b', 1, 0.5, x'00ff', x'01'), ('a', 10, NULL, NULL, 'text'), ('a', 9, 2, x'', 7)`)
    const source = sqliteSource({
      ...common,
      database,
      key: ['tenant', 'id'],
      facts: ['tenant', 'id', 'at', 'raw'],
    })
    const first = await source.page(undefined, 2, {})
    expect(first.records).toEqual([
      {
        id: '["a","9"]',
        values: { v: '7' },
        facts: { tenant: 'a', id: '9', at: '2.0', raw: String.raw`\x` },
      },
      {
        id: '["a","10"]',
        values: { v: 'text' },
        facts: { tenant: 'a', id: '10', at: null, raw: null },
      },
    ])
    expect(first.cursor).toBe('["a","10"]')
    const second = await source.page(first.cursor, 2, {})
    expect(second.records.map(({ id }) => id)).toEqual(['["b","1"]'])
    expect(second.records[0]?.facts).toMatchObject({ raw: String.raw`\x00ff`, at: '0.5' })
    const change = {
      id: '["b","1"]',
      field: 'v',
      expected: new Uint8Array([1]),
      next: new Uint8Array([2]),
    }
    expect(await source.swap([change], {})).toEqual(['swapped'])
    await expect(source.page('b', 2, {})).rejects.toThrow(RangeError)
  })

  it('finds the rows of a swap by their key, not by a walk', async () => {
    const database = open('CREATE TABLE t (id TEXT PRIMARY KEY, v BLOB)')
    const plans: string[] = []
    const spying: SqliteDriver = {
      prepare: (sql) => {
        if (sql.startsWith('UPDATE')) {
          const rows = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all('[]')
          plans.push(JSON.stringify(rows))
        }
        return database.prepare(sql)
      },
    }
    const source = sqliteSource({ ...common, database: spying })
    await source.swap([{ id: 'a', field: 'v', expected: 'x', next: 'y' }], {})
    expect(plans).toHaveLength(1)
    expect(plans[0]).toMatch(/SEARCH t USING INDEX sqlite_autoindex_t_1/)
  })

  it('reads only the rows of its condition, and does not let a comment end the statement', async () => {
    const database = open(`CREATE TABLE t (id TEXT PRIMARY KEY, kek TEXT, v BLOB);
      INSERT INTO t VALUES ('a', 'old', x'01'), ('b', 'new', x'02'), ('c', 'old', x'03')`)
    const source = sqliteSource({
      ...common,
      database,
      where: "kek = 'old' OR false -- the second sweep",
    })
    const first = await source.page(undefined, 1, {})
    const second = await source.page(first.cursor, 1, {})
    const ids = [first, second].flatMap(({ records }) => records.map(({ id }) => id))
    expect(ids).toEqual(['a', 'c'])
  })

  it('says of a failure that no retry mends that the configuration is wrong', async () => {
    const database = open(
      "CREATE TABLE t (id TEXT PRIMARY KEY, v TEXT CHECK (length(v) < 4)); INSERT INTO t VALUES ('a', 'abc')",
    )
    const change = { id: 'a', field: 'v', expected: 'abc', next: 'a secret value' }
    const refusal = (options: object): Promise<unknown> =>
      sqliteSource({ ...common, database, ...options })
        .swap([change], {})
        .catch((error: unknown) => error)
    const config = { code: 'ERR_KMS_CONFIG' }
    const error = await refusal({})
    expect(error).toMatchObject(config)
    expect(String(error)).not.toContain('secret')
    expect(await failureOf({ database, where: 'no_such_column = 1' })).toMatchObject(config)
    database.exec('PRAGMA query_only = ON')
    expect(await refusal({})).toMatchObject(config)
    const busy = Object.assign(new Error('database is locked'), { code: 'SQLITE_BUSY', errcode: 5 })
    const locked: SqliteDriver = {
      prepare: () => {
        throw busy
      },
    }
    const outage = { code: 'ERR_STORE_UNAVAILABLE', retryable: true }
    expect(await failureOf({ database: locked })).toMatchObject(outage)
  })

  it('refuses calls inside a transaction of the caller', async () => {
    const database = open('CREATE TABLE t (id TEXT PRIMARY KEY, v BLOB); BEGIN')
    expect(await failureOf({ database })).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    database.exec('COMMIT')
    expect(await failureOf({ database })).toBeUndefined()
  })

  it.each([
    [
      'a table that is not there',
      'CREATE TABLE other (id TEXT PRIMARY KEY, v BLOB)',
      'was not found',
    ],
    ['a column that is not there', 'CREATE TABLE t (id TEXT PRIMARY KEY, w BLOB)', 'no column "v"'],
    ['a key that is not unique', 'CREATE TABLE t (id TEXT, v BLOB)', 'unique index'],
    [
      'a key that is unique in a part of the table',
      'CREATE TABLE t (id TEXT, v BLOB); CREATE UNIQUE INDEX i ON t (id) WHERE v IS NULL',
      'unique index',
    ],
    ['a key without a type', 'CREATE TABLE t (id PRIMARY KEY, v BLOB)', 'TEXT or INTEGER'],
    [
      'a row without a key',
      "CREATE TABLE t (id TEXT PRIMARY KEY, v BLOB); INSERT INTO t VALUES (NULL, 'x')",
      'is NULL',
    ],
  ])('refuses %s', async (_, sql, about) => {
    const error = await failureOf({ database: open(sql) })
    expect(error).toMatchObject({ code: 'ERR_KMS_CONFIG' })
    expect(String(error)).toContain(about)
  })

  it('refuses options that are none', () => {
    const database = open('CREATE TABLE t (id TEXT PRIMARY KEY, v BLOB)')
    const bad = [
      { database: undefined },
      { table: '' },
      { table: 'a\0b' },
      { key: [] },
      { key: ['id', 'id'] },
      { key: 'id' },
      { values: [] },
      { values: ['id'] },
      { values: ['v'], facts: ['v'] },
      { where: ' ' },
      { where: 7 },
      { name: 'a/b' },
      { schema: 's' },
      { timeoutMs: 60_001 },
    ]
    for (const options of bad) {
      expect(() => sqliteSource({ ...common, database, ...options } as never)).toThrow(
        expect.objectContaining({ code: 'ERR_KMS_CONFIG' }),
      )
    }
    expect(sqliteSource({ ...common, database, table: 'a b/c' }).name).toBe('a_b_c')
  })
})
