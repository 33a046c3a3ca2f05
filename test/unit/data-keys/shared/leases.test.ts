import { describe, expect, it } from 'vitest'
import { KmsError } from '../../../../src/index.ts'
import { encodeSlot } from '../../../../src/data-keys/shared/slot.ts'
import { StoreAuth } from '../../../../src/data-keys/shared/store-auth.ts'
import { CONTEXT, sequence } from '../../wire/fixture.ts'
import { Cluster, HOUR, PARTITION, USE } from './fixture.ts'

const never = (): Promise<never> => new Promise<never>(() => undefined)

describe('R18 the holder of the lease', () => {
  it('dies: exactly one of those who wait takes over', async () => {
    const cluster = new Cluster()
    let dead: (() => unknown) | undefined = never
    cluster.kms.before = (name) => {
      if (name !== 'generate') return undefined
      const before = dead
      dead = undefined
      return before?.() ?? new Promise<void>((go) => void cluster.world.after(100, go))
    }
    void cluster.isolate().active(CONTEXT, USE)
    await cluster.world.advance(10)
    const startMs = cluster.world.nowMs
    const caches = Array.from({ length: 50 }, () => cluster.isolate())
    await cluster.value(Promise.all(caches.map(async (cache) => cache.active(CONTEXT, USE))))
    expect(cluster.kms.count('generate')).toBe(2)
    expect(cluster.kms.count('unwrap')).toBe(49)
    expect(caches.filter((cache) => cache.stats().leases === 1)).toHaveLength(1)
    for (const cache of caches) expect(cache.stats().leaseWaits).toBe(1)
    // The lease, the longest time between two looks, and the KMS call.
    expect(cluster.world.nowMs - startMs).toBeLessThan(2_000 + 400 + 100 + 400 + 50)
  })

  it('dies while a key is there: nobody waits, and a later renewal takes over', async () => {
    const cluster = new Cluster()
    const cache = cluster.isolate({ encryptForMs: HOUR })
    await cluster.key(cache)
    await cluster.world.advance(HOUR - 50_000)
    cluster.kms.before = (name) => (name === 'generate' ? never() : undefined)
    const [dying, warm] = [cluster.isolate(), cluster.isolate()]
    for (const one of [dying, warm]) await cluster.key(one)
    await cluster.world.advance(30_000)
    await cluster.key(dying) // near its end: renewed behind this call, by a lease that nobody ends
    await cluster.world.advance(1_000)
    expect(dying.stats().leases).toBe(1)
    await cluster.key(warm)
    await cluster.world.advance(500)
    expect(warm.stats()).toMatchObject({ adoptions: 2, leaseWaits: 0, leases: 0 })
    cluster.kms.before = () => undefined
    const other = cluster.isolate()
    await cluster.key(other)
    expect(other.stats()).toMatchObject({ adoptions: 1, leaseWaits: 0, leases: 0 })
    await cluster.world.advance(12_000)
    await cluster.key(other)
    await cluster.world.advance(1_000)
    expect(other.stats().leases).toBe(1)
  })

  it('fails: it tells its caller, and the next one does not wait for the end of the lease', async () => {
    const cluster = new Cluster()
    cluster.kms.before = async () => {
      await new Promise<void>((go) => void cluster.world.after(100, go))
      if (cluster.kms.count('generate') === 1) throw new KmsError('ERR_KMS_ACCESS_DENIED')
    }
    const first = Promise.resolve(cluster.isolate().active(CONTEXT, USE))
    first.catch(() => undefined)
    await cluster.world.advance(50)
    expect(cluster.kms.count('generate')).toBe(1)
    const startMs = cluster.world.nowMs
    const second = cluster.isolate()
    const [one, other] = await Promise.allSettled([first, cluster.key(second)])
    expect(one).toMatchObject({ status: 'rejected', reason: { code: 'ERR_KMS_ACCESS_DENIED' } })
    expect(other.status).toBe('fulfilled')
    expect(cluster.world.nowMs - startMs).toBeLessThan(1_000)
    expect(second.stats().leases).toBe(1)
  })

  it('gives up: the next one does not wait for the end of the lease', async () => {
    const cluster = new Cluster()
    cluster.kms.before = (name) =>
      name === 'generate' && cluster.kms.count(name) === 1 ? never() : undefined
    const control = new AbortController()
    const { signal } = control
    const first = Promise.resolve(cluster.isolate().active(CONTEXT, { ...USE, signal }))
    const failed = expect(first).rejects.toThrow('enough')
    await cluster.world.advance(20)
    control.abort(new Error('enough'))
    await failed
    await cluster.world.advance(20)
    const startMs = cluster.world.nowMs
    await cluster.key(cluster.isolate())
    expect(cluster.world.nowMs - startMs).toBeLessThan(100)
  })

  it('is left alone by those whose clocks are ahead, by as much as a lease', async () => {
    const cluster = new Cluster()
    cluster.kms.before = (name) =>
      name === 'generate'
        ? new Promise<void>((go) => void cluster.world.after(1_500, go))
        : undefined
    const { world } = cluster
    const ahead = {
      now: () => world.now() + 2_000,
      randomFill: (bytes: Uint8Array<ArrayBuffer>) => world.randomFill(bytes),
    }
    const first = cluster.key(cluster.isolate())
    await world.advance(10)
    const caches = Array.from({ length: 20 }, () => cluster.isolate({ runtime: ahead }))
    await cluster.value(Promise.all(caches.map(async (cache) => cache.active(CONTEXT, USE))))
    await first
    expect(cluster.kms.count('generate')).toBe(1)
  })

  it('is slower than its lease: two keys are made, and both are good', async () => {
    const cluster = new Cluster()
    cluster.kms.before = (name) =>
      name === 'generate' && cluster.kms.count(name) === 1
        ? new Promise<void>((go) => void cluster.world.after(4_000, go))
        : undefined
    const slow = Promise.resolve(cluster.isolate().active(CONTEXT, USE))
    // It has its lease, and asks: which of two is first depends on the platform's threads.
    await cluster.world.advance(50)
    expect(cluster.kms.count('generate')).toBe(1)
    const other = await cluster.key(cluster.isolate())
    expect((await cluster.value(slow)).header.commitment).not.toEqual(other.header.commitment)
    const late = await cluster.key(cluster.isolate())
    expect(late.header.commitment).toEqual(other.header.commitment)
    expect(cluster.kms.count('generate')).toBe(2)
  })

  it('is waited for no longer than waitMs, and half of the time that a call has', async () => {
    for (const [sharing, deadlineMs, leastMs, mostMs] of [
      [{ leaseMs: 60_000, waitMs: 700 }, undefined, 700, 1_200],
      [{ leaseMs: 60_000, waitMs: 0 }, undefined, 0, 50],
      [{ leaseMs: 60_000 }, 2_000, 1_000, 1_500],
    ] as const) {
      const cluster = new Cluster()
      cluster.kms.before = (name) =>
        name === 'generate' && cluster.kms.count(name) === 1 ? never() : undefined
      void cluster.isolate({ sharing }).active(CONTEXT, USE)
      await cluster.world.advance(20)
      const startMs = cluster.world.nowMs
      const cache = cluster.isolate({ sharing })
      const use = { ...USE, ...(deadlineMs !== undefined && { deadlineMs: startMs + deadlineMs }) }
      await cluster.key(cache, CONTEXT, use)
      expect(cluster.world.nowMs - startMs).toBeGreaterThanOrEqual(leastMs)
      expect(cluster.world.nowMs - startMs).toBeLessThan(mostMs)
      expect(cache.stats()).toMatchObject({ leases: 0, adoptions: 0 })
    }
  })
})

it('R18 a clock that stands still, as on Workers, ends every wait all the same', async () => {
  const cluster = new Cluster()
  cluster.kms.before = (name) =>
    name === 'generate' && cluster.kms.count(name) === 1 ? never() : undefined
  const { world } = cluster
  const stands = world.nowMs
  const runtime = {
    now: () => stands,
    randomFill: (bytes: Uint8Array<ArrayBuffer>) => world.randomFill(bytes),
  }
  void cluster.isolate({ runtime }).active(CONTEXT, USE)
  await world.advance(20)
  const cache = cluster.isolate({ runtime })
  await cluster.key(cache)
  expect(world.nowMs - stands).toBeLessThan(2_000 + 1_000)
  expect(cache.stats().leases).toBe(1)
})

it('R18 a clock that is set back prolongs the wait for a holder that has died by one look at most', async () => {
  const took = async (setBackMs: number): Promise<number> => {
    const cluster = new Cluster()
    const { world } = cluster
    cluster.kms.before = (name) =>
      name === 'generate' && cluster.kms.count(name) === 1 ? never() : undefined
    // A slow store: only the clock sees the time that it takes, the timers of the waiter do not.
    cluster.store.before = () => new Promise<void>((go) => void world.after(200, go))
    const sharing = { leaseMs: 3_000 }
    void cluster.isolate({ sharing }).active(CONTEXT, USE)
    await world.advance(700)
    let backMs = 0
    const runtime = {
      now: () => world.nowMs - backMs,
      randomFill: (bytes: Uint8Array<ArrayBuffer>) => world.randomFill(bytes),
    }
    const startMs = world.nowMs
    const cache = cluster.isolate({ sharing, runtime })
    const waiting = Promise.resolve(cache.active(CONTEXT, USE))
    await world.advance(2_700)
    backMs = setBackMs
    await cluster.value(waiting)
    expect(cache.stats()).toMatchObject({ leases: 1, adoptions: 0 })
    return world.nowMs - startMs
  }
  expect(await took(2_600)).toBeLessThanOrEqual((await took(0)) + 400 + 200)
})

describe('a lease that says what cannot be', () => {
  it.each([
    ['that it never ends', Number.MAX_SAFE_INTEGER, 2_000],
    ['that it ended', 0, 0],
  ])('%s is not waited for longer than a lease may last', async (_, untilMs, waitedMs) => {
    const cluster = new Cluster()
    const options = { sharing: { trustedStore: true } }
    await cluster.key(cluster.isolate(options))
    const lease = { holder: sequence(16), untilMs }
    const auth = new StoreAuth(PARTITION, undefined)
    const { name } = cluster.slot
    cluster.plant(name, await encodeSlot(auth, name, { epoch: new Uint8Array(16), lease }))
    const startMs = cluster.world.nowMs
    const cache = cluster.isolate(options)
    await cluster.key(cache)
    expect(cluster.world.nowMs - startMs).toBeGreaterThanOrEqual(waitedMs)
    expect(cluster.world.nowMs - startMs).toBeLessThan(waitedMs + 500)
    expect(cache.stats().leases).toBe(1)
  })

  it('is not waited for at all without its MAC', async () => {
    const cluster = new Cluster()
    await cluster.key(cluster.isolate())
    const lease = { holder: sequence(16), untilMs: Number.MAX_SAFE_INTEGER }
    const forger = new StoreAuth(PARTITION, sequence(32, 99))
    const { name } = cluster.slot
    cluster.plant(name, await encodeSlot(forger, name, { epoch: new Uint8Array(16), lease }))
    const cache = cluster.isolate()
    await cluster.key(cache)
    expect(cache.stats()).toMatchObject({ leases: 1, leaseWaits: 0, adoptionsRefused: 1 })
  })
})
