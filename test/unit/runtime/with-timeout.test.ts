// R38: the one wait on something outside.
import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { withTimeout } from '../../../src/runtime/index.ts'
import { FakeWorld, turn } from '../../support/fake-world.ts'

const late = new Error('late')
const never = (): Promise<never> => new Promise(() => undefined)

function setup(timeoutMs: number | undefined = 100) {
  const world = new FakeWorld()
  const caller = new AbortController()
  const { signal } = caller
  return { world, caller, options: { timeoutMs, signal, network: world, error: () => late } }
}

describe('withTimeout', () => {
  it('returns the answer, and leaves no timer and no listener', async () => {
    const { world, caller, options } = setup()
    expect(await withTimeout(() => Promise.resolve(7), options)).toBe(7)
    expect(world.timers).toBe(0)
    expect(getEventListeners(caller.signal, 'abort')).toEqual([])
  })

  it('ends work that does not listen when the time is up, and aborts its signal', async () => {
    const { world, caller, options } = setup()
    let given: AbortSignal | undefined
    const work = withTimeout((signal) => {
      given = signal
      return never()
    }, options)
    const startMs = world.now()
    expect(await world.settled(work)).toMatchObject({ reason: late })
    expect(world.now() - startMs).toBe(100)
    expect(given?.reason).toBe(late)
    expect(getEventListeners(caller.signal, 'abort')).toEqual([])
  })

  it('ends at once with the reason of the caller', async () => {
    const { world, caller, options } = setup()
    let given: AbortSignal | undefined
    const work = withTimeout((signal) => {
      given = signal
      return never()
    }, options)
    const reason = new Error('stop')
    caller.abort(reason)
    await expect(work).rejects.toBe(reason)
    expect(given?.reason).toBe(reason)
    expect(world.timers).toBe(0)
  })

  it('does not begin under a signal that is aborted', async () => {
    const { world, caller, options } = setup()
    caller.abort('stop')
    let calls = 0
    const work = withTimeout(() => Promise.resolve(++calls), options)
    await expect(work).rejects.toBe('stop')
    expect([calls, world.timers]).toEqual([0, 0])
  })

  it('rejects with what the work throws, at once or later', async () => {
    const { world, options } = setup()
    const failure = new TypeError('socket')
    const atOnce = (): never => {
      throw failure
    }
    await expect(withTimeout(atOnce, options)).rejects.toBe(failure)
    await expect(withTimeout(() => Promise.reject(failure), options)).rejects.toBe(failure)
    expect(world.timers).toBe(0)
  })

  it('without a time only the signal ends it', async () => {
    const { world, caller, options } = setup(undefined)
    const work = withTimeout(never, { ...options, timeoutMs: undefined })
    await world.advance(900_000)
    expect(world.timers).toBe(0)
    caller.abort('stop')
    await expect(work).rejects.toBe('stop')
  })

  it('hands a late answer over once, and never one that was given out', async () => {
    const { world, options } = setup()
    const wiped: number[] = []
    const wipe = (answer: number): void => {
      wiped.push(answer)
    }
    let answer = (_: number): void => undefined
    const slow = withTimeout(() => new Promise<number>((go) => (answer = go)), options, wipe)
    expect((await world.settled(slow)).status).toBe('rejected')
    answer(1)
    await turn()
    expect(wiped).toEqual([1])
    expect(await withTimeout(() => Promise.resolve(2), options, wipe)).toBe(2)
    await world.advance(1_000)
    expect(wiped).toEqual([1])
  })

  it('an abort in any turn around the answer gives it out or wipes it, never both', async () => {
    for (let turns = 0; turns < 12; turns += 1) {
      const { caller, options } = setup()
      let wipes = 0
      const given = withTimeout(
        () => Promise.resolve(7),
        options,
        () => (wipes += 1),
      ).then(
        () => 1,
        () => 0,
      )
      for (let i = 0; i < turns; i += 1) await Promise.resolve()
      caller.abort('stop')
      const taken = await given
      await turn()
      expect([turns, taken + wipes]).toEqual([turns, 1])
    }
  })

  it('a late failure is nobody\u2019s', async () => {
    const { world, options } = setup()
    let fail = (_: Error): void => undefined
    const work = withTimeout(() => new Promise<never>((_, no) => (fail = no)), options)
    expect((await world.settled(work)).status).toBe('rejected')
    fail(new Error('nobody hears it'))
    await turn()
  })
})
