import { afterEach, describe, expect, it, vi } from 'vitest'
import { webNetwork, webRuntime } from '../../../src/runtime/index.ts'

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

describe('the clock and the generator of the platform', () => {
  it('R13 are asked at each call, never before', () => {
    const now = vi.spyOn(Date, 'now').mockReturnValueOnce(7).mockReturnValueOnce(5)
    expect([webRuntime.now(), webRuntime.now()]).toEqual([7, 5])
    expect(now).toHaveBeenCalledTimes(2)
    const random = vi.spyOn(crypto, 'getRandomValues')
    const bytes = new Uint8Array(12)
    expect(webRuntime.randomFill(bytes)).toBe(bytes)
    webRuntime.randomFill(new Uint8Array(32))
    // One draw for each value, of exactly its length: no pool is kept.
    expect(random.mock.calls.map(([array]) => array?.byteLength)).toEqual([12, 32])
  })

  it('fills whole arrays, and a view without its neighbours', () => {
    const seen = new Uint8Array(32)
    for (let i = 0; i < 64; i++) {
      for (const [at, byte] of webRuntime.randomFill(new Uint8Array(32)).entries())
        seen[at]! |= byte
    }
    // A byte that is never filled stays 0; by chance one bit stays 0 once in 2^64 runs.
    expect([...seen]).toEqual(Array.from({ length: 32 }, () => 255))
    const pool = new Uint8Array(48)
    webRuntime.randomFill(pool.subarray(8, 40))
    expect([...pool.subarray(0, 8), ...pool.subarray(40)].every((byte) => byte === 0)).toBe(true)
  })
})

describe('timers', () => {
  it('call back once, unless they are stopped before', () => {
    vi.useFakeTimers()
    const [kept, stopped] = [vi.fn(), vi.fn()]
    webNetwork.after(50, kept)
    const stop = webNetwork.after(50, stopped)
    vi.advanceTimersByTime(49)
    expect(kept).not.toHaveBeenCalled()
    stop()
    vi.advanceTimersByTime(1_000)
    expect(kept).toHaveBeenCalledTimes(1)
    expect(stopped).not.toHaveBeenCalled()
  })
})
