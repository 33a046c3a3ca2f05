import { describe, expect, it } from 'vitest'
import { CircuitBreakerKms } from '../../../src/index.ts'
import { FakeWorld, turn } from '../../support/fake-world.ts'
import { MemoryKeyValues } from '../../support/memory-key-values.ts'
import { fail, hang, ScriptedKms } from '../../support/scripted-kms.ts'

const call = { context: {} }
const down = fail('ERR_KMS_UNAVAILABLE')
const record = 'circuit/scripted/encrypt'

function setup(isolates: number) {
  const world = new FakeWorld()
  const store = new MemoryKeyValues(() => world.now())
  const kms = new ScriptedKms()
  const breakers = Array.from(
    { length: isolates },
    () => new CircuitBreakerKms({ kms, store, ...world.ports }),
  )
  const all = async () => {
    const outcomes = await Promise.allSettled(
      breakers.map((breaker) => breaker.generateDataKey(call)),
    )
    await turn()
    return outcomes
  }
  const phases = () => new Set(breakers.map((breaker) => breaker.state().encrypt.phase))
  return { world, store, kms, breakers, all, phases }
}

describe('R24 fifty isolates and one store', () => {
  it('make at most one probe in each period, and close on its success', async () => {
    const { world, kms, breakers, all, phases } = setup(50)
    kms.always = down
    for (let i = 0; i < 5; i++) await all()
    expect(phases()).toEqual(new Set(['open']))
    const probes: number[] = []
    for (let period = 0; period < 4; period++) {
      kms.calls.length = 0
      for (let second = 0; second < 30; second++) {
        world.nowMs += 1_000
        await all()
      }
      probes.push(kms.calls.length)
    }
    expect(Math.max(...probes)).toBe(1)
    kms.always = () => undefined
    kms.calls.length = 0
    for (
      let second = 0;
      second < 60 && breakers.some((b) => b.state().encrypt.phase !== 'closed');
      second++
    ) {
      world.nowMs += 1_000
      await all()
    }
    expect(phases()).toEqual(new Set(['closed']))
    expect((await all()).every(({ status }) => status === 'fulfilled')).toBe(true)
  })

  it('one that opens warns the others, without a read on their way', async () => {
    const { world, store, kms, breakers } = setup(2)
    const [first, second] = breakers as [CircuitBreakerKms, CircuitBreakerKms]
    kms.always = down
    for (let i = 0; i < 5; i++) await first.generateDataKey(call).catch(() => undefined)
    await turn()
    kms.always = () => undefined
    store.before = () => hang() // reads that never come back
    await second.generateDataKey(call)
    store.before = () => undefined
    world.nowMs += 1_000
    await second.generateDataKey(call)
    await turn()
    await expect(second.generateDataKey(call)).rejects.toMatchObject({
      code: 'ERR_KMS_UNAVAILABLE',
    })
    expect(second.state().encrypt.phase).toBe('open')
  })

  it('clocks that are an hour apart: an isolate hears all the same that another one has closed', async () => {
    const { world, store, kms, breakers } = setup(1)
    const first = breakers[0] as CircuitBreakerKms
    const ahead = {
      now: () => world.now() + 3_600_000,
      randomFill: world.randomFill.bind(world),
    }
    const second = new CircuitBreakerKms({ kms, store, ...world.ports, runtime: ahead })
    const both = [first, second]
    kms.always = down
    for (const breaker of both)
      for (let i = 0; i < 5; i++) await breaker.generateDataKey(call).catch(() => undefined)
    await turn()
    world.nowMs += 33_000
    kms.always = () => undefined
    await first.generateDataKey(call)
    await turn()
    // The lease is the first one's for 30 seconds: the second closes by what it hears.
    for (let i = 0; i < 3; i++) {
      world.nowMs += 1_000
      await second.generateDataKey(call).catch(() => undefined)
      await turn()
    }
    expect(second.state().encrypt.phase).toBe('closed')
    const closings = world.events.filter(
      (event) => event.type === 'circuit' && event.to === 'closed',
    )
    expect(closings).toMatchObject([{ why: 'calls' }, { why: 'advice' }])
    await second.generateDataKey(call)
  })

  it('reads at most once a second', async () => {
    const { world, store, breakers } = setup(1)
    for (let i = 0; i < 100; i++) {
      world.nowMs += 100
      await breakers[0]?.generateDataKey(call)
    }
    expect(store.calls.length).toBeLessThanOrEqual(10)
  })

  it('who does not get the lease stays away for a quarter of the period, says so, and asks again', async () => {
    const { world, store, kms, breakers, all } = setup(2)
    const [first, second] = breakers as [CircuitBreakerKms, CircuitBreakerKms]
    kms.always = down
    for (let i = 0; i < 5; i++) await all()
    world.nowMs += 33_000
    kms.script = [hang]
    void first.generateDataKey(call)
    await turn()
    kms.calls.length = 0
    const asked = (): number => store.calls.filter((one) => one === `swap ${record}/probe`).length
    expect(asked()).toBe(1)
    for (const [waitedMs, leases, retryAfterMs] of [
      [0, 2, 7_500],
      [7_499, 2, 1],
      [1, 3, 7_500],
    ] as const) {
      world.nowMs += waitedMs
      await expect(second.generateDataKey(call)).rejects.toMatchObject({ retryAfterMs })
      expect(second.state().encrypt.phase).toBe('open')
      expect(asked()).toBe(leases)
    }
    expect(kms.calls).toHaveLength(0)
  })

  it('the holder of the lease dies: another one probes when it has ended', async () => {
    const { world, kms, breakers, all } = setup(2)
    kms.always = down
    for (let i = 0; i < 5; i++) await all()
    world.nowMs += 33_000
    kms.script = [hang]
    void breakers[0]?.generateDataKey(call)
    await turn()
    kms.calls.length = 0
    kms.always = () => undefined
    for (let second = 0; second < 29; second++) {
      world.nowMs += 1_000
      await breakers[1]?.generateDataKey(call).catch(() => undefined)
    }
    expect(kms.calls).toHaveLength(0)
    for (let second = 0; second < 10; second++) {
      world.nowMs += 1_000
      await breakers[1]?.generateDataKey(call).catch(() => undefined)
    }
    expect(kms.calls.length).toBeGreaterThan(0)
  })
})

it('R24 the caller of a probe gives up: its isolate probes again, another one after one period', async () => {
  const { world, kms, breakers, all } = setup(2)
  const [first, second] = breakers as [CircuitBreakerKms, CircuitBreakerKms]
  kms.always = down
  for (let i = 0; i < 5; i++) await all()
  await turn()
  world.nowMs += 33_000
  kms.calls.length = 0
  for (let probes = 1; probes <= 2; probes += 1) {
    const controller = new AbortController()
    kms.script = [
      () => new Promise((_, reject) => controller.signal.addEventListener('abort', reject)),
    ]
    const probe = first.generateDataKey({ ...call, signal: controller.signal })
    await turn()
    controller.abort(new Error('stop'))
    await expect(probe).rejects.toBeDefined()
    expect(kms.calls).toHaveLength(probes)
  }
  kms.calls.length = 0
  for (let passedMs = 0; passedMs < 30_000; passedMs += 7_500) {
    await expect(second.generateDataKey(call)).rejects.toMatchObject({ retryAfterMs: 7_500 })
    world.nowMs += 7_500
  }
  expect(kms.calls).toHaveLength(0)
  kms.always = () => undefined
  await second.generateDataKey(call)
  expect(kms.calls).toHaveLength(1)
})

describe('R24 a store that is of no help', () => {
  it.each([
    ['is down', () => Promise.reject(new Error('down'))],
    [
      'throws',
      () => {
        throw new Error('down')
      },
    ],
    ['hangs', hang],
  ] as const)('%s: each decides alone, and nobody waits longer than 250 ms', async (_, before) => {
    const { world, store, kms, breakers } = setup(1)
    const breaker = breakers[0] as CircuitBreakerKms
    store.before = before
    kms.always = down
    for (let i = 0; i < 5; i++) await breaker.generateDataKey(call).catch(() => undefined)
    expect(breaker.state().encrypt.phase).toBe('open')
    world.nowMs += 33_000
    kms.always = () => undefined
    const started = world.now()
    expect((await world.settled(breaker.generateDataKey(call))).status).toBe('fulfilled')
    expect(world.now() - started).toBeLessThanOrEqual(250)
    expect(breaker.state().encrypt.phase).toBe('closed')
    // Reads and writes in the background end by themselves.
    await world.advance(5_000)
    expect(world.timers).toBe(0)
  })

  it.each([
    ['nonsense', 'no json'],
    ['another version', '{"v":2,"phase":"open","atMs":1767225600000}'],
    ['another phase', '{"v":1,"phase":"ajar","atMs":1767225600000}'],
    ['a time that is none', '{"v":1,"phase":"open","atMs":"now"}'],
    ['null', 'null'],
    ['too long', `{"v":1,"phase":"open","atMs":1767225600000,"x":"${'x'.repeat(800)}"}`],
    ['old', '{"v":1,"phase":"open","atMs":1767225500000}'],
  ])('holds %s: it is passed over', async (_, text) => {
    const { world, store, breakers } = setup(1)
    const value = new TextEncoder().encode(text)
    store.values.set(record, { value, untilMs: Infinity })
    for (let i = 0; i < 5; i++) {
      world.nowMs += 1_000
      await breakers[0]?.generateDataKey(call)
      await turn()
    }
  })

  it('is forged, far in the future: it opens for one period at most', async () => {
    const { world, store, breakers } = setup(1)
    const atMs = world.now() + 10 ** 12
    const value = new TextEncoder().encode(JSON.stringify({ v: 1, phase: 'open', atMs }))
    store.values.set(record, { value, untilMs: Infinity })
    await breakers[0]?.generateDataKey(call)
    await turn()
    await expect(breakers[0]?.generateDataKey(call)).rejects.toMatchObject({
      code: 'ERR_KMS_UNAVAILABLE',
    })
    store.values.clear()
    world.nowMs += 33_000
    await breakers[0]?.generateDataKey(call)
  })

  it('R21 an abort during the wait for the lease is seen at once and gives the probe back', async () => {
    const { world, store, kms, breakers } = setup(1)
    const breaker = breakers[0] as CircuitBreakerKms
    kms.always = down
    for (let i = 0; i < 5; i++) await breaker.generateDataKey(call).catch(() => undefined)
    await turn()
    world.nowMs += 33_000
    store.before = hang
    const controller = new AbortController()
    const work = breaker.generateDataKey({ ...call, signal: controller.signal })
    await turn()
    controller.abort(new Error('stop'))
    await expect(work).rejects.toThrow('stop')
    await world.advance(5_000)
    expect(world.timers).toBe(0)
    store.before = () => undefined
    kms.always = () => undefined
    await breaker.generateDataKey(call)
  })
})

it('R24 refuses a store that cannot swap, cannot hold the key, or more probes than one', () => {
  const world = new FakeWorld()
  const kms = new ScriptedKms()
  const now = (): number => world.now()
  for (const options of [
    { store: new MemoryKeyValues(now, { compareAndSwap: false }) },
    { store: new MemoryKeyValues(now, { maxKeyBytes: 20 }) },
    { store: new MemoryKeyValues(now), successThreshold: 2 },
  ]) {
    expect(() => new CircuitBreakerKms({ kms, ...options })).toThrow(
      expect.objectContaining({ code: 'ERR_KMS_CONFIG' }),
    )
  }
})
