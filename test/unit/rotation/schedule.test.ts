import { describe, expect, it } from 'vitest'
import {
  type KeyManagementService,
  KmsError,
  type KeyValueStore,
  type KeyValueWriteOptions,
} from '../../../src/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'
import {
  scheduledRotation,
  type ScheduledFailure,
  type ScheduledRotationOptions,
} from '../../../src/rotation/index.ts'
import { MemoryKeyValueStore } from '../../../src/stores/index.ts'
import { Clock, kmsAt, type MemorySource, StagedKms } from './fixture.ts'
import { tableOf } from './tables.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

/** A KMS whose KEK can be rotated, over the keys of version 1 of the fixture. */
function rotatable(): KeyManagementService {
  let now = 1
  const kms = new Proxy(
    {},
    {
      get: (_, name: string): unknown => {
        if (name === 'rotateKey')
          return () => {
            now += 1
            return kmsAt(now).currentVersion({})
          }
        const member: unknown = Reflect.get(kmsAt(now), name)
        return typeof member === 'function' ? member.bind(kmsAt(now)) : member
      },
    },
  )
  return kms as KeyManagementService
}

interface World {
  readonly clock: Clock
  readonly source: MemorySource
  readonly store: MemoryKeyValueStore
  readonly failures: ScheduledFailure[]
  readonly kms: KeyManagementService
  readonly schedule: (
    options?: Partial<ScheduledRotationOptions>,
    kms?: KeyManagementService,
  ) => ReturnType<typeof scheduledRotation>
}

async function world(): Promise<World> {
  const clock = new Clock()
  const source = await tableOf(3)
  const store = new MemoryKeyValueStore({ runtime: clock.runtime })
  const failures: ScheduledFailure[] = []
  const kms = rotatable()
  const schedule: World['schedule'] = (options, given = kms) =>
    scheduledRotation({
      rotation: { kms: given, sources: [source], pageSize: 1, ...clock.ports },
      policy: { maxAgeMs: 30 * DAY_MS },
      lease: store,
      onFailure: (failure) => void failures.push(failure),
      ...options,
    })
  return { clock, source, store, failures, kms, schedule }
}

describe('scheduledRotation', () => {
  it('makes a new version once the current one is too old, and rewraps', async () => {
    const { schedule, clock, failures } = await world()
    const { run } = schedule()
    expect(await run({})).toMatchObject({ status: 'finished', rotated: false })
    expect(await run({})).toEqual({ status: 'idle' })
    clock.nowMs += 30 * DAY_MS - 1_000
    expect(await run({})).toEqual({ status: 'idle' })
    clock.nowMs += 1_000
    const rotated = await run({})
    expect(rotated).toMatchObject({
      status: 'finished',
      rotated: true,
      result: { deksRotated: 3, newVersion: [{ kekVersion: '2' }] },
    })
    expect(await run({})).toEqual({ status: 'idle' })
    expect(failures).toEqual([])
  })

  it('remembers the age of a version for a year, however seldom it runs', async () => {
    const { schedule, clock } = await world()
    const { run } = schedule({ policy: { maxAgeMs: 700 * DAY_MS } })
    await run({})
    clock.nowMs += 365 * DAY_MS
    expect(await run({})).toEqual({ status: 'idle' })
    clock.nowMs += 365 * DAY_MS
    expect(await run({})).toMatchObject({ status: 'finished', rotated: true })
  })

  it("follows the vendor's own rotation, and makes no version with version: 'changed'", async () => {
    const { schedule, clock, kms } = await world()
    const { run } = schedule({ policy: { version: 'changed' } })
    await run({})
    clock.nowMs += 300 * DAY_MS
    expect(await run({})).toEqual({ status: 'idle' })
    await kms.rotateKey({})
    expect(await run({})).toMatchObject({
      status: 'finished',
      rotated: false,
      result: { deksRotated: 3 },
    })
  })

  it('makes no second version when the clock goes back', async () => {
    const { schedule, clock } = await world()
    const { run } = schedule()
    clock.nowMs += 100 * DAY_MS
    await run({})
    clock.nowMs -= 100 * DAY_MS
    expect(await run({})).toEqual({ status: 'idle' })
    clock.nowMs += 30 * DAY_MS
    expect(await run({})).toMatchObject({ status: 'finished', rotated: true })
  })

  it('lets one of two that start at once work', async () => {
    const { schedule } = await world()
    const both = await Promise.all([schedule().run({}), schedule().run({})])
    expect(both.map(({ status }) => status).sort()).toEqual(['busy', 'finished'])
  })

  it('gives the lease back, also after a failure', async () => {
    const { schedule, kms } = await world()
    const staged = new StagedKms(kms)
    staged.stage = () => {
      throw new KmsError('ERR_KMS_ACCESS_DENIED')
    }
    await expect(schedule({}, staged).run({})).rejects.toMatchObject({
      code: 'ERR_KMS_ACCESS_DENIED',
    })
    expect(await schedule().run({})).toMatchObject({ status: 'finished' })
  })

  it('waits no longer than the lease lasts for a process that died', async () => {
    const { schedule, store, clock } = await world()
    const dead = new Uint8Array(16).fill(7)
    await store.compareAndSwap('edge-kms/rotation/lease-rotation', undefined, dead, {
      ttlMs: 60_000,
    })
    expect(await schedule().run({})).toEqual({ status: 'busy' })
    clock.nowMs += 120_001
    expect(await schedule().run({})).toMatchObject({ status: 'finished' })
  })

  it('stops when the lease is lost, and rotates nothing', async () => {
    const { schedule, store, source, clock, failures, kms } = await world()
    await schedule().run({})
    clock.nowMs += 30 * DAY_MS
    const key = 'edge-kms/rotation/lease-rotation'
    const thief = async (): Promise<void> => store.put(key, new Uint8Array(16), { ttlMs: HOUR_MS })
    const staged = new StagedKms(kms)
    staged.stage = (operation) => (operation === 'currentVersion' ? thief() : undefined)
    await expect(schedule({}, staged).run({})).rejects.toMatchObject({ code: 'ERR_STORE_CONFLICT' })
    expect(staged.calls).not.toContain('rotateKey')
    expect(failures).toMatchObject([{ job: 'rotation', error: { code: 'ERR_STORE_CONFLICT' } }])
    expect(await store.get(key)).toEqual(new Uint8Array(16)) // it is not given back for another
    await store.delete(key)
    source.before = async (call) => {
      if (call === 'swap') await thief()
      await clock.sleep(30_000)
    }
    await expect(schedule().run({})).rejects.toMatchObject({ code: 'ERR_STORE_CONFLICT' })
    expect(source.calls.filter((call) => call === 'swap')).toHaveLength(1)
  })

  it('stops when the store does not answer for as long as the lease lasts', async () => {
    const { schedule, store, source, clock, kms } = await world()
    await kms.rotateKey({})
    let isDown = false
    const flaky = Object.assign(Object.create(store) as KeyValueStore, {
      capabilities: store.capabilities,
      get: (key: string) => store.get(key),
      compareAndSwap: (
        ...args: [string, Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>, KeyValueWriteOptions]
      ) =>
        isDown && args[0].includes('lease')
          ? Promise.reject(new KmsError('ERR_STORE_UNAVAILABLE'))
          : store.compareAndSwap(...args),
    })
    source.before = async () => {
      isDown = true
      await clock.sleep(25_000)
    }
    await expect(schedule({ lease: flaky }).run({})).rejects.toMatchObject({
      code: 'ERR_STORE_CONFLICT',
    })
  })

  it('keeps the lease for as long as it works', async () => {
    const { schedule, source, clock, kms } = await world()
    await kms.rotateKey({})
    const others: unknown[] = []
    source.before = async () => {
      await clock.sleep(50_000)
      others.push((await schedule().run({})).status)
    }
    expect(await schedule().run({})).toMatchObject({ status: 'finished' })
    expect(others.length).toBeGreaterThan(5)
    expect(new Set(others)).toEqual(new Set(['busy']))
  })

  it('leaves the rest to the next run when its time is over', async () => {
    const { schedule, source, clock, kms } = await world()
    await kms.rotateKey({})
    source.before = () => clock.sleep(1_000)
    const { run } = schedule({ runMs: 1_500 })
    const seen: string[] = []
    for (let runs = 0; runs < 30 && seen.at(-1) !== 'finished'; runs += 1)
      seen.push((await run({})).status)
    expect(seen.filter((status) => status === 'continues').length).toBeGreaterThan(1)
    expect(seen.at(-1)).toBe('finished')
  })

  it('tells onFailure of a job that has stopped, and of what the caller made wrong', async () => {
    const { schedule, source, failures } = await world()
    for (let id = 0; id < 200; id += 1) source.set(`bad${String(id)}`, { secret: 'ek1.!' })
    const stopped = await schedule().run({})
    expect(stopped.status).toBe('stopped')
    expect(failures).toMatchObject([{ job: 'rotation', result: { phase: 'stopped' } }])
    const lease = (): never => {
      throw new Error('no binding')
    }
    await expect(schedule({ lease }).run({})).rejects.toThrow('no binding')
    expect(failures[1]).toMatchObject({ error: { message: 'no binding' } })
  })

  it.each<[string, ScheduledRotationOptions['onFailure']]>([
    ['fails', () => Promise.reject(new Error('pager'))],
    [
      'throws',
      () => {
        throw new Error('pager')
      },
    ],
    ['never ends', () => new Promise<void>(() => undefined)],
  ])('throws its own error when onFailure %s', async (_, onFailure) => {
    const { schedule, kms } = await world()
    const staged = new StagedKms(kms)
    staged.stage = () => {
      throw new KmsError('ERR_KMS_ACCESS_DENIED')
    }
    const options = { ...(onFailure && { onFailure }), onFailureMs: 100 }
    await expect(schedule(options, staged).run({})).rejects.toMatchObject({
      code: 'ERR_KMS_ACCESS_DENIED',
    })
  })

  it('ends at once when the caller aborts, and tells nobody', async () => {
    const { schedule, failures, source } = await world()
    const controller = new AbortController()
    source.before = () => {
      controller.abort(new Error('shutdown'))
    }
    await expect(schedule().run({}, { signal: controller.signal })).rejects.toThrow('shutdown')
    expect(failures).toEqual([])
  })

  it("is the handler of a Worker's cron trigger, with its bindings", async () => {
    const { store, source, clock, kms } = await world()
    interface Env {
      readonly LEASE: KeyValueStore
      readonly KMS: KeyManagementService
    }
    await kms.rotateKey({})
    const { scheduled } = scheduledRotation<Env>({
      rotation: ({ KMS }) => ({ kms: KMS, sources: [source], ...clock.ports }),
      policy: { version: 'changed' },
      lease: ({ LEASE }) => LEASE,
    })
    await scheduled({ cron: '0 * * * *' }, { LEASE: store, KMS: kms }, {})
    const { run } = scheduledRotation<Env>({
      rotation: ({ KMS }) => ({ kms: KMS, sources: [source], ...clock.ports }),
      policy: { version: 'changed' },
      lease: ({ LEASE }) => LEASE,
    })
    expect(await run({ LEASE: store, KMS: kms })).toEqual({ status: 'idle' })
  })

  it("is the handler of a Lambda function, and ends before the function's time is over", async () => {
    const { schedule, source, clock, kms } = await world()
    await kms.rotateKey({})
    source.before = () => clock.sleep(1_000)
    const { lambda } = schedule()
    const context = { getRemainingTimeInMillis: () => 21_500 }
    expect(await lambda({}, context)).toMatchObject({ status: 'continues' })
    expect(() => lambda({}, {} as never)).toThrow('context')
    source.before = () => undefined
    expect(await lambda({}, { getRemainingTimeInMillis: () => 900_000 })).toMatchObject({
      status: 'finished',
    })
  })

  it.each<[string, object]>([
    ['policy', { policy: {} }],
    ['policy', { policy: { maxAgeMs: DAY_MS, version: 'changed' } }],
    ['policy.maxAgeMs', { policy: { maxAgeMs: 1 } }],
    ['policy.version', { policy: { version: 'new' } }],
    ['leaseMs', { leaseMs: 1 }],
    ['runMs', { runMs: 0 }],
    ['onFailureMs', { onFailureMs: Infinity }],
    ['onFailure', { onFailure: 'page' }],
    ['lease', { lease: undefined }],
    ['rotation', { rotation: 'all' }],
    ['every', { every: 'hour' }],
  ])('refuses a wrong option %s', async (name, wrong) => {
    const { schedule } = await world()
    expect(() => schedule(wrong)).toThrow(name)
  })

  it('refuses a store in which two could hold the lease', async () => {
    const { schedule, store } = await world()
    for (const weaker of [{ consistency: 'eventual' }, { compareAndSwap: false }]) {
      const lease = Object.assign(Object.create(store) as KeyValueStore, {
        capabilities: { ...store.capabilities, ...weaker },
        get: () => Promise.resolve(undefined),
        compareAndSwap: () => Promise.resolve(true),
      })
      await expect(schedule({ lease }).run({})).rejects.toThrow('strong')
    }
  })

  it('refuses a KMS whose KEK the context picks', async () => {
    const { schedule } = await world()
    const kms = createLocalKms({
      versions: [{ version: 1, key: crypto.getRandomValues(new Uint8Array(32)) }],
    })
    const byContext = Object.assign(Object.create(kms) as KeyManagementService, {
      capabilities: { ...kms.capabilities, keksByContext: true },
    })
    await expect(schedule({}, byContext).run({})).rejects.toThrow('one KEK for all')
  })
})
