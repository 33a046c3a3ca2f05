// A KEK that hangs costs a wait until its circuit opens, and nothing then, wherever it stands.
import { describe, expect, it } from 'vitest'
import { composeKms, type ComposeKmsOptions, MultiKms } from '../../../src/index.ts'
import { FakeWorld } from '../../support/fake-world.ts'
import { hang, ScriptedKms } from '../../support/scripted-kms.ts'

const call = { context: { 'edge-kms:dk': 'salt.1' } }
const repairs = { note: () => Promise.resolve() }

function setup(names: readonly string[], options: ComposeKmsOptions) {
  const world = new FakeWorld()
  const members = names.map((name) => new ScriptedKms(name))
  const stack = composeKms(members, { repairs, ...options, ...world.ports })
  const opened = () =>
    world.events.flatMap((event) =>
      event.type === 'circuit' && event.to === 'open'
        ? [`${event.provider} ${event.callClass}`]
        : [],
    )
  const tookMs = async (work: () => Promise<unknown>): Promise<number> => {
    const started = world.now()
    expect((await world.settled(work())).status).toBe('fulfilled')
    return world.now() - started
  }
  return { world, members, stack, opened, tookMs }
}

describe('under a quorum', () => {
  it.each([0, 1, 2])('KEK %d of three, which hangs, opens its circuit', async (i) => {
    const { members, stack, opened, tookMs } = setup(['a', 'b', 'c'], {
      writePolicy: { quorum: 2, graceMs: 400 },
    })
    const hanging = members[i] as ScriptedKms
    hanging.always = hang
    const took: number[] = []
    for (let n = 0; n < 8; n++) took.push(await tookMs(() => stack.generateDataKey(call)))
    expect(opened()).toEqual([`${hanging.providerName} encrypt`])
    expect(took[0]).toBeGreaterThanOrEqual(400)
    expect(took.slice(-2)).toEqual([0, 0])
  })

  it('a KEK that is a little slower than the others keeps its circuit closed', async () => {
    const { world, members, stack, opened } = setup(['a', 'b'], {
      writePolicy: { quorum: 1, graceMs: 0 },
    })
    ;(members[1] as ScriptedKms).always = () =>
      new Promise((resolve) => world.after(50, () => resolve()))
    for (let n = 0; n < 20; n++) await world.settled(stack.generateDataKey(call))
    expect(opened()).toEqual([])
  })
})

describe('reading with less than a second for each KEK', () => {
  it.each([0, 1])('KEK %d of three, which hangs, opens its circuit', async (i) => {
    const { members, stack, opened, tookMs } = setup(['a', 'b', 'c'], {
      deadlineMs: 900,
      bulkhead: { maxWaitMs: 500 },
    })
    const { wraps } = await stack.generateDataKey(call)
    for (const member of members.slice(0, i)) member.canUnwrap = () => false
    ;(members[i] as ScriptedKms).always = hang
    const took: number[] = []
    for (let n = 0; n < 7; n++) took.push(await tookMs(() => stack.unwrapDataKey(wraps, call)))
    expect(opened()).toEqual([`${String(members[i]?.providerName)} decrypt`])
    expect(took[0]).toBeGreaterThan(0)
    expect(took.at(-1)).toBe(0)
  })

  it('the only KMS, which hangs, opens its circuit under a deadline below a second', async () => {
    const { world, members, stack, opened } = setup(['a'], {
      deadlineMs: 600,
      retry: false,
      bulkhead: { maxWaitMs: 500 },
    })
    ;(members[0] as ScriptedKms).always = hang
    for (let n = 0; n < 6; n++) await world.settled(stack.generateDataKey(call))
    expect(opened()).toEqual(['a encrypt'])
  })
})

describe('without any deadline', () => {
  it('a KEK that hangs gives way to the next, and a write ends', async () => {
    const world = new FakeWorld()
    const members = [new ScriptedKms('a'), new ScriptedKms('b')] as const
    const multi = new MultiKms({ read: members, ...world.ports })
    const { wraps } = await multi.generateDataKey(call)
    members[0].always = hang
    const opened = await world.settled(multi.unwrapDataKey(wraps, call))
    expect(opened).toMatchObject({ value: { by: { provider: 'b' } } })
    const written = await world.settled(multi.generateDataKey(call))
    expect(written).toMatchObject({ reason: { code: 'ERR_KMS_TIMEOUT' } })
    expect(world.timers).toBe(0)
  })

  it('a log of missing wraps that hangs fails the write, and the DEK is wiped', async () => {
    const world = new FakeWorld()
    const members = [new ScriptedKms('a'), new ScriptedKms('b')] as const
    const never = { note: () => new Promise<void>(() => undefined) }
    const writePolicy = { quorum: 1 }
    const multi = new MultiKms({ read: members, writePolicy, repairs: never, ...world.ports })
    members[1].always = hang
    expect(await world.settled(multi.generateDataKey(call))).toMatchObject({
      reason: { code: 'ERR_STORE_UNAVAILABLE' },
    })
    expect(() => members[0].made[0]?.length).toThrow(TypeError)
    expect(world.timers).toBe(0)
  })
})
