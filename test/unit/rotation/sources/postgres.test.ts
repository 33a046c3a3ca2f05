import { PGlite } from '@electric-sql/pglite'
import { afterAll, describe, expect, it } from 'vitest'
import {
  postgresSource,
  type PostgresSourceOptions,
} from '../../../../src/rotation/sources/index.ts'
import { recordSourceContract } from '../../../../src/testing/index.ts'
import { runContract } from '../../../support/contract.ts'
import { postgresWorld } from '../../../support/rotation/postgres-world.ts'

// PGlite is PostgreSQL itself, in one process and one session; the servers lane has the real server.

const database = await PGlite.create()
afterAll(() => database.close())

for (const kind of ['text', 'bigint', 'uuid', 'composite'] as const) {
  describe(`contract: source on PostgreSQL, key ${kind}`, () => {
    const { subject } = postgresWorld(database, kind, { durability: 'declared' })
    runContract(recordSourceContract(subject))
  })
}

let tables = 0
/** Runs `CREATE TABLE` of this body and returns the options of its source. */
async function tableOf(body: string, rows = ''): Promise<PostgresSourceOptions> {
  const table = `plain_${String(++tables)}`
  await database.exec(`CREATE TABLE ${table} (${body}); ${rows.replaceAll('$table', table)}`)
  return { client: database, table, key: ['id'], values: ['v'], durability: 'declared' }
}
const failureOf = (options: PostgresSourceOptions): Promise<unknown> =>
  postgresSource(options)
    .page(undefined, 10, {})
    .then(
      () => undefined,
      (error: unknown) => error,
    )

describe('a source on PostgreSQL', () => {
  it('walks keys of dates, whatever the DateStyle of the session', async () => {
    const options = await tableOf(
      'at timestamptz NOT NULL, day date NOT NULL, v bytea, PRIMARY KEY (day, at)',
      `INSERT INTO $table SELECT '2026-03-01 10:00:00.123456+02'::timestamptz + at * interval '1 microsecond',
        '2026-04-05', '\\x01' FROM generate_series(0, 6) at`,
    )
    const source = postgresSource({ ...options, key: ['day', 'at'] })
    const ids = new Set<string>()
    let cursor: string | undefined
    for (const style of ['ISO, MDY', 'SQL, DMY', 'German', 'Postgres, MDY', 'ISO']) {
      await database.exec(`SET DateStyle TO '${style}'`)
      const page = await source.page(cursor, 2, {})
      for (const { id } of page.records) {
        ids.add(id)
        const [from, to] = [new Uint8Array([1]), new Uint8Array([2])]
        const change = { id, field: 'v', expected: from, next: to }
        expect(await source.swap([change], {})).toEqual(['swapped'])
      }
      ;({ cursor } = page)
      if (cursor === undefined) break
    }
    await database.exec(`SET DateStyle TO 'ISO, MDY'`)
    expect(ids.size).toBe(7)
  })

  it('gives the context columns as text, whatever the client makes of them', async () => {
    const options = await tableOf(
      'id bigint PRIMARY KEY, tenant uuid, big bigint, ok boolean, doc jsonb, none int, v text',
      `INSERT INTO $table VALUES (9007199254740993, '00000000-0000-4000-8000-000000000001',
        9007199254740993, true, '{"a": 1}', NULL, 'x')`,
    )
    const facts = ['id', 'tenant', 'big', 'ok', 'doc', 'none']
    const { records } = await postgresSource({ ...options, facts }).page(undefined, 5, {})
    expect(records).toEqual([
      {
        id: '9007199254740993',
        values: { v: 'x' },
        facts: {
          id: '9007199254740993',
          tenant: '00000000-0000-4000-8000-000000000001',
          big: '9007199254740993',
          ok: 'true',
          doc: '{"a": 1}',
          none: null,
        },
      },
    ])
  })

  it('walks keys in the order of their own collation', async () => {
    const options = await tableOf(
      'id varchar(9) COLLATE "C" PRIMARY KEY, v text COLLATE "C"',
      `INSERT INTO $table VALUES ('b', 'x'), ('B', 'x'), ('a', 'x'), ('Z', 'x')`,
    )
    const source = postgresSource(options)
    const first = await source.page(undefined, 2, {})
    const second = await source.page(first.cursor, 2, {})
    const ids = [first, second].flatMap(({ records }) => records.map(({ id }) => id))
    expect(ids).toEqual(['B', 'Z', 'a', 'b'])
    const changes = ids.map((id) => ({ id, field: 'v', expected: 'x', next: 'y' }))
    expect(await source.swap(changes, {})).toEqual(ids.map(() => 'swapped'))
  })

  it('reads only the rows of its condition, e.g. those of an old key', async () => {
    const options = await tableOf(
      'id int PRIMARY KEY, kek text, v text',
      `INSERT INTO $table SELECT at, CASE WHEN at % 3 = 0 THEN 'old' ELSE 'new' END, 'x'
        FROM generate_series(1, 10) at`,
    )
    const source = postgresSource({ ...options, where: "kek = 'old' OR false -- the second sweep" })
    const first = await source.page(undefined, 2, {})
    const second = await source.page(first.cursor, 2, {})
    const ids = [first, second].flatMap(({ records }) => records.map(({ id }) => id))
    expect(ids).toEqual(['3', '6', '9'])
    expect(await failureOf({ ...options, where: 'no_such_column = 1' })).toMatchObject({
      code: 'ERR_KMS_CONFIG',
    })
    expect(await failureOf({ ...options, where: '1' })).toMatchObject({ code: 'ERR_KMS_CONFIG' })
  })

  it('walks a partitioned table, and one of another schema', async () => {
    await database.exec(`CREATE SCHEMA "My ""schema"""; CREATE TABLE "My ""schema"""."T" (
      id int, part int, v bytea, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
      CREATE TABLE p1 PARTITION OF "My ""schema"""."T" FOR VALUES IN (1);
      CREATE TABLE p2 PARTITION OF "My ""schema"""."T" FOR VALUES IN (2);
      INSERT INTO "My ""schema"""."T" VALUES (1, 2, '\\x01'), (1, 1, '\\x01'), (2, 1, NULL)`)
    const source = postgresSource({
      client: database,
      schema: 'My "schema"',
      table: 'T',
      key: ['id', 'part'],
      values: ['v'],
      durability: 'declared',
    })
    const { records } = await source.page(undefined, 10, {})
    expect(records.map(({ id }) => id)).toEqual(['["1","1"]', '["1","2"]', '["2","1"]'])
    const changes = records.map(({ id }) => {
      return { id, field: 'v', expected: new Uint8Array([1]), next: new Uint8Array([2]) }
    })
    expect(await source.swap(changes, {})).toEqual(['swapped', 'swapped', 'lost'])
  })

  it.each([
    ['a table that is not there', 'other int', { table: 'not_there' }, 'was not found'],
    ['a column that is not there', 'id int PRIMARY KEY', {}, 'no column "v"'],
    ['a context column that is not there', 'id int PRIMARY KEY, v text', { facts: ['w'] }, '"w"'],
    ['a key that is not unique', 'id int NOT NULL, v text', {}, 'unique index'],
    ['a key that may be null', 'id int UNIQUE, v text', {}, 'NOT NULL'],
    ['a part of a unique key', 'id int, b int, v text, PRIMARY KEY (id, b)', {}, 'unique index'],
    ['a key of another type', 'id float8 PRIMARY KEY, v text', {}, 'got double precision'],
    ['a column that holds no message', 'id int PRIMARY KEY, v jsonb', {}, 'got jsonb'],
  ])('refuses %s', async (_, body, more, about) => {
    const error = await failureOf({ ...(await tableOf(body)), ...more })
    expect(error).toMatchObject({ code: 'ERR_KMS_CONFIG' })
    expect(String(error)).toContain(about)
  })

  it('refuses a column that is too short for the next value, and a cursor of another table', async () => {
    const options = await tableOf(
      `id int PRIMARY KEY, v varchar(3), w text CHECK (length(w) < 4)`,
      `INSERT INTO $table VALUES (1, 'abc', 'abc')`,
    )
    const source = postgresSource({ ...options, values: ['v', 'w'] })
    for (const field of ['v', 'w']) {
      const change = { id: '1', field, expected: 'abc', next: 'abcd' }
      await expect(source.swap([change], {})).rejects.toMatchObject({ code: 'ERR_KMS_CONFIG' })
    }
    await expect(source.page('abc', 1, {})).rejects.toMatchObject({ code: 'ERR_KMS_CONFIG' })
    expect((await source.read(['1'], {}))[0]?.values).toEqual({ v: 'abc', w: 'abc' })
  })

  it('refuses a view, and a key that is unique in a part of the table only', async () => {
    const options = await tableOf(
      'id int NOT NULL, v text',
      'CREATE UNIQUE INDEX ON $table (id) WHERE v IS NULL; CREATE VIEW view_1 AS SELECT * FROM $table',
    )
    expect(String(await failureOf(options))).toContain('unique index')
    expect(String(await failureOf({ ...options, table: 'view_1' }))).toContain('not a view')
  })

  it('refuses to write where a crash would bring old values back', async () => {
    const options = await tableOf(
      'id int PRIMARY KEY, v text',
      `INSERT INTO $table VALUES (1, 'x')`,
    )
    const source = postgresSource({ ...options, durability: 'checked' })
    const { records } = await source.page(undefined, 1, {})
    expect(records).toHaveLength(1)
    const change = { id: '1', field: 'v', expected: 'x', next: 'y' }
    await expect(source.swap([change], {})).rejects.toMatchObject({ code: 'ERR_KMS_CONFIG' })
    expect((await source.read(['1'], {}))[0]?.values).toEqual({ v: 'x' })
  })

  it('refuses options that are none', async () => {
    const options = await tableOf('id int PRIMARY KEY, v text')
    const bad = [
      { client: {} },
      { schema: '' },
      { table: 'é'.repeat(32) },
      { key: [] },
      { values: ['v', 'v'] },
      { facts: 'v' },
      { where: '' },
      { durability: 'none' },
      { keys: ['id'] },
    ]
    for (const more of bad) {
      expect(() => postgresSource({ ...options, ...more } as never)).toThrow(
        expect.objectContaining({ code: 'ERR_KMS_CONFIG' }),
      )
    }
  })
})
