import { describe, expect, it } from 'vitest'
import { copyBytes } from '../../../../src/bytes/index.ts'
import { CachedKms, type KeyValueStore } from '../../../../src/index.ts'
import {
  sharedDataKeys,
  type SharedDataKeysOptions,
} from '../../../../src/data-keys/shared/index.ts'
import { CONTEXT, sequence } from '../../wire/fixture.ts'
import { BindingKms, Cluster, PARTITION, STORE_KEY, USE } from './fixture.ts'

const never = (): Promise<never> => new Promise<never>(() => undefined)

describe('a store that is down', () => {
  it('is as no store, and is left alone for a while', async () => {
    const cluster = new Cluster()
    cluster.store.before = () => {
      throw new Error('down')
    }
    const cache = cluster.isolate()
    await cluster.key(cache)
    await cluster.key(cache, { tenant: 'other' })
    expect(cluster.kms.calls).toEqual(['generate', 'generate'])
    const asked = cluster.store.calls.length
    expect(cache.stats().storeFailures).toBe(asked)
    await cluster.world.advance(5_000)
    await cluster.key(cache, { tenant: 'a third' })
    expect(cluster.store.calls.length).toBeGreaterThan(asked)
  })

  it('costs a call no more than its time when it does not answer', async () => {
    const cluster = new Cluster()
    cluster.store.before = never
    const startMs = cluster.world.nowMs
    const cache = cluster.isolate({ sharing: { storeTimeoutMs: 300 } })
    await cluster.key(cache)
    expect(cluster.world.nowMs - startMs).toBe(300)
    await cluster.key(cache, { tenant: 'other' })
    expect(cluster.world.nowMs - startMs).toBe(300)
    expect(cluster.kms.calls).toEqual(['generate', 'generate'])
  })

  it('does not outlast the caller', async () => {
    const cluster = new Cluster()
    cluster.store.before = never
    const control = new AbortController()
    const cache = cluster.isolate()
    const pending = Promise.resolve(cache.active(CONTEXT, { ...USE, signal: control.signal }))
    await cluster.world.advance(100)
    control.abort(new Error('enough'))
    await expect(pending).rejects.toThrow('enough')
    await cluster.world.advance(0)
    expect(cluster.world.timers).toBe(0)
    expect(cache.stats().storeFailures).toBe(0)
  })

  it.each(['put', 'swap'])('for %s alone keeps nobody from a key', async (name) => {
    const cluster = new Cluster(new BindingKms(), { compareAndSwap: name === 'swap' })
    cluster.store.before = () => {
      if (cluster.store.calls.at(-1)?.startsWith(name)) throw new Error('read only')
      return undefined
    }
    for (let i = 0; i < 3; i += 1) await cluster.key(cluster.isolate())
    expect(cluster.kms.calls).toEqual(['generate', 'generate', 'generate'])
  })

  it('when the key is made keeps the maker from nothing, and the next one from waiting for ever', async () => {
    const cluster = new Cluster()
    cluster.kms.before = () => {
      cluster.store.before = () => {
        throw new Error('down')
      }
    }
    const cache = cluster.isolate()
    await cluster.key(cache)
    cluster.store.before = () => undefined
    const startMs = cluster.world.nowMs
    cluster.kms.before = () => undefined
    await cluster.key(cluster.isolate())
    expect(cluster.world.nowMs - startMs).toBeLessThan(2_500)
    expect(cluster.kms.calls).toEqual(['generate', 'generate'])
  })
})

describe('a store that answers nonsense', () => {
  it.each(['a text', 7, null, {}])('is as no store: %j', async (value) => {
    const cluster = new Cluster()
    const { capabilities } = cluster.store
    const answer = (): Promise<never> => Promise.resolve(value as never)
    const store = { capabilities, get: answer, put: answer, compareAndSwap: answer, delete: answer }
    const cache = cluster.isolate({ sharing: { store } })
    await cluster.key(cache)
    expect(cluster.kms.calls).toEqual(['generate'])
    expect(cache.stats().storeFailures).toBeGreaterThan(0)
  })

  it('or cannot hold the value, leaves no lease behind', async () => {
    const cluster = new Cluster(new BindingKms(), { maxValueBytes: 128 })
    for (let i = 0; i < 2; i += 1) {
      const startMs = cluster.world.nowMs
      await cluster.key(cluster.isolate())
      expect(cluster.world.nowMs - startMs).toBeLessThan(100)
    }
    expect(cluster.kms.calls).toEqual(['generate', 'generate'])
  })
})

it('W1.14 a context without a required key is refused before the store is asked', async () => {
  const cluster = new Cluster()
  const work = cluster.key(cluster.isolate({ requiredContextKeys: ['region'] }))
  await expect(work).rejects.toMatchObject({ code: 'ERR_CONTEXT_INVALID' })
  expect(cluster.store.calls).toEqual([])
})

describe('what the store holds', () => {
  it('names no context and no partition, and holds no context value that headers must not', async () => {
    for (const sharing of [{}, { trustedStore: true }]) {
      const cluster = new Cluster()
      const context = { tenant: 'a tenant of ours', region: 'in clear' }
      const options = { sharing: { ...sharing, partition: 'secret partition' } }
      await cluster.key(cluster.isolate({ ...options, requiredContextKeys: ['tenant'] }), context)
      const { name, bytes: value } = cluster.slot
      expect(name).toMatch(/^eks1\/[\w-]{43}$/)
      const text = Buffer.from(value).toString('latin1')
      expect(text).toContain('in clear')
      expect(text).not.toContain('a tenant of ours')
      expect(text).not.toContain('secret partition')
    }
  })

  it('has other names under another key: a dictionary of contexts finds none of them', async () => {
    const names = []
    for (const sharing of [{}, { storeAuthKey: sequence(32, 77) }, { trustedStore: true }]) {
      const cluster = new Cluster()
      await cluster.key(cluster.isolate({ sharing }))
      names.push(cluster.slot.name)
    }
    expect(new Set(names).size).toBe(3)
  })
})

it('the key of a store is copied: who wipes it at once has one partition with who does not', async () => {
  const cluster = new Cluster()
  const key = copyBytes(STORE_KEY)
  const { store, kms, world } = cluster
  const shared = sharedDataKeys({ store, partition: PARTITION, storeAuthKey: key })
  key.fill(0)
  const cache = new CachedKms({ kms, runtime: world, network: world, shared })
  await cluster.key(cache)
  await cluster.key(cluster.isolate())
  expect(kms.calls).toEqual(['generate', 'unwrap'])
})

it('the key of a store may be base64: the same bytes are the same partition', async () => {
  const cluster = new Cluster()
  const { store, kms, world } = cluster
  const storeAuthKey = ` ${Buffer.from(STORE_KEY).toString('base64')}\n`
  const shared = sharedDataKeys({ store, partition: PARTITION, storeAuthKey })
  await cluster.key(new CachedKms({ kms, runtime: world, network: world, shared }))
  await cluster.key(cluster.isolate())
  expect(kms.calls).toEqual(['generate', 'unwrap'])
})

describe('construction refuses', () => {
  const { store } = new Cluster()
  const good: SharedDataKeysOptions = { store, partition: PARTITION, storeAuthKey: STORE_KEY }
  const without = (capabilities: Partial<KeyValueStore['capabilities']>): KeyValueStore =>
    new Cluster(new BindingKms(), capabilities).store

  it.each<[string, Record<string, unknown>, RegExp]>([
    [
      'W5.9 neither a key nor trust',
      { storeAuthKey: undefined },
      /storeAuthKey is missing: .* trustedStore: true/,
    ],
    ['both a key and trust', { trustedStore: true }, /exclude each other/],
    ['a short key', { storeAuthKey: sequence(31) }, /32 random bytes or more.*got 31 bytes/],
    ['a key of zeros', { storeAuthKey: new Uint8Array(32) }, /must be random bytes/],
    [
      'a key that is not base64',
      { storeAuthKey: 'x y'.repeat(20) },
      /or their base64, got a string/,
    ],
    ['a short key in base64', { storeAuthKey: btoa('x'.repeat(31)) }, /got 31 bytes/],
    ['a key in hex', { storeAuthKey: '0f'.repeat(32) }, /looks like hex/],
    [
      'trust that is not a boolean',
      { storeAuthKey: undefined, trustedStore: 'yes' },
      /trustedStore/,
    ],
    ['no store', { store: undefined }, /store must be a KeyValueStore/],
    ['an empty partition', { partition: '' }, /partition/],
    ['W5.13 no partition', { partition: undefined }, /partition/],
    ['W5.13 a partition of 256 bytes', { partition: '\u00fc'.repeat(128) }, /partition/],
    ['a partition that is not text', { partition: '\ud800' }, /partition/],
    ['a misspelt option', { signalms: 1 }, /unknown option: signalms/],
    ['a lease of another name', { lease: 'never' }, /lease/],
    [
      'a lease on an eventual store',
      { lease: 'required', store: without({ consistency: 'eventual' }) },
      /lease: required needs/,
    ],
    [
      'a lease without compare-and-swap',
      { lease: 'required', store: without({ compareAndSwap: false }) },
      /lease: required needs/,
    ],
    ['a store of short keys', { store: without({ maxKeyBytes: 47 }) }, /store/],
    ['leaseMs', { leaseMs: 0 }, /leaseMs/],
    ['waitMs', { waitMs: -1 }, /waitMs/],
    ['signalMs', { signalMs: 0 }, /signalMs/],
    ['storeTimeoutMs', { storeTimeoutMs: 60_001 }, /storeTimeoutMs/],
  ])('%s', (_, options, message) => {
    expect(() => sharedDataKeys({ ...good, ...options })).toThrow(message)
    expect(() => sharedDataKeys(good)).not.toThrow()
  })

  it('a shared level that is none', () => {
    const shared = {} as never
    expect(() => new Cluster().isolate({ shared })).toThrow(
      /shared must be the result of sharedDataKeys/,
    )
  })
})
