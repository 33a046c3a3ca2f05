import { r2Bucket, type R2BucketBinding } from '../../adapters/objects/index.ts'
import { type D1DatabaseBinding, d1Source } from '../../adapters/workers/index.ts'
import {
  type ContractCase,
  objectSourceContract,
  recordSourceContract,
  type RecordSourceWorld,
} from '../../src/testing/index.ts'
import { listedCases } from '../support/rotation/objects-cases.ts'
import { type ListedBucket, objectsWorld } from '../support/rotation/objects-world.ts'
import { d1Cases } from '../support/rotation/d1-cases.ts'

interface Env {
  readonly DB: D1DatabaseBinding
  readonly FILES: R2BucketBinding
}

const broken = new Proxy({} as Env['DB'] & R2BucketBinding, {
  get: () => () => {
    throw new Error('internal error')
  },
})

/** An empty table by text, whose names have to be quoted. */
async function d1World(DB: D1DatabaseBinding): Promise<RecordSourceWorld> {
  const table = '"the ""table"""'
  await DB.prepare(`DROP TABLE IF EXISTS ${table}`).all()
  await DB.prepare(
    `CREATE TABLE ${table} ("the key" TEXT PRIMARY KEY, "Bytes" BLOB, "select" TEXT)`,
  ).all()
  const options = { table: 'the "table"', key: ['the key'], values: ['Bytes', 'select'] }
  return {
    source: d1Source({ database: DB, ...options }),
    put: async (id, { Bytes: bytes = null, select = null }) => {
      const insert = DB.prepare(`INSERT OR REPLACE INTO ${table} VALUES (?, ?, ?)`)
      await insert.bind(id, bytes, select).all()
    },
    delete: async (id) => {
      await DB.prepare(`DELETE FROM ${table} WHERE "the key" = ?`).bind(id).all()
    },
    failing: () => d1Source({ database: broken, ...options }),
  }
}

/** An empty bucket. */
async function r2World(FILES: R2BucketBinding): Promise<ListedBucket> {
  for (;;) {
    const found = await FILES.list?.({ limit: 1_000 })
    for (const { key } of found?.objects ?? []) await FILES.delete(key)
    if (found?.truncated !== true) break
  }
  return {
    store: r2Bucket(FILES),
    broken: r2Bucket(broken),
    writeRaw: async (key, { bytes, metadata }) => {
      await FILES.put(key, bytes, { customMetadata: { ...metadata } })
    },
    remove: (key) => FILES.delete(key),
  }
}

function suites({ DB, FILES }: Env): Readonly<Record<string, readonly ContractCase[]>> {
  return {
    'source on D1': recordSourceContract({
      fields: { Bytes: 'bytes', select: 'text' },
      create: () => d1World(DB),
    }),
    'D1 beside the contract': d1Cases(DB),
    'source of objects on R2': objectSourceContract({
      create: async () => objectsWorld(await r2World(FILES)),
    }),
    'R2 beside the contract': listedCases.map(({ name, run }) => ({
      name,
      run: async () => run(await r2World(FILES)),
    })),
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { searchParams } = new URL(request.url)
    const all = suites(env)
    const cases = all[searchParams.get('suite') ?? '']
    if (cases === undefined) {
      const names = Object.entries(all).map(([suite, list]) => [
        suite,
        list.map(({ name, skip }) => ({ name, skip })),
      ])
      return Response.json(names)
    }
    try {
      await cases.find(({ name }) => name === searchParams.get('name'))?.run()
      return new Response('held')
    } catch (error) {
      return new Response((error as Error).stack ?? String(error), { status: 500 })
    }
  },
}
