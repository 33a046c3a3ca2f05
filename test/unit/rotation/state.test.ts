import { describe, expect, it } from 'vitest'
import { createRotationStep } from '../../../src/rotation/rotation-step.ts'
import type { RotationFailure } from '../../../src/rotation/rotation-state.ts'
import { checkState } from '../../../src/rotation/check-state.ts'
import { addSamples, fitState, newRotationState } from '../../../src/rotation/state.ts'
import { isOverThreshold } from '../../../src/rotation/threshold.ts'
import { zeroCounts } from '../../../src/rotation/counts.ts'
import { Clock, kmsAt, MemorySource, newState, runAll } from './fixture.ts'

const start = { job: 'job', sources: ['users'], atMs: 1 }
const failure = (id: string): RotationFailure => {
  return { source: 's', id, field: 'f', class: 'corrupt', code: 'ERR_WIRE_MALFORMED', atMs: 1 }
}

describe('the state', () => {
  it('stays under 64 KiB of JSON with thousands of failures under the longest ids', async () => {
    const source = new MemorySource()
    for (let i = 0; i < 3_000; i += 1)
      source.set(`${String(i).padStart(6, '0')}${'\u0001'.repeat(1_018)}`, { secret: 'ek1.!' })
    const { ports } = new Clock()
    const threshold = { share: 1 }
    const step = createRotationStep({ kms: kmsAt(2), sources: [source], threshold, ...ports })
    const { state, steps } = await runAll(step, newState(source))
    for (const { state: one } of steps)
      expect(Buffer.byteLength(JSON.stringify(one))).toBeLessThanOrEqual(65_536)
    expect(state.counts.corrupt).toBe(3_000)
    expect(state.samples).toHaveLength(20)
    expect(state.quarantine.length).toBeGreaterThan(100)
  })

  it('gives up the quarantine before the samples, and refuses cursors that are too long together', () => {
    const big = { ...newRotationState(start), samples: addSamples([], [failure('a')]) }
    const fitted = fitState({ ...big, quarantine: Array<string>(9_000).fill('x'.repeat(16)) })
    expect(fitted.quarantine.length).toBeGreaterThan(0)
    expect(fitted.samples).toHaveLength(1)
    const [source] = big.sources
    const sources = [{ ...(source as (typeof big.sources)[0]), cursor: 'c'.repeat(70_000) }]
    expect(() => fitState({ ...big, sources })).toThrow('64 KiB')
  })

  it('keeps the first 20 failures, their ids cut', () => {
    const all = Array.from({ length: 30 }, (_, i) => failure(`${String(i)}${'é'.repeat(300)}`))
    const samples = addSamples(addSamples([], all.slice(0, 15)), all.slice(15))
    expect(samples).toHaveLength(20)
    expect(samples.every(({ id }) => id.length <= 201)).toBe(true)
  })

  it.each([undefined, null, 'x', {}, { version: 2 }, { ...newRotationState(start), phase: 'x' }])(
    'refuses %j',
    (state) => {
      expect(() => checkState(state, ['users'])).toThrow('state')
    },
  )

  it('refuses names that a job cannot have', () => {
    expect(() => newRotationState({ ...start, job: 'a b' })).toThrow('job')
    expect(() => newRotationState({ ...start, job: '' })).toThrow('job')
  })

  it.each([
    null,
    { ...start, atMs: NaN },
    { ...start, atMS: 1 },
    { ...start, sources: 'users' },
    { ...start, sources: ['users', 'users'] },
  ])('refuses to begin with %j', (options) => {
    expect(() => newRotationState(options as typeof start)).toThrow(
      expect.objectContaining({ code: 'ERR_KMS_CONFIG' }),
    )
  })
})

describe('R29 the failure threshold', () => {
  const standard = { share: 0.01, least: 100 }
  const counts = (done: number, corrupt: number) => ({ ...zeroCounts(), done, corrupt })

  it.each([
    [98, 1, false],
    [0, 99, false],
    [98, 2, true],
    [99, 1, false],
    [990, 10, false],
    [990, 11, true],
  ])('with %i rewrapped and %i failed values is passed: %s', (done, failed, isPassed) => {
    expect(isOverThreshold({ counts: counts(done, failed), forgiven: 0 }, standard)).toBe(isPassed)
  })

  it('does not count what is not an envelope, and what was forgiven', () => {
    const foreign = { ...counts(50, 40), foreign: 10_000 }
    expect(isOverThreshold({ counts: foreign, forgiven: 0 }, standard)).toBe(false)
    expect(isOverThreshold({ counts: counts(100, 50), forgiven: 50 }, standard)).toBe(false)
    expect(isOverThreshold({ counts: counts(100, 53), forgiven: 50 }, standard)).toBe(true)
  })
})
