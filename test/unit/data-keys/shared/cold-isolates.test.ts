import { describe, expect, it } from 'vitest'
import { EnvelopeCipher } from '../../../../src/index.ts'
import { MemoryKeyValueStore } from '../../../../src/stores/index.ts'
import { CONTEXT } from '../../wire/fixture.ts'
import { Cluster, EventualKeyValues, HOUR, USE } from './fixture.ts'

const THOUSAND = 1_000

describe('R18 a thousand cold isolates on a strong store', () => {
  it('cost 1 GenerateDataKey, and one unwrap each but for the one that made the key', async () => {
    const cluster = new Cluster()
    // As slow as a KMS is: all of them start while the first is at it.
    cluster.kms.before = () => new Promise<void>((go) => void cluster.world.after(120, go))
    const caches = Array.from({ length: THOUSAND }, () => cluster.isolate())
    const keys = await cluster.value(
      Promise.all(caches.map(async (cache) => cache.active(CONTEXT, USE))),
    )
    const [first] = keys
    for (const key of keys) expect(key.header.bytes).toEqual(first?.header.bytes)
    expect(cluster.kms.count('generate')).toBe(1)
    expect(cluster.kms.count('unwrap')).toBe(THOUSAND - 1)
    expect(caches.filter((cache) => cache.stats().leases === 1)).toHaveLength(1)
    expect(caches.filter((cache) => cache.stats().adoptions === 1)).toHaveLength(THOUSAND - 1)
  })

  it('cost the same on the store that ships', async () => {
    const cluster = new Cluster()
    const store = new MemoryKeyValueStore({ runtime: cluster.world })
    const start = async (): Promise<unknown> =>
      cluster.isolate({ sharing: { store } }).active(CONTEXT, USE)
    await cluster.value(Promise.all(Array.from({ length: 100 }, start)))
    expect(cluster.kms.count('generate')).toBe(1)
    expect(cluster.kms.count('unwrap')).toBe(99)
  })

  it('that start one after another cost the same', async () => {
    const cluster = new Cluster()
    for (let i = 0; i < 50; i += 1) await cluster.key(cluster.isolate())
    expect(cluster.kms.count('generate')).toBe(1)
    expect(cluster.kms.count('unwrap')).toBe(49)
  })

  it('ask neither KMS nor store again for a key at hand', async () => {
    const cluster = new Cluster()
    await cluster.key(cluster.isolate())
    const cache = cluster.isolate()
    const key = await cluster.key(cache)
    const { calls } = cluster.kms
    const before = [calls.length, cluster.store.calls.length]
    for (let i = 0; i < 100; i += 1) expect(cache.active(CONTEXT, USE)).toBe(key)
    expect([calls.length, cluster.store.calls.length]).toEqual(before)
  })

  it('read what the others wrote', async () => {
    const cluster = new Cluster()
    const [one, other] = [cluster.isolate(), cluster.isolate()]
    const options = { context: CONTEXT }
    const runtime = cluster.world
    const envelope = await cluster.value(
      new EnvelopeCipher({ keys: one, runtime }).encrypt(new Uint8Array([1, 2]), options),
    )
    await cluster.key(other)
    cluster.kms.calls.length = 0
    const plaintext = await cluster.value(
      new EnvelopeCipher({ keys: other, runtime }).decrypt(envelope, options),
    )
    expect([...plaintext]).toEqual([1, 2])
    // A key that was adopted is held for readers too.
    expect(cluster.kms.calls).toEqual([])
  })

  it('share nothing between contexts, and nothing between partitions', async () => {
    const cluster = new Cluster()
    await cluster.key(cluster.isolate())
    await cluster.key(cluster.isolate(), { tenant: 'other' })
    await cluster.key(cluster.isolate({ sharing: { partition: 'another' } }))
    expect(cluster.kms.calls).toEqual(['generate', 'generate', 'generate'])
    expect(cluster.store.values.size).toBe(3)
  })
})

describe('R18 isolates on an eventual store', () => {
  it('make a key each until a write is seen, and none after', async () => {
    const cluster = new Cluster()
    const store = new EventualKeyValues(cluster.world, 60_000)
    const start = (): Promise<unknown> => cluster.key(cluster.isolate({ sharing: { store } }))
    for (let i = 0; i < 7; i += 1) await start()
    expect(cluster.kms.count('generate')).toBe(7)
    await cluster.world.advance(60_000)
    for (let i = 0; i < 20; i += 1) await start()
    expect(cluster.kms.count('generate')).toBe(7)
    expect(cluster.kms.count('unwrap')).toBe(20)
  })

  it('come to one key when what they hold has had its time', async () => {
    const cluster = new Cluster()
    const store = new EventualKeyValues(cluster.world, 60_000)
    const caches = Array.from({ length: 5 }, () =>
      cluster.isolate({ sharing: { store }, ttlMs: 300_000, encryptForMs: HOUR }),
    )
    const commitments = async (): Promise<number> => {
      const keys = []
      for (const cache of caches) keys.push(await cluster.key(cache))
      return new Set(keys.map(({ header }) => header.commitment.join())).size
    }
    expect(await commitments()).toBe(5)
    await cluster.world.advance(400_000)
    expect(await commitments()).toBe(1)
    expect(cluster.kms.count('generate')).toBe(5)
  })

  it('cannot be told that a lease is required', () => {
    const cluster = new Cluster()
    const store = new EventualKeyValues(cluster.world, 1)
    expect(() => cluster.isolate({ sharing: { store, lease: 'required' } })).toThrow(
      /lease: required needs a store/,
    )
  })
})
