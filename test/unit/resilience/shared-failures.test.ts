import { describe, expect, it } from 'vitest'
import { CircuitBreakerKms, type KmsEvent } from '../../../src/index.ts'
import { FakeWorld, turn } from '../../support/fake-world.ts'
import { MemoryKeyValues } from '../../support/memory-key-values.ts'
import { fail, hang, ScriptedKms } from '../../support/scripted-kms.ts'

const call = { context: {} }
const down = fail('ERR_KMS_UNAVAILABLE')
const record = 'circuit/scripted/encrypt'

/** Isolates, each with a KMS of its own behind its own breaker; they share only the store. */
function fleetOf(size: number, options: { readonly resetTimeoutMs?: number } = {}) {
  const world = new FakeWorld()
  const store = new MemoryKeyValues(() => world.now())
  const isolates = Array.from({ length: size }, () => {
    const kms = new ScriptedKms()
    return { kms, breaker: new CircuitBreakerKms({ kms, store, ...options, ...world.ports }) }
  })
  const call1 = async ({ breaker }: (typeof isolates)[number]): Promise<boolean> =>
    breaker.generateDataKey(call).then(
      () => true,
      () => false,
    )
  /** One call of each, and time for what runs in the background. */
  const all = async (some = isolates): Promise<readonly boolean[]> => {
    const outcomes = await Promise.all(some.map(call1))
    await settle(world)
    return outcomes
  }
  const calls = (): number => isolates.reduce((sum, { kms }) => sum + kms.calls.length, 0)
  const open = (): number =>
    isolates.filter(({ breaker }) => breaker.state().encrypt.phase === 'open').length
  const swaps = (): number => store.calls.filter((one) => one === `swap ${record}`).length
  return { world, store, isolates, all, calls, open, swaps }
}

/** Lets isolates that met at the store try again. */
async function settle(world: FakeWorld): Promise<void> {
  for (let i = 0; i < 20; i++) await world.advance(20)
}

const text = (store: MemoryKeyValues): string =>
  new TextDecoder().decode(store.values.get(record)?.value)

describe('R24 a fleet counts its failures together', () => {
  it('fifty isolates with three failing calls each open one circuit', async () => {
    const { isolates, all, calls, open, store } = fleetOf(50)
    for (const { kms } of isolates) kms.always = down
    for (let i = 0; i < 3; i++) await all()
    expect(calls()).toBeLessThanOrEqual(150)
    expect(JSON.parse(text(store))).toMatchObject({ phase: 'open' })
    const before = calls()
    // Each hears of it at its next call, within a second, and asks its KMS no more.
    await all()
    expect(open()).toBe(50)
    await all()
    expect(calls() - before).toBeLessThanOrEqual(50)
    expect(await all()).not.toContain(true)
    expect(calls() - before).toBeLessThanOrEqual(50)
  })

  it('without a store, the same fleet stays closed: no isolate saw enough', async () => {
    const world = new FakeWorld()
    const kms = new ScriptedKms()
    kms.always = down
    const breakers = Array.from(
      { length: 50 },
      () => new CircuitBreakerKms({ kms, ...world.ports }),
    )
    for (const breaker of breakers)
      for (let i = 0; i < 3; i++) await breaker.generateDataKey(call).catch(() => undefined)
    expect(breakers.filter((one) => one.state().encrypt.phase === 'open')).toHaveLength(0)
  })

  it('the isolate whose report opens the circuit opens its own, as advice', async () => {
    const { isolates, all, world } = fleetOf(10)
    for (const { kms } of isolates) kms.always = down
    await all()
    await all()
    await all()
    const events = world.events.filter((event): event is KmsEvent & { type: 'circuit' } => {
      return event.type === 'circuit'
    })
    expect(events.map(({ to, why }) => `${to} ${why}`)).toEqual(Array(10).fill('open advice'))
  })

  it('failures that are further apart than the window do not add up', async () => {
    const { isolates, all, world, open } = fleetOf(20)
    for (const { kms } of isolates) kms.always = down
    for (const isolate of isolates) {
      await all([isolate])
      world.nowMs += 4_000
    }
    expect(open()).toBe(0)
  })

  it('calls of another circuit do not count', async () => {
    const { isolates, all, open } = fleetOf(9)
    for (const { kms, breaker } of isolates) {
      kms.always = down
      await breaker.unwrapDataKey([], call).catch(() => undefined)
    }
    await all()
    expect(open()).toBe(0)
  })

  it('a call that the KMS denied is not reported', async () => {
    const { isolates, all, swaps } = fleetOf(20)
    for (const { kms } of isolates) kms.always = fail('ERR_KMS_ACCESS_DENIED')
    for (let i = 0; i < 3; i++) await all()
    expect(swaps()).toBe(0)
  })

  it('once closed by a probe, it counts from nothing', async () => {
    const { isolates, all, world, open } = fleetOf(10, { resetTimeoutMs: 1_000 })
    for (const { kms } of isolates) kms.always = down
    for (let i = 0; i < 3; i++) await all()
    expect(open()).toBe(10)
    for (const { kms } of isolates) kms.always = () => undefined
    for (let second = 0; second < 10 && open() > 0; second++) {
      world.nowMs += 1_100
      await all()
    }
    expect(open()).toBe(0)
    for (const { kms } of isolates.slice(0, 9)) kms.script = [down]
    await all()
    world.nowMs += 1_100
    await all()
    expect(open()).toBe(0)
  })
})

describe('R24 a fleet whose KMS is well', () => {
  it('writes nothing, and reads no more often than before', async () => {
    const { isolates, all, world, store } = fleetOf(5)
    for (let i = 0; i < 100; i++) {
      world.nowMs += 10
      await Promise.all(isolates.map(({ breaker }) => breaker.generateDataKey(call)))
    }
    await all()
    // Each isolate asks for advice once a second; the calls last two of them.
    expect(store.calls.filter((one) => one !== `get ${record}`)).toEqual([])
    expect(store.calls.length).toBeLessThanOrEqual(2 * 5)
  })

  it('stays closed with one failure among many calls, however few each isolate makes', async () => {
    const { isolates, all, world, open } = fleetOf(400)
    // Each isolate makes one call in half a minute, and one in twenty fails.
    for (const [i, isolate] of isolates.entries()) {
      isolate.kms.always = i % 20 === 0 ? down : () => undefined
      world.nowMs += 75
      await isolate.breaker.generateDataKey(call).catch(() => undefined)
      await turn()
    }
    await all(isolates.slice(0, 1))
    expect(open()).toBe(0)
  })

  it('objects at most once a second, and only while failures come near the limit', async () => {
    const { isolates, all, world, open, swaps } = fleetOf(8)
    const [well, ...failing] = isolates as [(typeof isolates)[0], ...typeof isolates]
    for (const { kms } of failing) kms.script = [down]
    await all(failing)
    expect(open()).toBe(0)
    const before = swaps()
    world.nowMs += 1_000
    for (let i = 0; i < 50; i++) {
      world.nowMs += 100
      await well.breaker.generateDataKey(call)
      await turn()
    }
    const objections = swaps() - before
    expect(objections).toBeGreaterThan(0)
    expect(objections).toBeLessThanOrEqual(6)
    // With these calls counted, three more failures are not an outage.
    for (const { kms } of failing.slice(0, 3)) kms.script = [down]
    await all(failing)
    expect(open()).toBe(0)
  })
})

describe('R24 a store that is of no help to count', () => {
  it.each([
    ['is down', () => Promise.reject(new Error('down'))],
    ['hangs', hang],
  ] as const)(
    '%s: the local circuit works alone, and the store is left alone for 5 s',
    async (_, before) => {
      const { isolates, world, store, swaps } = fleetOf(1)
      const [{ kms, breaker }] = isolates as [(typeof isolates)[0]]
      store.before = before
      kms.always = down
      const started = world.now()
      for (let i = 0; i < 4; i++) await breaker.generateDataKey(call).catch(() => undefined)
      expect(world.now()).toBe(started) // no call waited
      expect(swaps()).toBe(1)
      await breaker.generateDataKey(call).catch(() => undefined)
      expect(breaker.state().encrypt.phase).toBe('open')
      await world.advance(5_000)
      expect(world.timers).toBe(0)
    },
  )

  it('comes back: failures are reported again', async () => {
    const { isolates, all, world, store, open } = fleetOf(10)
    store.before = () => Promise.reject(new Error('down'))
    for (const { kms } of isolates) kms.always = down
    await all()
    store.before = () => undefined
    await world.advance(5_000)
    for (let i = 0; i < 3; i++) await all()
    expect(open()).toBe(10)
  })

  it.each([
    ['more failures than calls', [[1, 1, 2]]],
    ['negative numbers', [[1, 5, -5]]],
    ['too many buckets', Array(17).fill([1, 1, 1])],
    ['no numbers', [['a', 1, 1]]],
    ['numbers that are too large', [[1, 2_000_000_000, 2_000_000_000]]],
    ['no list', { 1: 1 }],
  ])('holds %s: nothing is counted of it', async (_, counted) => {
    const { isolates, all, store, open, world } = fleetOf(1)
    const now = Math.floor(world.now() / 3_000)
    const moved = JSON.stringify(counted).replaceAll('[1,', `[${now},`)
    const value = new TextEncoder().encode(`{"v":1,"windowMs":30000,"counted":${moved}}`)
    store.values.set(record, { value, untilMs: Infinity })
    await all()
    for (const { kms } of isolates) kms.always = down
    await all()
    await all()
    expect(open()).toBe(0)
    expect(JSON.parse(text(store))).toMatchObject({ counted: [[now, 3, 2]] })
  })

  it('holds a forged count: it opens the circuit for one period, and never before a call failed', async () => {
    const { isolates, all, store, open, world } = fleetOf(1)
    const now = Math.floor(world.now() / 3_000)
    const value = new TextEncoder().encode(`{"v":1,"windowMs":30000,"counted":[[${now},99,99]]}`)
    store.values.set(record, { value, untilMs: Infinity })
    await all()
    await all()
    expect(open()).toBe(0)
    for (const { kms } of isolates) kms.script = [down]
    await all()
    await all()
    expect(open()).toBe(1)
    world.nowMs += 33_000
    expect(await all()).toEqual([true])
  })
})
