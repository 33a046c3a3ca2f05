import { describe, expect, it } from 'vitest'
import { integer, share } from '../../../src/checks/index.ts'
import { Permits } from '../../../src/resilience/permits.ts'

const NOW = 1_767_225_600_000

describe('R25 permits', () => {
  it('as many as there are, and one more when one is given back', () => {
    const permits = new Permits(2, 1_000)
    const [first, second] = [permits.take(NOW), permits.take(NOW)]
    expect(permits.take(NOW)).toBeUndefined()
    expect(permits.held).toBe(2)
    permits.give(first as number)
    expect(permits.held).toBe(1)
    const third = permits.take(NOW)
    expect(new Set([first, second, third]).size).toBe(3)
  })

  it('one that is held for too long is given out again, to the millisecond', () => {
    const permits = new Permits(1, 1_000)
    permits.take(NOW)
    expect(permits.take(NOW + 999)).toBeUndefined()
    expect(permits.take(NOW + 1_000)).toBe(1)
    // A permit that comes back late belongs to no caller.
    permits.give(0)
    expect(permits.held).toBe(1)
  })

  it('none lapses while there are others', () => {
    const permits = new Permits(2, 1_000)
    permits.take(NOW)
    permits.take(NOW + 5_000)
    expect(permits.held).toBe(2)
  })

  it('a clock that was put back frees what it cannot judge, one that stands still does not', () => {
    const permits = new Permits(1, 1_000)
    permits.take(NOW)
    expect(permits.take(NOW)).toBeUndefined()
    expect(permits.take(NOW - 1)).toBe(1)
  })
})

describe('numbers of a configuration', () => {
  const refused = expect.objectContaining({ code: 'ERR_KMS_CONFIG' }) as Error

  it('both ends of a range are in it, and nothing beyond', () => {
    expect([1, 2, 10].map((n) => integer('n', n, 1, 10))).toEqual([1, 2, 10])
    for (const n of [0, 11, 1.5, NaN, Infinity, '5'])
      expect(() => integer('n', n as number, 1, 10)).toThrow(refused)
  })

  it('a share is above 0 and at most 1', () => {
    expect([0.001, 1].map((n) => share('s', n))).toEqual([0.001, 1])
    for (const n of [0, -0.1, 1.001, NaN, '0.5'])
      expect(() => share('s', n as number)).toThrow(refused)
  })
})
