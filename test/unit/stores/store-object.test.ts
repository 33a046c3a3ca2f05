import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { EdgeKmsStoreObject } from '../../../adapters/workers/index.ts'

/** Storage that counts what reaches it. */
function objectOf(): { object: EdgeKmsStoreObject; asked: string[] } {
  const asked: string[] = []
  const sql = {
    exec(text: string) {
      asked.push(text)
      return { toArray: () => [] }
    },
  }
  const object = new EdgeKmsStoreObject({ storage: { sql } })
  asked.length = 0
  return { object, asked }
}

const key = `ek1/${'a'.repeat(43)}`
const wrong: Readonly<Record<string, unknown>> = {
  'no JSON': '{',
  'no object': '7',
  'no operation': {},
  'an unknown operation': { op: 'drop' },
  'no key': { op: 'get' },
  'a key with NUL': { op: 'get', key: 'a\u0000' },
  'a long key': { op: 'get', key: 'a'.repeat(513) },
  'no value': { op: 'put', key: 'a', ttlMs: 5 },
  'no base64': { op: 'put', key: 'a', value: '!!!!', ttlMs: 5 },
  'a large value': { op: 'put', key: 'a', value: 'A'.repeat(174_768), ttlMs: 5 },
  'no time to live': { op: 'put', key: 'a', value: '' },
  'an expected value of another type': { op: 'swap', key: 'a', value: '', ttlMs: 5, expected: 7 },
  'a record under another name': { op: 'record-put', key: 'a', value: '' },
  'a record to delete under another name': { op: 'record-delete', key: 'a' },
  'a record that is swapped for nothing': { op: 'record-swap', key, value: '' },
  'a list without an end': { op: 'record-list', cursor: '', limit: 1e9 },
  'a list from nowhere': { op: 'record-list', limit: 5 },
}

describe('the object behind a Durable Object store', () => {
  it.each(Object.keys(wrong))('refuses %s before it writes', async (name) => {
    const { object, asked } = objectOf()
    const given = wrong[name]
    const body = typeof given === 'string' ? given : JSON.stringify(given)
    const answer = await object.fetch(new Request('https://store.test', { method: 'POST', body }))
    expect(answer.status).toBe(400)
    expect(asked.filter((sql) => /^(?:INSERT|UPDATE)|edge_kms_data_keys/.test(sql))).toEqual([])
  })
})

/** Words that only one store's file contains, by the folder of the store. */
const marks = {
  'adapters/workers': {
    WorkersKvStore: 'expirationTtl',
    CacheApiStore: 'max-age=',
    DurableObjectKeyValueStore: 'idFromName',
    EdgeKmsStoreObject: 'record-list',
    D1KeyValueStore: 'batch',
  },
  'adapters/deno': { DenoKvKeyValueStore: 'versionstamp' },
  'src/stores': {
    RedisKeyValueStore: 'EVAL',
    redisOverHttp: 'Bearer ',
    MemoryKeyValueStore: 'maxEntries',
    DynamoDbKeyValueStore: 'DynamoDB_20120810',
    PostgresKeyValueStore: 'SQLSTATE',
    UnstorageKeyValueStore: 'setItemRaw',
  },
} as const
const allMarks = Object.values(marks).flatMap((of) => Object.entries(of))
const stores = Object.entries(marks).flatMap(([folder, of]) =>
  Object.keys(of).map((name) => ({ folder, name })),
)

describe('tree shaking', () => {
  it.each(stores)('$name brings no other store', async ({ folder, name }) => {
    const resolveDir = new URL(`../../../${folder}`, import.meta.url).pathname
    const { outputFiles } = await build({
      stdin: { contents: `export { ${name} } from './index.ts'`, resolveDir, loader: 'ts' },
      bundle: true,
      format: 'esm',
      write: false,
      minify: true,
      logLevel: 'error',
    })
    const text = outputFiles[0]?.text ?? ''
    const found = allMarks.filter(([, mark]) => text.includes(mark))
    expect(found.map(([store]) => store)).toEqual([name])
  })
})
