import { readFile } from 'node:fs/promises'
import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import {
  type PostgresClient,
  PostgresDataKeyStore,
  PostgresKeyValueStore,
  postgresSchema,
} from '../../../src/stores/index.ts'
import { dataKeyStoreContract, keyValueStoreContract } from '../../../src/testing/index.ts'
import { runContract } from '../../support/contract.ts'
import { repairLogContract, sharedCircuitContract } from '../../support/shared-state.ts'

// PGlite is PostgreSQL itself, in one process and one session; the servers lane has the real server.

const database = await PGlite.create()
afterAll(() => database.close())
await database.exec(postgresSchema())

let tables = 0
const wait = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))
const values = (): PostgresKeyValueStore => new PostgresKeyValueStore({ client: database })
/** On a table of its own. PGlite keeps nothing, and says so. */
async function records(): Promise<PostgresDataKeyStore> {
  const table = `records_${String(++tables)}`
  await database.exec(postgresSchema({ dataKeys: table }))
  return new PostgresDataKeyStore({ client: database, table, durability: 'declared' })
}

const hour = { ttlMs: 3_600_000 }
const bytes = (...all: number[]): Uint8Array<ArrayBuffer> => new Uint8Array(all)
const name = `ek1/${'a'.repeat(43)}`
const rejection = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )

/** Times to live last a hundred times as long, so that a busy machine is not too late to read. */
const slowly: PostgresClient = {
  query: (text, all) =>
    database.query(
      text,
      all.map((one) => (typeof one === 'number' ? one * 100 : one)),
    ),
}
/** The database's clock cannot be moved: what it is compared with can. */
async function elapse(ms: number): Promise<void> {
  const passed = `${String(ms * 100)} milliseconds`
  await database.query('UPDATE edge_kms_values SET ends_at = ends_at - $1::interval', [passed])
}

describe('contract: key-value store on PostgreSQL', () => {
  const create = (): PostgresKeyValueStore => new PostgresKeyValueStore({ client: slowly })
  runContract(keyValueStoreContract(values().capabilities, { create, elapse }))
  runContract(sharedCircuitContract(values))
})
describe('contract: data-key store on PostgreSQL', () => {
  runContract(dataKeyStoreContract(records))
  runContract(repairLogContract(records))
})

describe('a table of PostgreSQL', () => {
  it('ends a value by its own clock, in milliseconds', async () => {
    await values().put('soon', bytes(1), { ttlMs: 20 })
    await wait(40)
    expect(await values().get('soon')).toBeUndefined()
  })

  it('may have a schema, and any name that has one spelling', async () => {
    await database.exec('CREATE SCHEMA app')
    const names = { values: 'app.select', dataKeys: 'app.table' } // words of SQL
    await database.exec(postgresSchema(names))
    await database.exec(postgresSchema(names)) // twice is once
    const store = new PostgresKeyValueStore({ client: database, table: names.values })
    await store.put('a', bytes(1), hour)
    expect(await store.get('a')).toEqual(bytes(1))
    const client = { client: database, table: names.dataKeys }
    const kept = new PostgresDataKeyStore({ ...client, durability: 'declared' })
    expect(await kept.putIfAbsent(name, bytes(1))).toBe(true)
  })

  it('is read as bytes, in the order of bytes', async () => {
    const store = await records()
    const names = ['B', 'a', 'Z', '_', '-'].map((letter) => `ek1/${letter.repeat(43)}`)
    for (const one of names) await store.putIfAbsent(one, bytes(1))
    expect((await store.list(undefined, 10)).keys).toEqual(names.toSorted())
  })

  it.each([
    'a"b',
    'a; DROP TABLE b',
    'a.b.c',
    'A',
    'ä',
    '1a',
    '',
    'a'.repeat(56),
    '.a',
    'a.',
    7 as never,
  ])('cannot be named %j', (table) => {
    const refused = expect.objectContaining({ code: 'ERR_KMS_CONFIG' }) as Error
    expect(() => new PostgresKeyValueStore({ client: database, table })).toThrow(refused)
    expect(() => new PostgresDataKeyStore({ client: database, table })).toThrow(refused)
    expect(() => postgresSchema({ values: table })).toThrow(refused)
    expect(() => postgresSchema({ dataKeys: table })).toThrow(refused)
  })

  it('is refused for records where the database does not wait for the disk', async () => {
    await records()
    const store = new PostgresDataKeyStore({ client: database, table: `records_${String(tables)}` })
    for (const work of [
      () => store.putIfAbsent(name, bytes(1)),
      () => store.compareAndSwap(name, bytes(1), bytes(1)),
    ]) {
      const error = await rejection(work())
      expect(error).toMatchObject({ code: 'ERR_KMS_CONFIG' })
      expect((error as Error).message).toContain('fsync')
    }
    expect(await store.get(name)).toBeUndefined()
  })
})

/** A client that answers with one thing after the other. */
class Answers implements PostgresClient {
  readonly asked: string[] = []
  left: (() => unknown)[] = []

  query(text: string): Promise<{ rows: readonly unknown[] }> {
    this.asked.push(text)
    return Promise.resolve().then(() => ({ rows: this.left.shift()?.() as readonly unknown[] }))
  }
}

let client: Answers
let store: PostgresKeyValueStore
beforeEach(() => {
  client = new Answers()
  store = new PostgresKeyValueStore({ client })
})

const fail = (code: string) => (): never => {
  throw Object.assign(new Error('words with a secret-value in them'), { code })
}

describe('what PostgreSQL refuses', () => {
  it.each([
    ['53300', 'ERR_STORE_UNAVAILABLE', true],
    ['57P03', 'ERR_STORE_UNAVAILABLE', true],
    ['08006', 'ERR_STORE_UNAVAILABLE', true],
    ['ECONNREFUSED', 'ERR_STORE_UNAVAILABLE', true],
    ['28P01', 'ERR_STORE_UNAVAILABLE', false],
    ['42501', 'ERR_STORE_UNAVAILABLE', false],
    ['3D000', 'ERR_STORE_UNAVAILABLE', false],
    ['25006', 'ERR_STORE_UNAVAILABLE', false],
    ['42P01', 'ERR_KMS_CONFIG', false],
    ['42703', 'ERR_KMS_CONFIG', false],
  ])('with %s is %s', async (state, code, retryable) => {
    client.left = [fail(state)]
    const error = await rejection(store.get('a'))
    expect(error).toMatchObject({ code, retryable })
    expect(JSON.stringify([error, (error as Error).stack])).not.toContain('secret')
    expect(client.asked.length).toBe(1)
  })

  it.each(['40001', '40P01'])('because of another writer, %s, is tried again', async (state) => {
    client.left = [fail(state), fail(state), () => [{ key: 'a' }]]
    expect(await store.compareAndSwap('a', undefined, bytes(1), hour)).toBe(true)
    expect(client.asked.length).toBe(3)
  })

  it('every time is not an endless loop', async () => {
    client.left = Array.from({ length: 100 }, () => fail('40001'))
    expect(await rejection(store.put('a', bytes(1), hour))).toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
      retryable: true,
    })
    expect(client.asked.length).toBe(16)
  })

  it('is not tried again for nobody', async () => {
    const control = new AbortController()
    const reason = new Error('enough')
    client.left = [
      () => {
        control.abort(reason)
        return fail('40001')()
      },
    ]
    expect(await rejection(store.get('a', { signal: control.signal }))).toBe(reason)
    await wait(5)
    expect(client.asked.length).toBe(1)
  })
})

describe('a row that is not trusted', () => {
  it.each([{}, { value: 7 }, { value: 'no base64!' }, { value: null }, 7, null])(
    'is refused: %j',
    async (row) => {
      client.left = [() => [row]]
      expect(await rejection(store.get('a'))).toMatchObject({
        code: 'ERR_STORE_UNAVAILABLE',
        retryable: false,
      })
    },
  )

  it('is not a list of rows', async () => {
    client.left = [() => undefined]
    expect(await rejection(store.put('a', bytes(1), hour))).toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
    })
  })

  it('is not a fact of a durable database', async () => {
    const kept = new PostgresDataKeyStore({ client })
    const good = { kind: 'p', type: 'bytea', fsync: 'on', commit: 'on' }
    const table = 'table "edge_kms_data_keys"'
    const wrongs: readonly [object, string][] = [
      [{ kind: null }, `${table} was not found: create it`],
      [{ kind: 'u' }, 'relpersistence must be p, or a crash empties the table, got u'],
      [{ type: 'text' }, `${table}: the column record must be of type bytea, got text`],
      [{ fsync: 'off' }, 'fsync of the server must be on, got off'],
      [{ commit: 'off' }, 'synchronous_commit must not be off'],
      [{ commit: undefined }, 'got undefined'],
    ]
    for (const [wrong, text] of wrongs) {
      client.left = [() => [{ ...good, ...wrong }]]
      const error = await rejection(kept.putIfAbsent(name, bytes(1)))
      expect(error).toMatchObject({ code: 'ERR_KMS_CONFIG' })
      expect((error as Error).message).toContain(text)
    }
    client.left = [() => []]
    expect(await rejection(kept.putIfAbsent(name, bytes(1)))).toMatchObject({
      code: 'ERR_KMS_CONFIG',
    })
    client.left = [() => [good], () => [{ key: name }], () => [{ key: name }]]
    expect(await kept.putIfAbsent(name, bytes(1))).toBe(true)
    expect(await kept.compareAndSwap(name, bytes(1), bytes(1))).toBe(true) // and was not asked again
  })
})

it('the guide shows the schema as it is', async () => {
  const guide = await readFile(new URL('../../../docs/guides/stores.md', import.meta.url), 'utf8')
  expect(/<!-- schema -->\n```sql\n([^`]+)```/.exec(guide)?.[1]).toBe(postgresSchema())
})
