import { describe, expect, it } from 'vitest'
import { answered, failed, readOrder, UNKNOWN_HEALTH } from '../../../src/resilience/read-order.ts'

const NOW = 1_767_225_600_000
const fast = answered(UNKNOWN_HEALTH, 10, NOW)
const slow = answered(UNKNOWN_HEALTH, 100, NOW)

describe('what is known of a KEK', () => {
  it('the newest call has three tenths of the average', () => {
    expect(answered(slow, 200, NOW + 1).latencyMs).toBeCloseTo(130)
    expect(answered(slow, 0, NOW + 1).latencyMs).toBeCloseTo(70)
  })

  it('a latency of a minute ago is forgotten, one of just before is not', () => {
    expect(answered(slow, 10, NOW + 59_999).latencyMs).toBeCloseTo(73)
    expect(answered(slow, 10, NOW + 60_000).latencyMs).toBe(10)
  })

  it('a clock that went back makes it unknown, and a call never takes less than nothing', () => {
    expect(answered(slow, 10, NOW - 1).latencyMs).toBe(10)
    expect(answered(UNKNOWN_HEALTH, -5, NOW).latencyMs).toBe(0)
  })

  it('an answer forgives a failure, a failure keeps what was measured', () => {
    const down = failed(slow, NOW)
    expect(down).toMatchObject({ latencyMs: 100, measuredAtMs: NOW, failedAtMs: NOW })
    expect(answered(down, 100, NOW + 1).failedAtMs).toBe(-Infinity)
  })
})

describe('the order in which KEKs are asked', () => {
  it('fast before slow, unknown as fast, else as configured', () => {
    expect(readOrder([slow, fast], NOW)).toEqual([1, 0])
    expect(readOrder([slow, fast, UNKNOWN_HEALTH], NOW)).toEqual([2, 1, 0])
    expect(readOrder([fast, fast, fast], NOW)).toEqual([0, 1, 2])
  })

  it('a latency that is a minute old counts as fast, so that it is measured again', () => {
    expect(readOrder([slow, answered(UNKNOWN_HEALTH, 10, NOW + 1)], NOW + 59_999)).toEqual([1, 0])
    expect(readOrder([slow, answered(UNKNOWN_HEALTH, 10, NOW + 1)], NOW + 60_000)).toEqual([0, 1])
  })

  it('one that failed is last for five seconds, however fast it was', () => {
    const down = failed(fast, NOW)
    expect(readOrder([down, slow], NOW)).toEqual([1, 0])
    expect(readOrder([down, slow], NOW + 4_999)).toEqual([1, 0])
    expect(readOrder([down, slow], NOW + 5_000)).toEqual([0, 1])
  })

  it('a failure of the future, by a clock that went back, keeps nobody out', () => {
    expect(readOrder([failed(UNKNOWN_HEALTH, NOW + 1), slow], NOW)).toEqual([0, 1])
  })
})
