import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { RotationCensus } from '../../../src/rotation/census.ts'
import { zeroCounts } from '../../../src/rotation/counts.ts'
import {
  type JobRotationResult,
  KeyRotationManager,
  progressSeries,
  type RotationCounts,
  type RotationFailure,
  type RotationPlan,
  type RotationProgress,
  rotationReport,
  type RotationSample,
  runRotation,
} from '../../../src/rotation/index.ts'
import { STYLE, STYLE_HASH } from '../../../src/rotation/report/style.ts'
import { cipherAt, kmsAt, MemorySource, START_MS, utf8 } from './fixture.ts'

const counts = (more: Partial<RotationCounts>): RotationCounts => ({ ...zeroCounts(), ...more })

const resultWith = (more: Partial<JobRotationResult>): JobRotationResult => ({
  newVersion: [{ provider: 'local', kekId: 'app', kekVersion: '2' }],
  deksRotated: 0,
  deksFailed: 0,
  errors: [],
  job: 'users',
  phase: 'finished',
  dryRun: false,
  counts: zeroCounts(),
  samples: [],
  startedAtMs: START_MS,
  durationMs: 1_000,
  fingerprints: [],
  ...more,
})

const failure = (id: string, more: Partial<RotationFailure> = {}): RotationFailure => ({
  source: 'users',
  id,
  field: 'secret',
  class: 'corrupt',
  code: 'ERR_WIRE_MALFORMED',
  atMs: START_MS,
  ...more,
})

const sampleAt = (atMs: number, done: number): RotationSample => ({
  atMs,
  read: done,
  counts: counts({ records: done, done, kmsCalls: done * 3 }),
})

async function realRun() {
  const users = new MemorySource()
  for (let i = 0; i < 30; i += 1) {
    const secret = await cipherAt(1).encrypt(utf8('x'), { context: { tenant: 'a' } })
    users.set(`u${String(i).padStart(2, '0')}`, { secret })
  }
  users.set('<script>', { secret: new Uint8Array([0x45, 0x4b, 0x4d, 0x53, 1]) })
  const manager = new KeyRotationManager({ kms: kmsAt(2), sources: [users], pageSize: 5 })
  return { manager, users }
}

describe('rotationReport', () => {
  it('says of a plan what the job will do', async () => {
    const { manager } = await realRun()
    const { text, html } = rotationReport({ plan: await manager.plan() })
    expect(text).toContain(
      'Plan: 30 values to rewrap. Nothing was changed, and no data key was opened',
    )
    expect(text).toMatch(/KMS requests +90/)
    expect(html).toContain('to rewrap')
  })

  it('shows a run from its first sample to its result, and both censuses', async () => {
    const { manager } = await realRun()
    const before = await manager.census()
    const plan = await manager.plan()
    const series = progressSeries()
    const result = await runRotation(manager, { plan, progress: series.add })
    const censuses = [before, await manager.census()]
    const { text, json, html } = rotationReport({
      plan,
      censuses,
      samples: series.samples(),
      result,
    })
    expect(text).toContain('Finished: 30 values rewrapped')
    expect(text).toMatch(/local app 1 +30 +0/)
    expect(text).toMatch(/local app 2 +0 +30/)
    for (const title of ['Versions over time', 'Wraps by version', 'Values by class'])
      expect(html).toContain(title)
    expect(JSON.parse(json)).toMatchObject({ version: 1, result: { deksRotated: 30 } })
  })

  it('says of a dry run that nothing was written', async () => {
    const { manager, users } = await realRun()
    const result = await manager.dryRun()
    expect(rotationReport({ result }).text).toContain('Dry run: 30 values can be rewrapped')
    expect(users.calls).not.toContain('swap')
    expect((await runRotation(manager)).dryRun).toBe(false)
  })

  it.each([
    ['stopped', 'Stopped: 3 values failed, more than the threshold allows.'],
    ['paused', 'Paused after 5 values. Call resume() and run() to continue.'],
    ['running', 'Not finished: 5 values rewrapped. Call run() to continue.'],
    ['finished', 'Finished: 5 values rewrapped, but 3 failed'],
  ] as const)('says of a job that is %s what to do next', (phase, says) => {
    const result = resultWith({ phase, counts: counts({ records: 8, done: 5, corrupt: 3 }) })
    expect(rotationReport({ result }).text).toContain(says)
  })

  it('says how a stopped job tries again what failed, and never to delete it', () => {
    const result = resultWith({ phase: 'stopped', counts: counts({ records: 3, corrupt: 3 }) })
    const { text } = rotationReport({ result })
    expect(text).toContain('Mend the cause, then call resume() and run()')
    expect(text).toContain('check contextOf and the key')
    expect(text).not.toContain('delete')
  })

  it.each([
    [{}, 'Finished: the sources hold no records.'],
    [{ records: 9, foreign: 9 }, 'Finished: none of 9 records holds an envelope.'],
    [{ records: 9, current: 9 }, 'Finished: 0 values rewrapped, because 9 values were already'],
    [{ records: 9, reference: 9 }, 'Finished: 0 values rewrapped, 0 failed.'],
  ])('does not call a run over the wrong table a success: %j', (more, says) => {
    const { text, html } = rotationReport({ result: resultWith({ counts: counts(more) }) })
    expect(text).toContain(says)
    expect(html.includes('class="verdict bad"')).toBe(!('current' in more || 'reference' in more))
  })

  it('escapes what others chose: ids, fields, sources, jobs, versions and titles', () => {
    const evil = `</style><script>x()</script>"'\`&`
    const result = resultWith({
      job: evil,
      counts: counts({ corrupt: 1 }),
      newVersion: [{ provider: evil, kekId: evil, kekVersion: evil }],
      samples: [failure(evil, { source: evil, field: evil, code: evil })],
    })
    const { html } = rotationReport({ result, censuses: [censusOf([evil])] })
    const { html: titled } = rotationReport({ result, title: evil })
    for (const page of [html, titled]) {
      expect(page).not.toContain('<script')
      expect(page.split('</style>')).toHaveLength(2)
      expect(page).toContain('&lt;script&gt;x()&lt;/script&gt;&quot;&#39;&#96;&amp;')
    }
  })

  it('shows control characters and characters that turn text around by their code', () => {
    const samples = [failure('a\u001b[2J\r\nb\u202ec\ud800')]
    const { text, html } = rotationReport({
      result: resultWith({ counts: counts({ corrupt: 1 }), samples }),
    })
    const shown = String.raw`a\u{1b}[2J\u{d}\u{a}b\u{202e}c\u{d800}`
    expect(html).toContain(shown)
    expect(text).toContain(shown)
    expect(text).not.toMatch(/[^\P{Cc}\n]/u)
  })

  it('has a policy that allows no source but its own stylesheet, and nothing that it refuses', () => {
    const { html } = rotationReport({ result: resultWith({}) })
    const hash = createHash('sha256').update(STYLE).digest('base64')
    expect(STYLE_HASH).toBe(`sha256-${hash}`)
    expect(html).toContain(
      `content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'"`,
    )
    expect(html).toContain(`<style>${STYLE}</style>`)
    expect(html).not.toMatch(/<script|<img|<link|style=|\son\w+=|https?:|url\(/)
  })

  it('stays below 100 KiB whatever it is given, and shows how much it left out', () => {
    const long = '"\u202e'.repeat(600)
    const samples = Array.from({ length: 5_000 }, (_, i) => sampleAt(i * 1_000, i * 1_000_000))
    const result = resultWith({
      newVersion: Array.from({ length: 100 }, () => ({
        provider: long,
        kekId: long,
        kekVersion: long,
      })),
      counts: counts({ done: 1e12, corrupt: 1e9 }),
      samples: Array.from({ length: 20 }, (_, i) =>
        failure(`${String(i)}${long}`, { source: long, field: long, code: long }),
      ),
    })
    const versions = Array.from({ length: 1_000 }, (_, i) => `${String(i)}${long}`)
    const censuses = [censusOf(versions), censusOf(versions)]
    const { html, text } = rotationReport({ title: long, samples, result, censuses })
    expect(Buffer.byteLength(html)).toBeLessThan(100 * 1_024)
    expect(text).toContain('20 of 1,000,000,000. The option failures')
    expect(text).toContain('12 of 240 samples.')
    expect(text).toContain('12 of 1,000 sources.')
    expect(text).toContain('Versions with fewer wraps are left out.')
  })

  it('draws a run of one step, of no time, and of nothing', () => {
    const empty = [sampleAt(0, 0), sampleAt(0, 0), sampleAt(0, 0)]
    for (const samples of [[sampleAt(5, 5)], empty]) {
      const { html } = rotationReport({ samples })
      expect(html).not.toMatch(/NaN|Infinity|undefined/)
    }
  })

  it('shows a rate without a limit as unlimited, also from a plan that was stored as JSON', async () => {
    const { manager } = await realRun()
    const plan = await manager.plan()
    const stored = JSON.parse(JSON.stringify(plan)) as RotationPlan
    for (const one of [plan, stored])
      expect(
        rotationReport({
          plan: one,
          samples: [sampleAt(0, 0), sampleAt(9_000, 9), sampleAt(19_000, 19)],
        }).text,
      ).toMatch(/Rate limit +unlimited/)
  })

  it('refuses nothing to report, unknown options, and samples that are not a list', () => {
    const refused = (options: object) => () => rotationReport(options)
    expect(refused({})).toThrow('a report needs at least one of plan, censuses, samples and result')
    expect(refused({ results: [] })).toThrow('unknown option: results')
    expect(refused({ samples: progressSeries() })).toThrow(
      'samples must be an array, such as series.samples()',
    )
    const promised = Promise.resolve()
    expect(refused({ plan: promised })).toThrow(
      'plan must be what plan() returned, got a promise: did you forget await?',
    )
    expect(refused({ result: {} })).toThrow('result must be what run() or dryRun() returned')
    expect(refused({ censuses: [promised] })).toThrow('censuses.0 must be what census() returned')
    expect(refused({ samples: [{}] })).toThrow('samples.0 must be a sample of a series')
    expect(refused({ title: 1, samples: [] })).toThrow('title must be a string')
  })
})

describe('progressSeries', () => {
  const progress = (step: number): RotationProgress => ({
    job: 'users',
    phase: 'running',
    counts: counts({ done: step }),
    read: step,
    elapsedMs: step * 10,
    recordsPerSecond: 1,
    waitMs: 0,
  })

  it('keeps at most 240 samples of any number of steps, evenly spaced, and always the newest', () => {
    const series = progressSeries()
    for (let step = 1; step <= 10_001; step += 1) {
      series.add(progress(step))
      if (step % 7 > 0) continue
      expect(series.samples().at(-1)?.atMs).toBe(step * 10)
      expect(series.samples().length).toBeLessThanOrEqual(240)
    }
    const all = series.samples()
    expect(all.length).toBeGreaterThan(100)
    const gaps = new Set(all.slice(1, -1).map(({ atMs }, i) => atMs - (all[i]?.atMs ?? 0)))
    expect(gaps.size).toBe(1)
  })

  it('continues the samples of an earlier run', () => {
    const first = progressSeries()
    for (const step of [1, 2, 3]) first.add(progress(step))
    const samples = JSON.parse(JSON.stringify(first.samples())) as RotationSample[]
    const second = progressSeries({ samples })
    second.add(progress(1))
    expect(second.samples().map(({ atMs, read }) => [atMs, read])).toEqual([
      [10, 1],
      [20, 2],
      [30, 3],
      [40, 4],
    ])
  })
})

/** A census with one source and one version for each name. */
function censusOf(names: readonly string[]): RotationCensus {
  const zero = {
    ...{ records: 1, current: 0, stale: 1, reference: 0, empty: 0, foreign: 0 },
    ...{ 'unknown-key': 0, corrupt: 0, denied: 0, outage: 0, dataKeyRecords: 0 },
  }
  return {
    atMs: START_MS,
    sources: names.map((name) => ({ ...zero, name })),
    counts: zero,
    versions: names.map((kekId) => ({ provider: 'local', kekId, kekVersion: '1', wraps: 1 })),
    otherWraps: 0,
  }
}
