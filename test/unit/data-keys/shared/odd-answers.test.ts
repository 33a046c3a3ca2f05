import { describe, expect, it } from 'vitest'
import { type Bytes, copyBytes } from '../../../../src/bytes/index.ts'
import { type KeyValueStore, KmsError } from '../../../../src/index.ts'
import { sharedDataKeys } from '../../../../src/data-keys/shared/index.ts'
import { RedisKeyValueStore } from '../../../../src/stores/index.ts'
import { CONTEXT } from '../../wire/fixture.ts'
import { Cluster, PARTITION, STORE_KEY } from './fixture.ts'

type Calls = Partial<Pick<KeyValueStore, 'get' | 'put' | 'compareAndSwap'>>
type Odd = Calls & { readonly capabilities?: unknown }

/** The cluster's store with some of its methods replaced. */
function over(cluster: Cluster, odd: Odd): KeyValueStore {
  const { store } = cluster
  return {
    capabilities: store.capabilities,
    get: (key) => store.get(key),
    put: (...given) => store.put(...given),
    compareAndSwap: (...given) => store.compareAndSwap(...given),
    delete: (key) => store.delete(key),
    ...(odd as Calls),
  }
}

const detached = (): Uint8Array => {
  const bytes = new Uint8Array(80)
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  return bytes
}
class Throwing extends Uint8Array {
  static get [Symbol.species](): never {
    throw new Error('species')
  }
  override subarray(): never {
    throw new Error('subarray')
  }
  override get length(): number {
    throw new Error('length')
  }
}
const hostile = new Proxy(
  {},
  {
    has: () => {
      throw new Error('has')
    },
    get: (_, name) => (name === 'then' ? undefined : hostileGet()),
  },
)
function hostileGet(): never {
  throw new Error('get')
}
const unreadable = (): KmsError => new KmsError('ERR_STORE_UNAVAILABLE', { retryable: false })

describe('an answer that is not an array of bytes', () => {
  it.each<[string, () => unknown]>([
    ['a detached one', detached],
    ['what has the prototype of one', () => Object.create(Uint8Array.prototype) as unknown],
    ['a proxy of one', () => new Proxy(new Uint8Array(80), {})],
    ['another view', () => new DataView(new ArrayBuffer(80))],
  ])('is a failure of the store: %s', async (_, value) => {
    const cluster = new Cluster()
    const store = over(cluster, { get: () => Promise.resolve(value() as never) })
    const cache = cluster.isolate({ sharing: { store } })
    await cluster.key(cache)
    expect(cluster.kms.calls).toEqual(['generate'])
    expect(cache.stats()).toMatchObject({ storeFailures: 1, adoptionsRefused: 0 })
  })

  it('is one all the same where a subclass throws at every use', async () => {
    const cluster = new Cluster()
    await cluster.key(cluster.isolate())
    const get: KeyValueStore['get'] = async (key) => {
      const held = await cluster.store.get(key)
      return held && (new Throwing(held) as Uint8Array as Bytes)
    }
    const cache = cluster.isolate({ sharing: { store: over(cluster, { get }) } })
    await cluster.key(cache)
    expect(cluster.kms.calls).toEqual(['generate', 'unwrap'])
    expect(cache.stats()).toMatchObject({ storeFailures: 0, adoptions: 1 })
  })

  it('is one all the same when the store changes it afterwards', async () => {
    const cluster = new Cluster()
    await cluster.key(cluster.isolate())
    const get: KeyValueStore['get'] = async (key) => {
      const held = await cluster.store.get(key)
      queueMicrotask(() => queueMicrotask(() => queueMicrotask(() => held?.fill(0))))
      return held
    }
    const cache = cluster.isolate({ sharing: { store: over(cluster, { get }) } })
    await cluster.key(cache)
    expect(cache.stats()).toMatchObject({ adoptionsRefused: 0, adoptions: 1 })
  })

  it('an error that throws when it is looked at is a failure like any other', async () => {
    const cluster = new Cluster()
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- stores reject with anything
    const store = over(cluster, { get: () => Promise.reject(hostile) })
    const cache = cluster.isolate({ sharing: { store } })
    await cluster.key(cache)
    expect(cluster.kms.calls).toEqual(['generate'])
    expect(cache.stats().storeFailures).toBe(1)
  })
})

describe('a store that transfers what it is given', () => {
  it('shares as any other', async () => {
    const cluster = new Cluster()
    const take = (bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> => {
      const copy = copyBytes(bytes)
      structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
      return copy
    }
    const store = over(cluster, {
      put: (key, value, options) => cluster.store.put(key, take(value), options),
      compareAndSwap: (key, expected, next, options) =>
        cluster.store.compareAndSwap(key, expected && take(expected), take(next), options),
    })
    for (let i = 0; i < 3; i += 1) await cluster.key(cluster.isolate({ sharing: { store } }))
    expect(cluster.kms.calls).toEqual(['generate', 'unwrap', 'unwrap'])
  })
})

describe('a value that nobody can read', () => {
  /** A store of which the value of one context is unreadable. */
  const poisoned = async (error: () => Error): Promise<[Cluster, KeyValueStore]> => {
    const cluster = new Cluster()
    await cluster.key(cluster.isolate())
    const bad = cluster.slot.name
    const get: KeyValueStore['get'] = (key) =>
      key === bad ? Promise.reject(error()) : cluster.store.get(key)
    return [cluster, over(cluster, { get })]
  }

  it('costs its own context the sharing, and no other one', async () => {
    const [cluster, store] = await poisoned(unreadable)
    await cluster.key(cluster.isolate(), { tenant: 'other' })
    const cache = cluster.isolate({ sharing: { store } })
    await cluster.key(cache)
    await cluster.key(cache, { tenant: 'other' })
    expect(cluster.kms.calls).toEqual(['generate', 'generate', 'generate', 'unwrap'])
    expect(cache.stats()).toMatchObject({ storeFailures: 1, adoptions: 1 })
  })

  it.each([
    ['that may be gone the next time', () => new KmsError('ERR_STORE_UNAVAILABLE')],
    [
      'of a call that was refused',
      () => new KmsError('ERR_STORE_UNAVAILABLE', { retryable: false, status: 403 }),
    ],
  ])('is not what an error says %s', async (_, error) => {
    const [cluster, store] = await poisoned(error)
    await cluster.key(cluster.isolate(), { tenant: 'other' })
    const cache = cluster.isolate({ sharing: { store } })
    await cluster.key(cache)
    await cluster.key(cache, { tenant: 'other' })
    expect(cluster.kms.calls).toEqual(['generate', 'generate', 'generate', 'generate'])
  })

  it('is what a store over text finds that holds no base64', async () => {
    const cluster = new Cluster()
    const texts = new Map<string, string>()
    const store = new RedisKeyValueStore({
      network: cluster.world,
      command: ([name, key = '', value = '', ...more]) => {
        if (name === 'GET') return Promise.resolve(texts.get(key) ?? null)
        if (name !== 'SET' || (more[0] === 'NX' && texts.has(key))) return Promise.resolve(null)
        texts.set(key, value)
        return Promise.resolve('OK')
      },
    })
    await cluster.key(cluster.isolate({ sharing: { store } }))
    for (const name of texts.keys()) texts.set(name, 'not base64!')
    const cache = cluster.isolate({ sharing: { store } })
    await cluster.key(cache)
    await cluster.key(cache, { tenant: 'other' })
    expect(cache.stats()).toMatchObject({ storeFailures: 1, leases: 1 })
  })

  it('is one that is longer than the store says that any is', async () => {
    const cluster = new Cluster()
    const long = new Uint8Array(cluster.store.capabilities.maxValueBytes + 1)
    const store = over(cluster, {
      get: (key) => (key.length > 0 ? Promise.resolve(long) : cluster.store.get(key)),
    })
    const cache = cluster.isolate({ sharing: { store } })
    await cluster.key(cache)
    expect(cluster.kms.calls).toEqual(['generate'])
    expect(cache.stats()).toMatchObject({ storeFailures: 2, storeReads: 2, storeWrites: 0 })
  })
})

describe('what the others were not told', () => {
  it('is an error with what the store threw as its cause', async () => {
    const cluster = new Cluster()
    const cause = new Error('WRONGPASS')
    const store = over(cluster, { put: () => Promise.reject(cause) })
    const cache = cluster.isolate({ sharing: { store } })
    await expect(cluster.value(cache.invalidate({ context: CONTEXT }))).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
      message: 'the store did not accept the new epoch: invalidate again',
      retryable: true,
      cause,
    })
  })
})

describe('what a store declares', () => {
  const cluster = new Cluster()
  const { capabilities } = cluster.store
  const sharedOver = (store: unknown): unknown =>
    sharedDataKeys({ store, partition: PARTITION, storeAuthKey: STORE_KEY } as never)

  it('is read once', async () => {
    let reads = 0
    const store = Object.defineProperty(over(cluster, {}), 'capabilities', {
      get: () => {
        reads += 1
        if (reads > 1) throw new Error('capabilities')
        return capabilities
      },
    })
    await cluster.key(cluster.isolate({ sharing: { store } }))
    expect(reads).toBe(1)
  })

  it.each<[string, Record<string, unknown>]>([
    ['no get', { get: undefined }],
    ['no put', { put: 'put' }],
    ['no compareAndSwap', { compareAndSwap: null }],
    ['no delete', { delete: {} }],
    ['no capabilities', { capabilities: undefined }],
    ['empty capabilities', { capabilities: {} }],
    ['an unknown consistency', { capabilities: { ...capabilities, consistency: 'causal' } }],
    ['a swap that is not a boolean', { capabilities: { ...capabilities, compareAndSwap: 1 } }],
    ['a negative time to live', { capabilities: { ...capabilities, minTtlMs: -1 } }],
    ['a bound that is not a number', { capabilities: { ...capabilities, maxValueBytes: '9' } }],
    ['a bound that is NaN', { capabilities: { ...capabilities, maxKeyBytes: Number.NaN } }],
  ])('is refused: %s', (_, odd) => {
    const store = { ...over(cluster, {}), ...odd }
    const refusal = expect.objectContaining({ code: 'ERR_KMS_CONFIG' }) as unknown
    expect(() => sharedOver(store)).toThrow(refusal)
  })

  it('is refused where it throws', () => {
    const store = Object.defineProperty(over(cluster, {}), 'capabilities', {
      get: () => {
        throw new Error('capabilities')
      },
    })
    expect(() => sharedOver(store)).toThrow(/store must be a KeyValueStore/)
  })
})
