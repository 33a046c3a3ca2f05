import { describe, expect, it } from 'vitest'
import { EncryptedEnvelope, EnvelopeCipher, KmsError } from '../../../src/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'
import { KeyRotationManager } from '../../../src/rotation/key-rotation-manager.ts'
import type { KeyRotationManagerOptions } from '../../../src/rotation/manager-options.ts'
import type { RotationEvent } from '../../../src/rotation/events.ts'
import { runRotation } from '../../../src/rotation/run-rotation.ts'
import { keyValueStateStore, memoryStateStore } from '../../../src/rotation/state-store.ts'
import { MemoryKeyValueStore } from '../../../src/stores/index.ts'
import { flipped } from '../envelope/fixture.ts'
import { Clock, kmsAt, type MemorySource, StagedKms } from './fixture.ts'
import { context, encrypted, tableOf, versionsIn } from './tables.ts'

const managerOf = (source: MemorySource, options: Partial<KeyRotationManagerOptions> = {}) =>
  new KeyRotationManager({
    kms: kmsAt(2),
    sources: [source],
    pageSize: 10,
    ...new Clock().ports,
    ...options,
  })

describe('R29 KeyRotationManager', () => {
  it('rotates the master key and returns the new versions', async () => {
    const stored: number[] = []
    const kms = createLocalKms({
      versions: [{ version: 1, key: crypto.getRandomValues(new Uint8Array(32)) }],
      onRotate: ({ version }) => Promise.resolve(void stored.push(version)),
    })
    const manager = managerOf(await tableOf(0), { kms })
    const current = await new EnvelopeCipher({ kms }).encrypt(new Uint8Array(1), { context })
    expect(await manager.isCurrentVersion(current)).toBe(true)
    expect(await manager.rotateMasterKey()).toEqual([
      { provider: 'local', kekId: 'app', kekVersion: '2' },
    ])
    expect(stored).toEqual([2])
    expect(await manager.isCurrentVersion(current)).toBe(false)
  })

  it('rewraps one data key', async () => {
    const manager = managerOf(await tableOf(0))
    const next = await manager.rewrapDek(await encrypted(1))
    expect(await manager.isCurrentVersion(next)).toBe(true)
    await expect(manager.rewrapDek(flipped(next, 60))).rejects.toMatchObject({
      code: 'ERR_DECRYPT_FAILED',
    })
  })

  it('returns every data key of a batch, and the error of each that failed', async () => {
    const manager = managerOf(await tableOf(0))
    const good = await encrypted(1)
    const result = await manager.rewrapDeksBatch([good, flipped(good, 60), await encrypted(2)])
    expect(result).toMatchObject({
      newVersion: [{ kekVersion: '2' }],
      deksRotated: 2,
      deksFailed: 1,
      errors: ['DEK 1: ERR_DECRYPT_FAILED'],
    })
    expect(result.deks.map(({ ok }) => ok)).toEqual([true, false, true])
    for (const dek of result.deks)
      if (dek.ok) expect(await manager.isCurrentVersion(dek.value)).toBe(true)
  })

  it('cannot say whether a message by reference is current, and refuses what is not an envelope', async () => {
    const manager = managerOf(await tableOf(0))
    const reference = EncryptedEnvelope.parse(await encrypted(1)).toReference()
    expect(await manager.isCurrentVersion(reference)).toBeUndefined()
    await expect(manager.isCurrentVersion('ek1.!')).rejects.toMatchObject({
      code: 'ERR_WIRE_MALFORMED',
    })
  })

  it('runs the job, tells its progress, and returns the result in the words of the specification', async () => {
    const source = await tableOf(25)
    const events: RotationEvent[] = []
    const manager = managerOf(source, { observe: (event) => void events.push(event) })
    const shown: number[] = []
    const result = await runRotation(manager, {
      progress: ({ counts }) => void shown.push(counts.done),
    })
    expect(shown).toEqual([10, 20, 25, 25, 25])
    expect(result).toMatchObject({
      phase: 'finished',
      newVersion: [{ provider: 'local', kekId: 'app', kekVersion: '2' }],
      deksRotated: 25,
      deksFailed: 0,
      errors: [],
    })
    expect(versionsIn(source)).toEqual(['2'])
    const lifecycle = events.flatMap((event) =>
      event.type === 'lifecycle' ? [event.operation] : [],
    )
    expect(lifecycle).toEqual(['startRotation', 'finishRotation'])
    expect(events.filter(({ type }) => type === 'progress')).toHaveLength(5)
  })

  it('continues a job that another process left, and begins a new one after it has finished', async () => {
    const source = await tableOf(30)
    const states = memoryStateStore()
    const first = managerOf(source, { states })
    for await (const { read } of first.run()) if (read >= 10) break
    expect((await first.status())?.counts.done).toBe(10)
    const result = await runRotation(managerOf(source, { states }))
    expect(result.counts).toMatchObject({ records: 30, done: 30 })
    const again = await runRotation(managerOf(source, { states, kms: kmsAt(3) }))
    expect(again.counts).toMatchObject({ records: 30, done: 30 })
  })

  it('stops at a pause from another process, and goes on after resume', async () => {
    const source = await tableOf(30)
    const states = keyValueStateStore(new MemoryKeyValueStore())
    const manager = managerOf(source, { states })
    const other = managerOf(source, { states })
    expect(await other.pause()).toBeUndefined()
    const phases: string[] = []
    for await (const { phase } of manager.run()) {
      phases.push(phase)
      if (phases.length === 1) await other.pause()
    }
    expect(phases).toEqual(['running', 'paused'])
    const paused = await runRotation(manager)
    expect(paused.phase).toBe('paused')
    expect((await other.resume())?.phase).toBe('running')
    const result = await runRotation(manager)
    expect(result).toMatchObject({
      phase: 'finished',
      counts: { records: 30, done: 30, current: 0 },
    })
    expect(versionsIn(source)).toEqual(['2'])
  })

  it('stops when too much fails, and goes on once that is accepted', async () => {
    const source = await tableOf(4)
    source.set('bad', { secret: 'ek1.!' })
    const manager = managerOf(source, { pageSize: 1, threshold: { least: 1, share: 0.1 } })
    const stopped = await runRotation(manager)
    expect(stopped).toMatchObject({ phase: 'stopped', deksFailed: 1 })
    expect(stopped.errors).toEqual(['users "bad" secret: ERR_WIRE_MALFORMED'])
    expect(stopped.deksRotated).toBe(0)
    await manager.resume({ acceptFailures: true })
    expect(await runRotation(manager)).toMatchObject({ phase: 'finished', deksRotated: 4 })
  })

  it('says how many sources it was given, if they are none or too many', () => {
    expect(() => new KeyRotationManager({ kms: kmsAt(2), sources: [] })).toThrow(
      'sources must be an array of 1 to 16 sources, got 0',
    )
  })

  it('refuses a plan that is a promise and a progress that is not a function, before it reads a record', async () => {
    const source = await tableOf(1)
    const manager = managerOf(source)
    const run = (options: object) => runRotation(manager, options)
    const plan = manager.plan()
    await plan
    source.calls.length = 0
    await expect(run({ plan })).rejects.toThrow(
      'plan must be what plan() returned, got a promise: did you forget await?',
    )
    await expect(run({ progress: {} })).rejects.toThrow('progress must be a function')
    expect(source.calls).toEqual([])
  })

  it('says what a source is, if it is given a database', () => {
    const sources = [new Map()] as never
    expect(() => new KeyRotationManager({ kms: kmsAt(2), sources })).toThrow(
      'sources.0 must be a source, such as postgresSource({ … }) returns, got an instance of a class',
    )
  })

  it('begins again when a stopped job is resumed, and tries again what failed', async () => {
    const source = await tableOf(6)
    const states = memoryStateStore()
    const threshold = { least: 1, share: 0.1 }
    const lacksOldKey = managerOf(source, { states, threshold, kms: kmsAt(2, 'app', 2) })
    expect(await runRotation(lacksOldKey)).toMatchObject({ phase: 'stopped', deksRotated: 0 })
    const mended = managerOf(source, { states, threshold })
    expect(await runRotation(mended)).toMatchObject({ phase: 'stopped' })
    await mended.resume()
    const result = await runRotation(mended)
    expect(result).toMatchObject({ phase: 'finished', deksRotated: 6, deksFailed: 0, samples: [] })
    expect(versionsIn(source)).toEqual(['2'])
  })

  it('gives up after a long outage with its error, and goes on when it is run again', async () => {
    const source = await tableOf(2)
    const kms = new StagedKms(kmsAt(2))
    kms.stage = () => {
      throw new KmsError('ERR_KMS_UNAVAILABLE', { provider: 'local' })
    }
    const manager = managerOf(source, { kms })
    await expect(runRotation(manager, { maxStalls: 3 })).rejects.toMatchObject({
      code: 'ERR_KMS_UNAVAILABLE',
    })
    expect(await manager.status()).toMatchObject({ phase: 'running', sources: [{ stalls: 3 }] })
    kms.stage = () => undefined
    expect(await runRotation(manager)).toMatchObject({ phase: 'finished', deksRotated: 2 })
  })

  it('ends at once when its signal aborts, and keeps the state of the last step', async () => {
    const source = await tableOf(30)
    const manager = managerOf(source)
    const controller = new AbortController()
    const run = runRotation(manager, {
      signal: controller.signal,
      progress: () => {
        controller.abort(new Error('deploy'))
      },
    })
    await expect(run).rejects.toThrow('deploy')
    expect((await manager.status())?.counts.done).toBe(10)
  })

  it('does everything but the swaps in a dry run', async () => {
    const source = await tableOf(12)
    const before = source.value('r0003')
    const result = await managerOf(source).dryRun()
    expect(result).toMatchObject({ phase: 'finished', deksRotated: 12 })
    expect(result.counts.kmsCalls).toBe(36)
    expect(source.calls).not.toContain('swap')
    expect(source.value('r0003')).toBe(before)
  })

  it('counts what is stored by version and class', async () => {
    const source = await tableOf(3)
    source.set('new', { secret: await encrypted(2) })
    source.set('plain', { secret: 'hello', other: null })
    source.set('bad', { secret: 'ek1.!' })
    const census = await managerOf(source).census()
    expect(census.counts).toMatchObject({
      records: 6,
      stale: 3,
      current: 1,
      foreign: 1,
      empty: 1,
      corrupt: 1,
    })
    expect(census.versions).toEqual([
      { provider: 'local', kekId: 'app', kekVersion: '1', wraps: 3 },
      { provider: 'local', kekId: 'app', kekVersion: '2', wraps: 1 },
    ])
    expect(census.sources).toMatchObject([{ name: 'users', records: 6 }])
  })

  it('records one audit event for each lifecycle step', async () => {
    const source = await tableOf(1)
    const records: unknown[] = []
    const audit = {
      actor: () => 'ops',
      record: (events: readonly unknown[]) => Promise.resolve(void records.push(...events)),
    }
    const manager = managerOf(source, { audit, job: 'nightly' })
    await runRotation(manager)
    await manager.pause()
    expect(records).toMatchObject([
      { operation: 'startRotation', outcome: 'success', actor: 'ops', provider: 'rotation' },
      { operation: 'finishRotation', keys: [{ kekVersion: '2' }], provider: 'local' },
      { operation: 'pauseRotation' },
    ])
  })

  it.each<[string, object]>([
    ['sources', { sources: [] }],
    ['sources.1.name', { sources: [{ name: 'a' }, { name: 'a' }] }],
    ['kms', { kms: {} }],
    ['job', { job: 'a b' }],
    ['states', { states: {} }],
    ['audit', { audit: {} }],
    ['observe', { observe: 1 }],
    ['verify', { verify: 'yes' }],
    ['rate.share', { rate: { share: 2 } }],
    ['rate.requestsPerSecond', { rate: { requestsPerSecond: 0 } }],
    ['threshold.share', { threshold: { share: 0 } }],
    ['pageSize', { pageSize: 0 }],
    ['concurency', { concurency: 2 }],
    ['failures', { failures: 1 }],
  ])('refuses a wrong option %s', async (name, wrong) => {
    const source = await tableOf(0)
    const given = { ...wrong } as { sources?: object[] }
    if (given.sources !== undefined)
      given.sources = given.sources.map((one) =>
        Object.assign(Object.create(source) as object, one),
      )
    if (given.sources?.length === 2) given.sources = given.sources.map(() => source)
    expect(() => managerOf(source, given as never)).toThrow(name)
  })

  it('refuses wrong options of a run', async () => {
    const manager = managerOf(await tableOf(0))
    expect(() => manager.run({ maxStalls: 0 })).toThrow('maxStalls')
    expect(() => manager.run({ plans: 1 } as never)).toThrow('plans')
  })
})

describe('keyValueStateStore', () => {
  it('refuses a store that is eventual, cannot compare, or holds too little', () => {
    const { capabilities } = new MemoryKeyValueStore()
    const wrong = [
      { consistency: 'eventual' },
      { compareAndSwap: false },
      { maxValueBytes: 60_000 },
    ]
    for (const differing of wrong) {
      const store = { capabilities: { ...capabilities, ...differing } }
      expect(() => keyValueStateStore(store as never)).toThrow('store')
    }
  })
})
