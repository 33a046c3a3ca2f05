import { describe, expect, it } from 'vitest'
import { type KmsErrorCode, isKmsError } from '../../../src/errors.ts'
import { CachedKms } from '../../../src/data-keys/index.ts'
import type { Network } from '../../../src/ports/index.ts'
import { webNetwork } from '../../../src/runtime/index.ts'
import {
  DynamoDbDataKeyStore,
  DynamoDbKeyValueStore,
  type DynamoDbOptions,
  MemoryDataKeyStore,
  MemoryKeyValueStore,
  PostgresDataKeyStore,
  PostgresKeyValueStore,
  RedisDataKeyStore,
  RedisKeyValueStore,
  redisOverHttp,
  UnstorageKeyValueStore,
} from '../../../src/stores/index.ts'
import {
  CacheApiStore,
  D1DataKeyStore,
  D1KeyValueStore,
  DurableObjectDataKeyStore,
  DurableObjectKeyValueStore,
  WorkersKvStore,
} from '../../../adapters/workers/index.ts'
import { DenoKvDataKeyStore, DenoKvKeyValueStore } from '../../../adapters/deno/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'

const nothing = undefined as never
const command = (): Promise<unknown> => Promise.resolve(null)
const http = { url: 'https://redis.test', token: 'secret-token' }
const table: DynamoDbOptions = {
  table: 'keys',
  region: 'eu-central-1',
  credentials: { accessKeyId: 'AKIA', secretAccessKey: 'secret' },
}
const thrownBy = (work: () => unknown): KmsErrorCode | undefined => {
  try {
    work()
  } catch (error) {
    return isKmsError(error) ? error.code : undefined
  }
  return undefined
}

const wrong: Readonly<Record<string, () => unknown>> = {
  'Workers KV that is not bound': () => new WorkersKvStore({ namespace: nothing }),
  'a cache that is none': () => new CacheApiStore({ cache: {} as never }),
  'D1 that is not bound': () => new D1KeyValueStore({ database: nothing }),
  'D1 for records that is not bound': () => new D1DataKeyStore({ database: nothing }),
  'an object that is not bound': () => new DurableObjectKeyValueStore({ namespace: nothing }),
  'an object for records that is not bound': () =>
    new DurableObjectDataKeyStore({ namespace: nothing }),
  'an object without a name': () =>
    new DurableObjectKeyValueStore({ namespace: { idFromName: command } as never, name: '' }),
  'Deno KV that is not open': () => new DenoKvKeyValueStore({ kv: nothing }),
  'Deno KV for records that is not open': () => new DenoKvDataKeyStore({ kv: nothing }),
  'a client of Redis in the place of a command': () =>
    new RedisKeyValueStore({ command: { sendCommand: command } as never }),
  'a consistency that does not exist': () =>
    new RedisKeyValueStore({ command, consistency: 'causal' as never }),
  'a durability that does not exist': () =>
    new RedisDataKeyStore({ command, durability: 'hoped' as never }),
  'a prefix with a line break': () => new RedisKeyValueStore({ command, prefix: 'a\n' }),
  'a prefix that is too long': () => new RedisKeyValueStore({ command, prefix: 'a'.repeat(129) }),
  'an option that nobody knows': () => new RedisKeyValueStore({ command, ttl: 5 } as never),
  'a deadline of none': () => new RedisKeyValueStore({ command, timeoutMs: 0 }),
  'a deadline of an hour': () => new RedisKeyValueStore({ command, timeoutMs: 3_600_000 }),
  'a table that splits a request': () => new DynamoDbKeyValueStore({ ...table, table: 'a"b' }),
  'a table with a short name': () => new DynamoDbDataKeyStore({ ...table, table: 'ab' }),
  'a region of another host': () =>
    new DynamoDbKeyValueStore({ ...table, region: 'a.example.com/x' }),
  'credentials that are none': () =>
    new DynamoDbKeyValueStore({
      ...table,
      credentials: { ...table.credentials, accessKeyId: '' } as never,
    }),
  'DynamoDB over plain http': () =>
    new DynamoDbKeyValueStore({ ...table, endpoint: 'http://dynamodb.test' }),
  'DynamoDB over plain http to this machine': () =>
    new DynamoDbKeyValueStore({ ...table, endpoint: 'http://127.0.0.1:8000' }),
  'DynamoDB of a consistency that does not exist': () =>
    new DynamoDbKeyValueStore({ ...table, consistency: 'causal' as never }),
  'DynamoDB of a durability that does not exist': () =>
    new DynamoDbDataKeyStore({ ...table, durability: 'hoped' as never }),
  'DynamoDB with an option that nobody knows': () =>
    new DynamoDbDataKeyStore({ ...table, profile: 'default' } as never),
  'a client of PostgreSQL that is none': () => new PostgresKeyValueStore({ client: nothing }),
  'a client of PostgreSQL without queries': () =>
    new PostgresDataKeyStore({ client: { execute: command } as never }),
  'PostgreSQL of a durability that does not exist': () =>
    new PostgresDataKeyStore({ client: { query: command } as never, durability: 'hoped' as never }),
  'PostgreSQL with an option that nobody knows': () =>
    new PostgresKeyValueStore({ client: { query: command }, schema: 'app' } as never),
  'unstorage without a storage': () => new UnstorageKeyValueStore({ storage: nothing }),
  'a driver of unstorage in the place of a storage': () =>
    new UnstorageKeyValueStore({ storage: { getItem: command, setItem: command } as never }),
  'a prefix that unstorage would change': () =>
    new UnstorageKeyValueStore({ storage: { setItemRaw: command } as never, prefix: 'a/b?' }),
  'Redis over plain http': () => redisOverHttp({ ...http, url: 'http://redis.test' }),
  'Redis with a secret in its URL': () => redisOverHttp({ ...http, url: 'https://a:b@redis.test' }),
  'Redis without a token': () => redisOverHttp({ ...http, token: '' }),
  'a token that splits a header': () => redisOverHttp({ ...http, token: 'a\r\nb: c' }),
  'a memory of no entries': () => new MemoryKeyValueStore({ maxEntries: 0 }),
  'a memory of a text of entries': () => new MemoryKeyValueStore({ maxEntries: '5' as never }),
  'a memory of a bigint of bytes': () => new MemoryKeyValueStore({ maxBytes: 5n as never }),
  'a deadline in text': () => new RedisKeyValueStore({ command, timeoutMs: '5' as never }),
  'a memory of no bytes': () => new MemoryKeyValueStore({ maxBytes: NaN }),
}

describe('at construction a store refuses', () => {
  it.each(Object.keys(wrong))('%s', (name) => {
    expect(thrownBy(wrong[name] as () => unknown)).toBe('ERR_KMS_CONFIG')
  })

  it('and says which option, what it must be and what it got, but never a text', () => {
    const said = (work: () => unknown): string => {
      try {
        work()
        return 'nothing'
      } catch (error) {
        return (error as Error).message
      }
    }
    const redis = (more: object) => said(() => new RedisDataKeyStore({ command, ...more }))
    expect([
      redis({ timeoutMs: 0 }),
      redis({ prefix: 'secret\n' }),
      redis({ durability: 'hoped' }),
      redis({ command: { sendCommand: command } }),
      redis({ ttl: 5 }),
      said(() => new RedisKeyValueStore({ command, consistency: 'causal' as never })),
      said(() => redisOverHttp({ ...http, token: '' })),
      said(() => new D1KeyValueStore({ database: nothing })),
      said(() => new DynamoDbDataKeyStore({ ...table, table: 'a"b' })),
      said(() => new PostgresDataKeyStore({ client: { query: command } as never, table: 'a;b' })),
      said(() => new MemoryKeyValueStore({ maxEntries: 0 })),
      said(() => new UnstorageKeyValueStore({ storage: { setItemRaw: 5 } as never })),
      said(
        () =>
          new DurableObjectDataKeyStore({ namespace: { idFromName: command }, name: '' } as never),
      ),
    ]).toEqual([
      'timeoutMs must be above 0 and at most 60000, got 0',
      'prefix must be at most 128 visible ASCII characters, got a string',
      'durability must be checked or declared, got a string',
      'command must be a function that sends one command, e.g. (args) => client.sendCommand([...args]), got an object',
      'unknown option: ttl',
      'consistency must be strong or eventual, got a string',
      'token must be 1 to 4096 visible ASCII characters, got an empty string',
      'database must be a binding or client with the method `batch`, got undefined',
      'table must be 3 to 255 letters, digits and `_.-`, got a string',
      'table must be a name of up to 55 lower-case letters, digits and `_`, or schema.name, got a string',
      'maxEntries must be at least 1, got 0',
      'storage must be a binding or client with the method `setItemRaw`, got an object',
      'name must be a text that is not empty, got an empty string',
    ])
  })

  it('nothing of what is right', () => {
    expect(new RedisKeyValueStore({ command, consistency: 'eventual' }).capabilities).toMatchObject(
      {
        consistency: 'eventual',
        compareAndSwap: true,
        maxKeyBytes: 512 - 'edge-kms:'.length,
      },
    )
    expect(thrownBy(() => redisOverHttp(http))).toBeUndefined()
    const local = { endpoint: 'http://127.0.0.1:8000', allowHttpLoopback: true }
    expect(thrownBy(() => new DynamoDbDataKeyStore({ ...table, ...local }))).toBeUndefined()
  })

  it('W4.26 a data-key store that is eventual is refused by who needs a strong one', () => {
    const kms = createLocalKms({
      versions: [{ version: 1, key: crypto.getRandomValues(new Uint8Array(32)) }],
    })
    const eventual = Object.assign(new MemoryDataKeyStore(), { consistency: 'eventual' as const })
    expect(thrownBy(() => new CachedKms({ maxEntries: 0, kms, dataKeyStore: eventual }))).toBe(
      'ERR_KMS_CONFIG',
    )
  })
})

/** A store over Redis that answers so. */
const answering = (answer: (args: readonly string[]) => unknown): RedisKeyValueStore =>
  new RedisKeyValueStore({ command: async (args) => answer(args) })
const bytes = new Uint8Array(4)
const hour = { ttlMs: 3_600_000 }

async function rejection(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe('an answer that is not trusted', () => {
  it.each([7, {}, [], 'not base64!', 'AA=A', 'A'.repeat(400_000)])(
    'is refused: %j',
    async (text) => {
      const error = await rejection(answering(() => text).get('a'))
      expect(error).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', retryable: false })
    },
  )

  it.each(['QUEUED', 2, null, undefined])('is not an acknowledged write: %j', async (answer) => {
    const error = await rejection(answering(() => answer).put('a', bytes, hour))
    expect(error).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
  })

  it.each(['1', true, undefined, 2])('is not a swap: %j', async (answer) => {
    const error = await rejection(answering(() => answer).compareAndSwap('a', bytes, bytes, hour))
    expect(error).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
  })

  it('names no key that is none in a list', async () => {
    const store = new RedisDataKeyStore({ command: () => Promise.resolve(['ek1/short']) })
    expect(await rejection(store.list(undefined, 5))).toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
    })
  })

  it('that a value ends at no time at all is refused', async () => {
    const entry = new Uint8Array(9)
    new DataView(entry.buffer).setFloat64(0, Infinity)
    const namespace = {
      get: () => Promise.resolve(entry.buffer),
      put: () => Promise.resolve(),
      delete: () => Promise.resolve(),
    }
    expect(await rejection(new WorkersKvStore({ namespace }).get('a'))).toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
    })
  })
})

describe('an answer of no shape at all', () => {
  const answers: readonly unknown[] = [undefined, null, 5n, {}, { results: 5 }, Object.freeze([])]
  const statement = (answer: unknown): unknown =>
    Object.assign({}, { all: () => Promise.resolve(answer), bind: () => statement(answer) })
  const d1 = (answer: unknown): never => {
    const batch = (): Promise<unknown> => Promise.resolve(answer)
    return { prepare: () => statement(answer), batch } as never
  }
  const name = `ek1/${'A'.repeat(43)}`
  const calls: Record<string, (answer: unknown) => Promise<unknown>> = {
    'D1 get': (answer) => new D1KeyValueStore({ database: d1(answer) }).get('a'),
    'D1 put': (answer) => new D1KeyValueStore({ database: d1(answer) }).put('a', bytes, hour),
    'D1 swap': (answer) =>
      new D1KeyValueStore({ database: d1(answer) }).compareAndSwap('a', undefined, bytes, hour),
    'a record of D1': (answer) => new D1DataKeyStore({ database: d1(answer) }).get(name),
    'a page of D1': (answer) => new D1DataKeyStore({ database: d1(answer) }).list(undefined, 5),
    'Deno KV': (answer) => new DenoKvKeyValueStore({ kv: deno(answer) }).get('a'),
    'a record of Deno KV': (answer) => new DenoKvDataKeyStore({ kv: deno(answer) }).get(name),
  }
  const deno = (answer: unknown): never =>
    ({ atomic: () => undefined, get: () => Promise.resolve(answer) }) as never

  it.each(Object.keys(calls))('is a failure of the store: %s', async (of) => {
    for (const answer of answers) {
      const error = await rejection(calls[of]?.(answer) as Promise<unknown>)
      expect(error).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    }
  })

  it.each([undefined, 5, 5n, 'text', {}, Object.create(Uint8Array.prototype) as unknown])(
    'is a failure of Workers KV: %o',
    async (answer) => {
      const get = (): Promise<never> => Promise.resolve(answer as never)
      const namespace = { get, put: get, delete: get }
      expect(await rejection(new WorkersKvStore({ namespace }).get('a'))).toMatchObject({
        code: 'ERR_STORE_UNAVAILABLE',
      })
    },
  )
})

describe('what goes wrong outside', () => {
  it('and throws itself when it is looked at is a failure like any other', async () => {
    const boom = (): never => {
      throw new Error('hunter2')
    }
    const throwing = Object.defineProperty({}, 'message', { get: boom })
    for (const thrown of [throwing, new Proxy({}, { get: boom, has: boom })]) {
      const store = new RedisKeyValueStore({
        command: () => {
          throw thrown as Error
        },
      })
      const error = await rejection(store.get('a'))
      expect(error).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', provider: 'redis' })
      expect(JSON.stringify(error)).not.toContain('hunter2')
    }
  })

  const secret = 'redis://user:hunter2@host'

  it.each([
    [Object.assign(new Error(secret), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [new Error(`WRONGPASS ${secret}`), 'WRONGPASS'],
    [new TypeError(secret), 'TypeError'],
    [secret, ''],
    [undefined, ''],
  ])('keeps its code and none of its words: %#', async (thrown, word) => {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- clients reject with anything
    const store = new RedisKeyValueStore({ command: () => Promise.reject(thrown) })
    const error = (await rejection(store.get('a'))) as Error
    expect(error).toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
      provider: 'redis',
      operation: 'get',
      retryable: true,
    })
    expect((error.cause as Error).message).toBe(word)
    const printed = [error.stack, (error.cause as Error).stack, JSON.stringify(error)].join('\n')
    expect(printed).not.toContain('hunter2')
  })

  it('ends a call that is never answered, by its own deadline', async () => {
    let fire: (() => void) | undefined
    const network: Network = {
      ...webNetwork,
      after(delayMs, callback) {
        expect(delayMs).toBe(500)
        fire = callback
        return () => undefined
      },
    }
    let seen: AbortSignal | undefined
    const store = new RedisKeyValueStore({
      network,
      timeoutMs: 500,
      command: (_, { signal }) => {
        seen = signal
        return new Promise(() => undefined)
      },
    })
    const error = rejection(store.get('a'))
    fire?.()
    expect(await error).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', retryable: true })
    expect(seen?.aborted).toBe(true)
  })

  it('ends with the reason of a signal that aborts in the middle, and tells the client', async () => {
    const control = new AbortController()
    let seen: AbortSignal | undefined
    const store = new RedisKeyValueStore({
      command: (_, { signal }) => {
        seen = signal
        return new Promise(() => undefined)
      },
    })
    const reason = new Error('enough')
    const error = rejection(store.get('a', { signal: control.signal }))
    control.abort(reason)
    expect(await error).toBe(reason)
    expect(seen?.reason).toBe(reason)
  })
})
