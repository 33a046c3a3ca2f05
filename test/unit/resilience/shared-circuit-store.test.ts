import { describe, expect, it } from 'vitest'
import { standardsOf } from '../../../src/checks/index.ts'
import { CIRCUIT } from '../../../src/resilience/index.ts'
import { SharedCircuit } from '../../../src/resilience/shared-circuit.ts'
import { FakeWorld, turn } from '../../support/fake-world.ts'
import { MemoryKeyValues } from '../../support/memory-key-values.ts'

const PERIOD_MS = 30_000
const RULES = { ...standardsOf(CIRCUIT), resetTimeoutMs: PERIOD_MS }

function setup() {
  const world = new FakeWorld()
  const store = new MemoryKeyValues(() => world.now())
  const circuit = (): SharedCircuit => new SharedCircuit(store, 'c', RULES, world.ports)
  /** Begins a read, and returns what the circuit learned from it. */
  const hears = async (one: SharedCircuit) => {
    one.news({})
    await turn()
    world.nowMs += 1
    return one.news({})?.phase
  }
  return { world, store, circuit, hears }
}

describe('R24 what is kept in the store', () => {
  it('advice for two periods, a lease for one', async () => {
    const { world, store, circuit } = setup()
    const one = circuit()
    one.tell('open', {})
    expect(await one.lease({})).toBe(true)
    const untilMs = (key: string) => (store.values.get(key)?.untilMs ?? 0) - world.now()
    expect([untilMs('c'), untilMs('c/probe')]).toEqual([2 * PERIOD_MS, PERIOD_MS])
  })

  it('a lease that is held is not asked for again, until its isolate has told what came of it', async () => {
    const { world, store, circuit } = setup()
    const one = circuit()
    expect(await one.lease({})).toBe(true)
    store.calls.length = 0
    world.nowMs += PERIOD_MS - 1
    expect(await one.lease({})).toBe(true)
    expect(store.calls).toEqual([])
    one.tell('open', {})
    expect(await one.lease({})).toBe(false)
  })

  it('an isolate whose clock is set back does not take an expired lease for its own', async () => {
    const { world, store, circuit } = setup()
    let backMs = 0
    const runtime = {
      now: () => world.now() - backMs,
      randomFill: world.randomFill.bind(world),
    }
    const one = new SharedCircuit(store, 'c', RULES, { ...world.ports, runtime })
    const other = circuit()
    expect(await one.lease({})).toBe(true)
    world.nowMs += PERIOD_MS
    expect(await other.lease({})).toBe(true)
    backMs = 3_600_000
    expect(await one.lease({})).toBe(false)
    // Set back to within its lease it believes in it again, for less than one period.
    backMs = PERIOD_MS
    world.nowMs += PERIOD_MS - 1
    expect(await one.lease({})).toBe(true)
    store.calls.length = 0
    world.nowMs += 1
    await one.lease({})
    expect(store.calls).toContain('swap c/probe')
  })

  it('another isolate gets the lease when it has ended, and not before', async () => {
    const { world, circuit } = setup()
    const [one, other] = [circuit(), circuit()]
    await one.lease({})
    world.nowMs += PERIOD_MS - 1
    expect(await other.lease({})).toBe(false)
    world.nowMs += 1
    expect(await other.lease({})).toBe(true)
  })
})

describe('R24 what is news', () => {
  it('what was told by a clock that counts parts of a millisecond, too', async () => {
    const { world, circuit, hears } = setup()
    world.nowMs += 0.25
    circuit().tell('closed', {})
    await turn()
    expect(await hears(circuit())).toBe('closed')
  })

  it('what is told after that which was seen has ended by its time', async () => {
    const { world, circuit, hears } = setup()
    const [one, other] = [circuit(), circuit()]
    other.tell('open', {})
    await turn()
    expect(await hears(one)).toBe('open')
    world.nowMs += 2 * PERIOD_MS
    one.tell('closed', {})
    await turn()
    expect(await hears(circuit())).toBe('closed')
  })

  it('not what one tells who has not seen what others wrote since', async () => {
    const { circuit, hears } = setup()
    const [one, other] = [circuit(), circuit()]
    other.tell('open', {})
    await turn()
    one.tell('closed', {})
    await turn()
    expect(await hears(circuit())).toBe('open')
  })

  it('what another one wrote, until this one speaks, and never what this one did', async () => {
    const { world, circuit, hears } = setup()
    const [one, other] = [circuit(), circuit()]
    other.tell('open', {})
    await turn()
    expect(await hears(one)).toBe('open')
    world.nowMs += 1_000
    expect(await hears(one)).toBe('open')
    expect(await hears(other)).toBeUndefined()
    other.tell('closed', {})
    await turn()
    world.nowMs += 1_000
    expect(await hears(one)).toBe('closed')
  })

  it('a read that began before this one spoke is none', async () => {
    const { store, circuit } = setup()
    const [one, other] = [circuit(), circuit()]
    other.tell('closed', {})
    await turn()
    const answers: (() => void)[] = []
    store.before = () => new Promise((resolve) => answers.push(resolve))
    one.news({})
    await turn()
    one.tell('open', {})
    answers[0]?.()
    await turn()
    expect(one.news({})).toBeUndefined()
  })

  it('what was heard and not yet taken up is none, once this one has spoken', async () => {
    const { circuit } = setup()
    const [one, other] = [circuit(), circuit()]
    other.tell('closed', {})
    await turn()
    one.news({})
    await turn()
    one.tell('open', {})
    expect(one.news({})).toBeUndefined()
  })

  it('who loses against another one’s word hears it at once, and asks no second time', async () => {
    const { store, circuit } = setup()
    const [one, other] = [circuit(), circuit()]
    one.news({})
    await turn()
    other.tell('open', {})
    await turn()
    store.calls.length = 0
    one.tell('closed', {})
    await turn()
    expect(store.calls).toEqual(['swap c', 'get c'])
    expect(one.news({})?.phase).toBe('open')
    expect(store.calls).toHaveLength(2)
  })

  it('is asked for once a second, and again after a clock was put back', async () => {
    const { world, store, circuit } = setup()
    const one = circuit()
    const reads = async (ms: number): Promise<number> => {
      world.nowMs += ms
      store.calls.length = 0
      one.news({})
      await turn()
      return store.calls.length
    }
    expect([await reads(0), await reads(999), await reads(1), await reads(-3_600_000)]).toEqual([
      1, 0, 1, 1,
    ])
  })
})
