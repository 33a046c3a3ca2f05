import { describe, expect, it } from 'vitest'
import {
  CachedKms,
  type DataEncryptionKey,
  KmsError,
  type SharedDataKeys,
  type SharedLevelStats,
} from '../../../../src/index.ts'
import { MemoryDataKeyStore } from '../../../../src/stores/index.ts'
import { sharedDataKeys } from '../../../../src/data-keys/shared/index.ts'
import { Cluster, EventualKeyValues, HOUR, PARTITION, STORE_KEY, USE } from './fixture.ts'
import { dataKeyStoreKey, encodeHead, encodeKeyHeader } from '../../../../src/wire/index.ts'
import { CONTEXT } from '../../wire/fixture.ts'

const TTL = 300_000
const commitments = (keys: readonly DataEncryptionKey[]): number =>
  new Set(keys.map(({ header }) => header.commitment.join())).size

/** Caches that all have the key of the first. */
async function warm(cluster: Cluster, count: number, options = {}): Promise<CachedKms[]> {
  const caches = Array.from({ length: count }, () => cluster.isolate(options))
  for (const cache of caches) await cluster.key(cache)
  cluster.kms.calls.length = 0
  return caches
}

describe('when the time in memory ends', () => {
  it('the KMS is asked again for the same key, in the background, and no key is made', async () => {
    const cluster = new Cluster()
    const [, cache] = await warm(cluster, 2)
    if (cache === undefined) throw new Error('no cache')
    const before = cache.active(CONTEXT, USE)
    await cluster.world.advance(TTL - 10_000)
    expect(cache.active(CONTEXT, USE)).toBe(before)
    await cluster.world.advance(1_000)
    expect(cluster.kms.calls).toEqual(['unwrap'])
    await cluster.world.advance(TTL - 20_000)
    expect((await cluster.key(cache)).header).toEqual((await before).header)
    expect(cluster.kms.calls).toEqual(['unwrap'])
  })

  it('W5.5 the same key goes on with its counts', async () => {
    const cluster = new Cluster()
    const [, cache] = await warm(cluster, 2, { maxMessages: 5, refreshAheadMs: 0 })
    if (cache === undefined) throw new Error('no cache')
    const first = await cluster.key(cache)
    await cluster.key(cache)
    await cluster.world.advance(TTL)
    expect((await cluster.key(cache)).header).toEqual(first.header)
    await cluster.key(cache)
    await cluster.world.advance(TTL)
    const second = await cluster.key(cache)
    expect(second.header.commitment).not.toEqual(first.header.commitment)
  })

  it('R17 a key that the KMS refuses by now is dropped', async () => {
    const cluster = new Cluster()
    const [, cache] = await warm(cluster, 2)
    if (cache === undefined) throw new Error('no cache')
    cluster.kms.before = () => {
      throw new KmsError('ERR_KMS_KEY_DISABLED')
    }
    await cluster.world.advance(TTL - 10_000)
    await cluster.key(cache)
    await cluster.world.advance(1_000)
    await expect(cluster.key(cache)).rejects.toMatchObject({ code: 'ERR_KMS_KEY_DISABLED' })
    expect(cache.stats().revocations).toBe(1)
  })
})

describe('a key that nears the end of its age', () => {
  it('is replaced by one of many, and no caller waits', async () => {
    const cluster = new Cluster()
    const caches = await warm(cluster, 20)
    await cluster.world.advance(HOUR - TTL)
    for (const cache of caches) await cluster.key(cache)
    cluster.kms.calls.length = 0
    // Every cache renews at a time of its own within the last minute.
    for (let step = 0; step < 12; step += 1) {
      await cluster.world.advance(20_000)
      for (const [i, cache] of caches.entries()) {
        cluster.world.random = i / caches.length
        expect(cache.active(CONTEXT, USE)).not.toBeInstanceOf(Promise)
      }
    }
    await cluster.world.advance(60_000)
    const keys = await Promise.all(caches.map((cache) => cluster.key(cache)))
    expect(cluster.kms.count('generate')).toBe(1)
    expect(commitments(keys)).toBe(1)
    // The first one's, and one to renew.
    expect(caches.reduce((sum, cache) => sum + cache.stats().leases, 0)).toBe(2)
  })

  it('is replaced by one of many on an eventual store too, where they do not renew at once', async () => {
    const cluster = new Cluster()
    const store = new EventualKeyValues(cluster.world, 1_000)
    const start = (): CachedKms => cluster.isolate({ sharing: { store } })
    const first = start()
    await cluster.key(first)
    await cluster.world.advance(2_000)
    const caches = [first, ...Array.from({ length: 9 }, start)]
    await cluster.world.advance(HOUR - TTL - 10_000)
    for (const [i, cache] of caches.entries()) {
      cluster.world.random = i / caches.length
      await cluster.key(cache)
    }
    cluster.kms.calls.length = 0
    for (let step = 0; step < 300; step += 1) {
      await cluster.world.advance(1_000)
      for (const cache of caches) void cache.active(CONTEXT, USE)
    }
    await cluster.world.advance(20_000)
    const keys = await Promise.all(caches.map((cache) => cluster.key(cache)))
    expect(commitments(keys)).toBe(1)
    // Those whose time comes before the first one's write is seen: 3 s of jitter apart, seen after 1 s.
    expect(cluster.kms.count('generate')).toBeLessThanOrEqual(2)
  })

  it('is not adopted in its last seconds, which the unwrap may take', async () => {
    const cluster = new Cluster()
    const [first] = await warm(cluster, 1)
    const old = await cluster.key(first as CachedKms)
    await cluster.world.advance(HOUR - 4_900)
    const cold = cluster.isolate()
    expect((await cluster.key(cold)).header.commitment).not.toEqual(old.header.commitment)
    expect(cold.stats()).toMatchObject({ adoptions: 0, adoptionsRefused: 0, leases: 1 })
  })

  it('and is not renewed ahead: exactly one is made when it is over', async () => {
    const cluster = new Cluster()
    const caches = await warm(cluster, 20, { refreshAheadMs: 0 })
    await cluster.world.advance(HOUR)
    const keys = await cluster.value(
      Promise.all(caches.map(async (cache) => cache.active(CONTEXT, USE))),
    )
    expect(cluster.kms.count('generate')).toBe(1)
    expect(commitments(keys)).toBe(1)
  })
})

describe('W5.5 a key that is used up here', () => {
  it('is replaced for all, and those who hold it go on', async () => {
    const cluster = new Cluster()
    const [busy, idle] = await warm(cluster, 2, { maxMessages: 3 })
    if (busy === undefined || idle === undefined) throw new Error('no cache')
    const first = await cluster.key(busy)
    await cluster.key(busy)
    const second = await cluster.key(busy)
    expect(second.header.commitment).not.toEqual(first.header.commitment)
    expect(cluster.kms.calls).toEqual(['generate'])
    expect((await cluster.key(idle)).header.commitment).toEqual(first.header.commitment)
    const cold = await cluster.key(cluster.isolate({ maxMessages: 3 }))
    expect(cold.header.commitment).toEqual(second.header.commitment)
  })

  it('is not adopted again while it stands in the store', async () => {
    const cluster = new Cluster()
    const [busy] = await warm(cluster, 1, { maxMessages: 2 })
    if (busy === undefined) throw new Error('no cache')
    const first = await cluster.key(busy)
    const { name, bytes } = cluster.slot
    for (let i = 0; i < 6; i += 1) {
      cluster.plant(name, bytes) // nothing newer is ever kept
      const key = await cluster.key(busy)
      expect(key.header.commitment).not.toEqual(first.header.commitment)
      await cluster.world.advance(TTL)
    }
    expect(busy.stats().adoptions).toBe(0)
  })

  it('by others in the moment of its adoption is asked for once more', async () => {
    const cluster = new Cluster()
    const options = { maxMessages: 1 }
    const [cache] = await warm(cluster, 1, options)
    if (cache === undefined) throw new Error('no cache')
    const keys = await cluster.value(
      Promise.all(Array.from({ length: 10 }, async () => cache.active(CONTEXT, USE))),
    )
    expect(commitments(keys)).toBe(10)
  })
})

describe('a shared level whose key is used up before its caller can count', () => {
  it('is not asked for ever: the caller has a key of its own then, which is shared with nobody', async () => {
    const cluster = new Cluster()
    let asked = 0
    let only: DataEncryptionKey | undefined
    const shared: SharedDataKeys = {
      attach: (host) => ({
        obtain: async (context, options) => {
          asked += 1
          return (only ??= await host.make(context, options))
        },
        look: () => undefined,
        signal: () => Promise.resolve(),
        clear: () => undefined,
        stats: () => ({}) as SharedLevelStats,
      }),
    }
    const cache = cluster.isolate({ shared, maxMessages: 1 })
    const keys = [await cluster.key(cache), await cluster.key(cache)]
    expect(commitments(keys)).toBe(2)
    expect([asked, cluster.kms.calls]).toEqual([3, ['generate', 'generate']])
  })

  it('and a clock that moves past the age limit in each call stays an error', async () => {
    const cluster = new Cluster()
    cluster.kms.before = () => {
      cluster.world.nowMs += 1_000
    }
    const work = cluster.key(cluster.isolate({ encryptForMs: 1_000 }))
    await expect(work).rejects.toMatchObject({ code: 'ERR_DATA_KEY_EXHAUSTED' })
  })
})

describe('by reference', () => {
  const durable = { durable: true }

  it('W4.24 the record of an adopted key is made durable before a message refers to it', async () => {
    const cluster = new Cluster()
    const dataKeyStore = new MemoryDataKeyStore()
    await cluster.key(cluster.isolate())
    const cache = cluster.isolate({ dataKeyStore })
    const key = await cluster.key(cache, CONTEXT, durable)
    expect(cache.stats().adoptions).toBe(1)
    const reader = cluster.isolate({ dataKeyStore })
    const read = await cluster.value(
      Promise.resolve(reader.byReference(key.header.commitment, CONTEXT, {})),
    )
    expect(read.header.commitment).toEqual(key.header.commitment)
  })

  it('a record that was rewrapped since is not a reason to fail', async () => {
    const cluster = new Cluster()
    const dataKeyStore = new MemoryDataKeyStore()
    const maker = cluster.isolate({ dataKeyStore })
    const { header } = await cluster.key(maker, CONTEXT, durable)
    cluster.kms.version = '2'
    const { bytes } = await maker.rewrap(header, CONTEXT, { verify: 'open' })
    const name = `ek1/${Buffer.from(header.commitment).toString('base64url')}`
    const old = await dataKeyStore.get(name)
    if (old === undefined) throw new Error('no record')
    await dataKeyStore.compareAndSwap(name, old, new Uint8Array([...old.slice(0, 4), ...bytes]))
    const cache = cluster.isolate({ dataKeyStore })
    const key = await cluster.key(cache, CONTEXT, durable)
    expect(key.header.commitment).toEqual(header.commitment)
    expect(cache.active(CONTEXT, durable)).toBe(key)
  })

  it('a record of an adopted key whose wraps do not open ends the encrypt: nobody could read the message', async () => {
    const cluster = new Cluster()
    const dataKeyStore = new MemoryDataKeyStore()
    const { header } = await cluster.key(cluster.isolate())
    const [wrap] = header.wraps
    if (wrap === undefined) throw new Error('no wrap')
    const { bytes } = encodeKeyHeader(header, [{ ...wrap, wrapped: wrap.wrapped.map(() => 7) }])
    await dataKeyStore.putIfAbsent(
      dataKeyStoreKey(header.commitment),
      encodeHead('data-key-record', bytes),
    )
    const cache = cluster.isolate({ dataKeyStore })
    const work = cluster.key(cache, CONTEXT, durable)
    await expect(work).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    expect(cache.stats().adoptions).toBe(1)
  })

  it('a data-key store that is down is an error, with a shared level too', async () => {
    const cluster = new Cluster()
    const dataKeyStore = new MemoryDataKeyStore()
    await cluster.key(cluster.isolate())
    dataKeyStore.putIfAbsent = () => Promise.reject(new Error('down'))
    dataKeyStore.get = () => Promise.reject(new Error('down'))
    const work = cluster.key(cluster.isolate({ dataKeyStore }), CONTEXT, durable)
    await expect(work).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
  })
})

it('counts 0 for all of it where there is no shared level', async () => {
  const cluster = new Cluster()
  const { kms, world } = cluster
  const cache = new CachedKms({ kms, runtime: world, network: world })
  await cluster.key(cache)
  expect(cache.stats()).toMatchObject({
    adoptions: 0,
    adoptionsRefused: 0,
    leases: 0,
    leaseWaits: 0,
    storeReads: 0,
    storeWrites: 0,
    storeFailures: 0,
    signals: 0,
  })
})

it('one description serves several caches, which share nothing but the store', async () => {
  const cluster = new Cluster()
  const { kms, store, world } = cluster
  const shared = sharedDataKeys({ store, partition: PARTITION, storeAuthKey: STORE_KEY })
  const caches = [1, 2].map(
    () => new CachedKms({ kms, runtime: world, network: world, shared, maxMessages: 2 }),
  )
  const keys = []
  for (const cache of caches) keys.push(await cluster.key(cache), await cluster.key(cache))
  expect(commitments(keys)).toBe(1)
  expect(caches.map((cache) => cache.stats().adoptions)).toEqual([0, 1])
})

describe('R13 W5.7 two restores of one snapshot', () => {
  it('share no key that was made or held before, though it stands in the store', async () => {
    const cluster = new Cluster()
    // Two processes that were one: what the first knew, the other knows.
    const [one, other] = [cluster.isolate(), cluster.isolate()]
    const before = await cluster.key(one)
    await cluster.key(other)
    const keys = []
    for (const cache of [one, other]) {
      cache.clear()
      keys.push(await cluster.key(cache))
    }
    for (const key of keys) expect(key.header.commitment).not.toEqual(before.header.commitment)
    expect(cluster.kms.calls).toEqual(['generate', 'unwrap', 'generate', 'unwrap'])
    // Those that were not restored go on with the key that they have, or the newest.
    expect(commitments([...keys, await cluster.key(cluster.isolate())])).toBe(1)
  })
})

it('W5.5 a key that was pushed out of memory does not come back with its counts at zero', async () => {
  const cluster = new Cluster()
  const cache = cluster.isolate({ maxEntries: 2, maxMessages: 5 })
  const uses = new Map<string, number>()
  for (let round = 0; round < 30; round += 1) {
    for (const tenant of ['a', 'b', 'c', 'd']) {
      const { header } = await cluster.key(cache, { tenant })
      const id = String(header.commitment)
      uses.set(id, (uses.get(id) ?? 0) + 1)
    }
  }
  expect(Math.max(...uses.values())).toBeLessThanOrEqual(5)
  // Another process may continue with the key in the store.
  const other = cluster.isolate()
  await cluster.key(other, { tenant: 'd' })
  expect(other.stats().adoptions).toBe(1)
})
