import { describe, expect, it } from 'vitest'
import { zeroCounts } from '../../../src/rotation/counts.ts'
import type { RotationProgress } from '../../../src/rotation/progress.ts'
import { durationOf, terminalProgress } from '../../../src/rotation/terminal-progress.ts'

const progress = (more: Partial<RotationProgress>): RotationProgress => ({
  job: 'job',
  phase: 'running',
  source: 'users',
  sweep: 1,
  counts: { ...zeroCounts(), done: 5, corrupt: 1 },
  read: 6,
  elapsedMs: 1_000,
  recordsPerSecond: 6,
  share: 0.25,
  etaMs: 65_000,
  waitMs: 0,
  ...more,
})

function written(isTTY: boolean, columns: number, ...all: readonly Partial<RotationProgress>[]) {
  let text = ''
  const stream = { isTTY, columns, write: (more: string) => (text += more) }
  const show = terminalProgress(stream)
  for (const one of all) show(progress(one))
  return text
}

describe('terminalProgress', () => {
  it('writes one line over and over on a terminal, with bar, rate and the time that is left', () => {
    const text = written(true, 120, {}, { phase: 'finished', share: 1 })
    const [, first, second] = text.split('\r\u001b[2K')
    expect(first).toBe(
      '[######------------------] 25 %  job users #1  5 rewrapped  1 failed  6 records/s  1 min 5 s left',
    )
    expect(second).toBe(
      '[########################] 100 %  job finished  5 rewrapped  1 failed  6 records/s\n',
    )
  })

  it('keeps a line shorter than the terminal is wide', () => {
    const [, line = ''] = written(true, 40, {}).split('\r\u001b[2K')
    expect(line).toHaveLength(39)
  })

  it('writes a line every ten seconds where there is no terminal, and one at the end', () => {
    const at = (elapsedMs: number, phase: RotationProgress['phase'] = 'running') => ({
      elapsedMs,
      phase,
    })
    const text = written(false, 80, at(0), at(5_000), at(10_000), at(11_000), at(12_000, 'stopped'))
    expect(text.trimEnd().split('\n')).toHaveLength(3)
    expect(text).not.toContain('\r')
  })

  it('names what does not answer', () => {
    const outage = { from: 'kms', source: 'users', code: 'ERR_KMS_THROTTLED' } as const
    expect(written(true, 200, { outage })).toContain('kms does not answer: ERR_KMS_THROTTLED')
  })

  it.each([
    [0, '0 s'],
    [59_001, '1 min 0 s'],
    [125_000, '2 min 5 s'],
    [7_500_000, '2 h 5 min'],
  ])('writes %i ms as %s', (ms, text) => {
    expect(durationOf(ms)).toBe(text)
  })
})
