import { describe, expect, it } from 'vitest'
import { CachedKms, EnvelopeCipher, type KmsErrorCode } from '../../../../src/index.ts'
import { StoreAuth } from '../../../../src/data-keys/shared/store-auth.ts'
import { CONTEXT, sequence } from '../../wire/fixture.ts'
import { Cluster, EventualKeyValues, PARTITION, STORE_KEY, USE } from './fixture.ts'

const OTHER = { tenant: 'other' }
const SIGNAL = 10_000

/** Caches that hold the keys of two contexts. */
async function warm(cluster: Cluster, count: number, options = {}): Promise<CachedKms[]> {
  const caches = Array.from({ length: count }, () => cluster.isolate(options))
  for (const cache of caches)
    for (const context of [CONTEXT, OTHER]) await cluster.key(cache, context)
  cluster.kms.calls.length = 0
  return caches
}

/** Whether the cache has an active key of the context at hand. */
function holds(cache: CachedKms, context = CONTEXT): boolean {
  const key = cache.active(context, USE)
  if (!(key instanceof Promise)) return true
  void key.catch(() => undefined)
  return false
}

describe('invalidate, in this process', () => {
  it('drops one context, one data key, or everything', async () => {
    const cluster = new Cluster()
    for (const [what, left] of [
      [{ context: CONTEXT }, [false, true]],
      [undefined, [false, false]],
      [{}, [false, false]],
    ] as const) {
      const [cache] = await warm(cluster, 1)
      await cluster.value(cache?.invalidate(what) ?? Promise.reject(new Error('no cache')))
      if (cache === undefined) throw new Error('no cache')
      expect([holds(cache), holds(cache, OTHER)]).toEqual(left)
      await cluster.world.advance(1_000)
    }
    const [cache] = await warm(cluster, 1)
    if (cache === undefined) throw new Error('no cache')
    const { commitment } = (await cluster.key(cache)).header
    await cluster.value(cache.invalidate({ commitment }))
    expect([holds(cache), holds(cache, OTHER)]).toEqual([false, true])
  })

  it('drops what readers hold of it too', async () => {
    const cluster = new Cluster()
    const cache = cluster.isolate()
    const headers = []
    const maker = new CachedKms({ maxEntries: 0, kms: cluster.kms, runtime: cluster.world })
    for (const context of [CONTEXT, OTHER]) {
      const { header } = await cluster.value(Promise.resolve(maker.active(context, USE)))
      headers.push(header)
      await cluster.value(Promise.resolve(cache.open(header, context, {})))
    }
    const [mine, others] = headers
    if (mine === undefined || others === undefined) throw new Error('no headers')
    await cluster.value(cache.invalidate({ context: CONTEXT }))
    cluster.kms.calls.length = 0
    await cluster.value(Promise.resolve(cache.open(others, OTHER, {})))
    expect(cluster.kms.calls).toEqual([])
    await cluster.value(Promise.resolve(cache.open(mine, CONTEXT, {})))
    expect(cluster.kms.calls).toEqual(['unwrap'])
    await cluster.value(cache.invalidate({ commitment: mine.commitment }))
    await cluster.value(Promise.resolve(cache.open(mine, CONTEXT, {})))
    expect(cluster.kms.calls).toEqual(['unwrap', 'unwrap'])
  })

  it('lets no answer that was under way be held', async () => {
    const cluster = new Cluster()
    const cache = cluster.isolate()
    const pending = Promise.resolve(cache.active(CONTEXT, USE))
    await cluster.world.advance(6)
    void cache.invalidate({ context: CONTEXT })
    await cluster.value(pending)
    expect(holds(cache)).toBe(false)
    await cluster.world.advance(1_000)
  })

  it('ends with nothing held, or on its way, that was adopted while the others were told', async () => {
    const cluster = new Cluster()
    const olds = new Map<string, string>()
    for (const tenant of ['held', 'under way']) {
      olds.set(tenant, String((await cluster.key(cluster.isolate(), { tenant })).header.commitment))
    }
    const cache = cluster.isolate()
    await cluster.key(cache, OTHER)
    const { world, store, kms } = cluster
    // The write of the signal takes long; a reader sees the old value meanwhile.
    store.before = () => {
      const isPut = store.calls.at(-1)?.startsWith('put') === true
      return new Promise<void>((go) => void world.after(isPut ? 400 : 5, go))
    }
    const take = (tenant: string): Promise<string> =>
      Promise.resolve(cache.active({ tenant }, USE)).then(({ header }) => String(header.commitment))
    const done = cache.invalidate()
    const during = take('held')
    await world.advance(350)
    expect(await during).toBe(olds.get('held'))
    kms.before = () => new Promise<void>((go) => void world.after(100, go))
    const late = take('under way')
    await cluster.value(done)
    expect(await cluster.value(late)).not.toBe(olds.get('under way'))
    for (const [tenant, old] of olds) expect(await cluster.value(take(tenant))).not.toBe(old)
  })

  it('is not stale-if-error either', async () => {
    const cluster = new Cluster()
    const [cache] = await warm(cluster, 1)
    if (cache === undefined) throw new Error('no cache')
    await cluster.value(cache.invalidate({ context: CONTEXT }))
    cluster.kms.before = () => Promise.reject(new Error('down'))
    await expect(cluster.key(cache)).rejects.toMatchObject({ code: 'ERR_KMS_UNAVAILABLE' })
  })

  it.each<[string, unknown, KmsErrorCode]>([
    ['null', null, 'ERR_KMS_CONFIG'],
    ['a misspelt scope', { contexts: CONTEXT }, 'ERR_KMS_CONFIG'],
    ['two scopes', { context: CONTEXT, commitment: sequence(32) }, 'ERR_KMS_CONFIG'],
    ['a commitment in text', { commitment: 'x' }, 'ERR_KMS_CONFIG'],
    ['a part of a commitment', { commitment: sequence(31) }, 'ERR_KMS_CONFIG'],
    ['more than a commitment', { commitment: sequence(43) }, 'ERR_KMS_CONFIG'],
    ['an empty commitment', { commitment: new Uint8Array() }, 'ERR_KMS_CONFIG'],
    ['a context that is none', { context: { tenant: 7 } }, 'ERR_CONTEXT_INVALID'],
  ])('refuses %s', async (_, what, code) => {
    const cluster = new Cluster()
    const [cache] = await warm(cluster, 1)
    await expect(cache?.invalidate(what as never)).rejects.toMatchObject({ code })
  })
})

describe('invalidate, for the others', () => {
  it('reaches a cache in use within signalMs and one call of the store, and not before a look', async () => {
    const cluster = new Cluster()
    const [one, other] = await warm(cluster, 2)
    if (one === undefined || other === undefined) throw new Error('no caches')
    holds(other)
    await cluster.world.advance(1)
    await cluster.value(one.invalidate())
    const toldMs = cluster.world.nowMs
    let droppedMs: number | undefined
    for (let step = 0; droppedMs === undefined && step < 200; step += 1) {
      await cluster.world.advance(100)
      if (!holds(other)) droppedMs = cluster.world.nowMs
    }
    expect(droppedMs).toBeLessThanOrEqual(toldMs + SIGNAL + 5 + 200)
    expect(droppedMs).toBeGreaterThan(toldMs + SIGNAL / 2)
    expect(other.stats().signals).toBe(1)
    expect(one.stats().signals).toBe(0)
  })

  it('reaches readers as well', async () => {
    const cluster = new Cluster()
    const [one, other] = [cluster.isolate(), cluster.isolate()]
    const runtime = cluster.world
    const options = { context: CONTEXT }
    const envelope = await cluster.value(
      new EnvelopeCipher({ keys: one, runtime }).encrypt(new Uint8Array(4), options),
    )
    const reader = new EnvelopeCipher({ keys: other, runtime })
    await cluster.value(reader.decrypt(envelope, options))
    await cluster.value(one.invalidate())
    cluster.kms.calls.length = 0
    await cluster.world.advance(SIGNAL)
    await cluster.value(reader.decrypt(envelope, options))
    await cluster.world.advance(100)
    await cluster.value(reader.decrypt(envelope, options))
    expect(cluster.kms.calls).toEqual(['unwrap'])
  })

  it('makes what is shared worthless: no cold isolate adopts it', async () => {
    const cluster = new Cluster()
    const [one] = await warm(cluster, 1)
    const before = await cluster.key(one as CachedKms)
    await cluster.value((one as CachedKms).invalidate())
    const cold = cluster.isolate()
    const key = await cluster.key(cold)
    expect(key.header.commitment).not.toEqual(before.header.commitment)
    expect(cold.stats()).toMatchObject({ adoptions: 0, adoptionsRefused: 1, leases: 1, signals: 0 })
    expect(holds(cold)).toBe(true)
    const next = cluster.isolate()
    expect((await cluster.key(next)).header.commitment).toEqual(key.header.commitment)
  })

  it('costs a cache in use one read in signalMs, in the background, and no other', async () => {
    const cluster = new Cluster()
    const [cache] = await warm(cluster, 1)
    if (cache === undefined) throw new Error('no cache')
    const start = cluster.store.calls.length
    const deferred: Promise<unknown>[] = []
    const use = { ...USE, defer: (work: Promise<unknown>) => void deferred.push(work) }
    for (let second = 0; second < 60; second += 1) {
      for (let i = 0; i < 50; i += 1) expect(cache.active(CONTEXT, use)).not.toBeInstanceOf(Promise)
      await cluster.world.advance(1_000)
    }
    expect(cluster.store.calls.length - start).toBe(5)
    expect(deferred).toHaveLength(5)
    expect(cluster.kms.calls).toEqual([])
  })

  it('on an eventual store arrives when the write does', async () => {
    const cluster = new Cluster()
    const store = new EventualKeyValues(cluster.world, 60_000)
    const [one, other] = [1, 2].map(() => cluster.isolate({ sharing: { store } }))
    if (one === undefined || other === undefined) throw new Error('no caches')
    for (const cache of [one, other]) await cluster.key(cache)
    await cluster.value(one.invalidate())
    await cluster.world.advance(59_000)
    expect(holds(other)).toBe(true)
    await cluster.world.advance(1_000 + SIGNAL)
    expect(holds(other)).toBe(true)
    await cluster.world.advance(100)
    expect(holds(other)).toBe(false)
    await cluster.world.advance(1_000)
  })

  it('on an eventual store is not forgotten by who said it, while the store shows what was before', async () => {
    const cluster = new Cluster()
    const store = new EventualKeyValues(cluster.world, 60_000)
    const cache = cluster.isolate({ sharing: { store } })
    const before = await cluster.key(cache)
    await cluster.world.advance(61_000)
    await cluster.value(cache.invalidate())
    cluster.kms.calls.length = 0
    for (let i = 0; i < 5; i += 1) {
      await cluster.world.advance(SIGNAL)
      const key = await cluster.key(cache)
      expect(key.header.commitment).not.toEqual(before.header.commitment)
    }
    expect(cluster.kms.calls).toEqual(['generate'])
    expect(cache.stats().signals).toBe(0)
  })

  it.each([-400_000, -120_000, -30_000, 30_000, 120_000, 400_000])(
    'on a strong store is heard whatever the clocks say: %i ms apart',
    async (skewMs) => {
      const cluster = new Cluster()
      const { world } = cluster
      const [one, other] = await warm(cluster, 2)
      const runtime = {
        now: () => world.now() + skewMs,
        randomFill: world.randomFill.bind(world),
      }
      const apart = cluster.isolate({ runtime })
      if (one === undefined || other === undefined) throw new Error('no caches')
      for (const [n, from] of [apart, one, apart, one].entries()) {
        await cluster.value(from.invalidate())
        await world.advance(20_000)
        holds(other)
        await world.advance(100)
        expect(other.stats().signals).toBe(n + 1)
        await cluster.key(other)
      }
    },
  )

  it('of two at once on a strong store, both processes go by the one that is left', async () => {
    const cluster = new Cluster()
    const { world } = cluster
    const [one, other] = await warm(cluster, 2)
    if (one === undefined || other === undefined) throw new Error('no caches')
    // The one that is stamped first lands last.
    let puts = 0
    cluster.store.before = () => {
      const isPut = cluster.store.calls.at(-1)?.startsWith('put') === true
      return new Promise<void>((go) => void world.after(isPut && puts++ === 0 ? 50 : 5, go))
    }
    const first = one.invalidate()
    await world.advance(1)
    const second = other.invalidate()
    await cluster.value(Promise.all([first, second]))
    for (let i = 0; i < 3; i += 1) {
      await world.advance(SIGNAL)
      for (const cache of [one, other]) await cluster.key(cache)
    }
    const keys = [await cluster.key(one), await cluster.key(other)]
    expect(keys[0]?.header.commitment).toEqual(keys[1]?.header.commitment)
  })

  it('while a process that has just begun cannot reach the store, is heard when it can', async () => {
    const cluster = new Cluster()
    const [one] = await warm(cluster, 1)
    const maker = new CachedKms({ maxEntries: 0, kms: cluster.kms, runtime: cluster.world })
    const { header } = await cluster.value(Promise.resolve(maker.active(CONTEXT, USE)))
    const reader = cluster.isolate()
    const { before } = cluster.store
    const down = (): never => {
      throw new Error('down')
    }
    const open = (): Promise<unknown> =>
      cluster.value(Promise.resolve(reader.open(header, CONTEXT, {})))
    cluster.store.before = down
    await open()
    await cluster.world.advance(5_000)
    cluster.store.before = before
    await cluster.value((one as CachedKms).invalidate())
    cluster.store.before = down
    for (let i = 0; i < 20; i += 1) {
      await open()
      await cluster.world.advance(SIGNAL)
    }
    expect(reader.stats().signals).toBe(0)
    cluster.store.before = before
    await open()
    await cluster.world.advance(100)
    expect(reader.stats()).toMatchObject({ signals: 1, entries: 0 })
  })

  it('is tried although the store failed a moment ago', async () => {
    const cluster = new Cluster()
    const [cache] = await warm(cluster, 1)
    if (cache === undefined) throw new Error('no cache')
    const { before } = cluster.store
    cluster.store.before = () => {
      throw new Error('down')
    }
    await expect(cluster.value(cache.invalidate())).rejects.toThrow()
    cluster.store.before = before
    await cluster.value(cache.invalidate())
  })

  it('says so where the store does not take it, and has dropped here for good', async () => {
    const cluster = new Cluster()
    const [cache] = await warm(cluster, 1)
    if (cache === undefined) throw new Error('no cache')
    const old = await cluster.key(cache)
    const { before } = cluster.store
    cluster.store.before = () => {
      throw new Error('down')
    }
    const work = cluster.value(cache.invalidate())
    await expect(work).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    cluster.store.before = before
    await cluster.world.advance(5_000)
    // The old one is still in the store.
    expect((await cluster.key(cache)).header.commitment).not.toEqual(old.header.commitment)
    expect(cache.stats().adoptions).toBe(0)
  })

  it('that cannot be heard changes nothing: what is held ends by its own time', async () => {
    const cluster = new Cluster()
    const [cache] = await warm(cluster, 1)
    if (cache === undefined) throw new Error('no cache')
    cluster.store.before = () => {
      throw new Error('down')
    }
    await cluster.world.advance(SIGNAL)
    expect(holds(cache)).toBe(true)
    await cluster.world.advance(100)
    expect(holds(cache)).toBe(true)
    expect(cache.stats().storeFailures).toBe(1)
  })

  it('is heard by a reader that started in the same moment', async () => {
    const cluster = new Cluster()
    const [one] = await warm(cluster, 1)
    const maker = new CachedKms({ maxEntries: 0, kms: cluster.kms, runtime: cluster.world })
    const { header } = await cluster.value(Promise.resolve(maker.active(CONTEXT, USE)))
    const reader = cluster.isolate()
    // It opens before the store shows the signal, which its first look finds.
    let slow = true
    cluster.store.before = () =>
      new Promise<void>((go) => void cluster.world.after(slow ? 400 : 5, go))
    const opened = Promise.resolve(reader.open(header, CONTEXT, {}))
    await cluster.world.advance(10)
    await opened
    slow = false
    await cluster.value((one as CachedKms).invalidate())
    await cluster.world.advance(1_000)
    expect(reader.stats()).toMatchObject({ signals: 1, entries: 0 })
  })
})

describe('an epoch that is forged', () => {
  it.each<[string, (auth: StoreAuth, name: string) => Promise<Uint8Array<ArrayBuffer>>]>([
    ['without the key', (_, name) => epochOf(new StoreAuth(PARTITION, sequence(32, 5)), name)],
    ['with no MAC', (_, name) => epochOf(new StoreAuth(PARTITION, undefined), name)],
    ['too short', async () => new Uint8Array(3)],
    ['empty', async () => new Uint8Array(0)],
    ['of another version', async (auth, name) => epochOf(auth, name, 2)],
  ])('%s can only make caches drop', async (_, forge) => {
    const cluster = new Cluster()
    const auth = new StoreAuth(PARTITION, STORE_KEY)
    const name = await auth.epochName()
    const [one, other] = await warm(cluster, 2)
    if (one === undefined || other === undefined) throw new Error('no caches')
    await cluster.value(one.invalidate())
    await cluster.world.advance(SIGNAL)
    holds(other)
    await cluster.world.advance(1_000)
    expect(other.stats().signals).toBe(1)
    const before = await cluster.key(other)
    cluster.plant(name, await forge(auth, name))
    await cluster.world.advance(SIGNAL)
    holds(other)
    await cluster.world.advance(100)
    expect(other.stats().signals, 'a signal is not taken back so soon').toBe(1)
    await cluster.world.advance(300_000)
    await cluster.key(other)
    await cluster.world.advance(SIGNAL)
    holds(other)
    await cluster.world.advance(100)
    expect(other.stats().signals).toBe(2)
    // Writers do not adopt a key that was shared under the old epoch, and go on.
    const key = await cluster.key(cluster.isolate())
    expect(key.header.commitment).not.toEqual(before.header.commitment)
  })
})

it('an epoch that is forged where there was none keeps nobody from adopting', async () => {
  const cluster = new Cluster()
  await cluster.key(cluster.isolate())
  const name = await new StoreAuth(PARTITION, STORE_KEY).epochName()
  cluster.plant(name, await epochOf(new StoreAuth(PARTITION, sequence(32, 5)), name))
  const cold = cluster.isolate()
  await cluster.key(cold)
  expect(cold.stats()).toMatchObject({ adoptions: 1, adoptionsRefused: 0, signals: 0 })
})

it('W5.7 what was learnt of the store goes with the keys on clear', async () => {
  const cluster = new Cluster()
  const cache = cluster.isolate()
  await cluster.key(cache)
  cache.clear()
  cluster.store.calls.length = 0
  await cluster.key(cache)
  // Slot and epoch, as at the first start.
  expect(cluster.store.calls.filter((call) => call.startsWith('get'))).toHaveLength(2)
})

async function epochOf(
  auth: StoreAuth,
  name: string,
  version = 1,
): Promise<Uint8Array<ArrayBuffer>> {
  const body = new Uint8Array([version, ...sequence(16, 40), 0, 0, 0, 0, 0, 0, 0, 0])
  return new Uint8Array([...body, ...(await auth.valueMac(name, body))])
}
