import { describe, expect, it } from 'vitest'
import { retryAfterMs } from '../../../src/http/index.ts'

const NOW_MS = 1_767_225_600_000

describe('R20 Retry-After', () => {
  it.each([
    ['0', 0],
    ['7', 7_000],
    [' 7 ', 7_000],
    ['300', 300_000],
    ['301', 300_000],
    ['999999999', 300_000],
    ['Thu, 01 Jan 2026 00:00:07 GMT', 7_000],
    ['Thu, 01 Jan 2026 00:00:00 GMT', 0],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['Fri, 01 Jan 2027 00:00:00 GMT', 300_000],
    ['', undefined],
    ['soon', undefined],
    ['NaN', undefined],
  ])('%j is %s ms', (value, ms) => {
    expect(retryAfterMs(new Headers({ 'retry-after': value }), NOW_MS)).toBe(ms)
  })

  it('absent is not a wait that was asked for', () => {
    expect(retryAfterMs(new Headers(), NOW_MS)).toBeUndefined()
  })

  it.each(['-1', '1e3', '0x10', '1.5', 'Infinity'])('%j is nothing beyond its bounds', (value) => {
    const ms = retryAfterMs(new Headers({ 'retry-after': value }), NOW_MS)
    expect(ms === undefined || (ms >= 0 && ms <= 300_000)).toBe(true)
  })
})
