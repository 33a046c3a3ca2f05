/** What happened over the time of a run: versions and rate. */
import { failuresOf } from '../counts.ts'
import type { Line, Section } from './facts.ts'
import type { ReportParts } from './options.ts'
import { type RotationSample, thinned } from './series.ts'
import { duration, perSecond, short, whole } from './shown.ts'

/** Rows of a table beside a chart over time. */
const ROWS = 12
/** A limit that is far above the rates would flatten them. */
const LIMIT_IN_VIEW = 4

/** Returns how many values were under the current version, and how many under older ones; none for one sample. */
export function versionsOverTime({ plan, samples, result }: ReportParts): Section[] {
  const last = samples.at(-1)
  if (last === undefined || samples.length < 2) return []
  const end = plan?.counts ?? result?.counts ?? last.counts
  const total = end.done + end.current + failuresOf(end)
  const at = ({ counts }: RotationSample): readonly number[] => {
    const failed = failuresOf(counts)
    const isCurrent = end.current + counts.done
    return [isCurrent, Math.max(0, total - isCurrent - failed), failed]
  }
  const rows = samples.map(at)
  const lines: readonly Line[] = [
    { name: 'current version', tone: 'new', values: rows.map((row) => row[0] ?? 0) },
    { name: 'older versions', tone: 'old', values: rows.map((row) => row[1] ?? 0) },
    { name: 'failed', tone: 'bad', values: rows.map((row) => row[2] ?? 0) },
  ]
  const [first = [], final = []] = [rows[0], rows.at(-1)]
  const timesMs = samples.map(({ atMs }) => atMs)
  return [
    {
      table: overTime('Versions over time', timesMs, lines, whole),
      chart: { kind: 'stack', timesMs, lines, unit: 'values' },
      says: `Values under older versions fell from ${whole(first[1] ?? 0)} to ${whole(final[1] ?? 0)} in ${duration(last.atMs)}.`,
    },
  ]
}

/** Returns records and KMS requests for each second, beside the limit of the plan; none for one sample. */
export function rateOverTime({ plan, samples }: ReportParts): Section[] {
  if (samples.length < 2) return []
  const spans = samples.slice(1).flatMap((sample, i) => {
    const from = samples[i] as RotationSample
    const ms = sample.atMs - from.atMs
    if (ms <= 0) return []
    const calls = sample.counts.kmsCalls - from.counts.kmsCalls
    const rate = (count: number): number => Math.max(0, (count * 1_000) / ms)
    return [{ atMs: sample.atMs, records: rate(sample.read - from.read), calls: rate(calls) }]
  })
  if (spans.length < 2) return []
  const records = spans.map((span) => span.records)
  const calls = spans.map((span) => span.calls)
  const most = Math.max(...records, ...calls)
  const limit = plan?.requestsPerSecond
  const isInView = Number.isFinite(limit) && (limit ?? 0) <= most * LIMIT_IN_VIEW
  const lines: readonly Line[] = [
    { name: 'records read', tone: 'new', values: records },
    { name: 'KMS requests', tone: 'old', values: calls },
    ...(isInView
      ? [
          {
            name: 'limit of KMS requests',
            tone: 'limit',
            values: spans.map(() => limit ?? 0),
          } as const,
        ]
      : []),
  ]
  const timesMs = spans.map(({ atMs }) => atMs)
  return [
    {
      table: overTime('Rate', timesMs, lines.slice(0, 2), perSecond),
      chart: { kind: 'lines', timesMs, lines, unit: 'per second' },
      says: `At most ${short(Math.max(...records))} records and ${short(Math.max(...calls))} KMS requests each second.`,
    },
  ]
}

function overTime(
  title: string,
  timesMs: readonly number[],
  lines: readonly Line[],
  shown: (value: number) => string,
): Section['table'] {
  const picked = thinned([...timesMs.keys()], ROWS)
  return {
    title,
    columns: [
      { name: 'Time', isNumber: true },
      ...lines.map(({ name }) => ({ name, isNumber: true })),
    ],
    rows: picked.map((i) => [
      duration(timesMs[i] ?? 0),
      ...lines.map(({ values }) => shown(values[i] ?? 0)),
    ]),
    ...(picked.length < timesMs.length && {
      note: `${whole(picked.length)} of ${whole(timesMs.length)} samples.`,
    }),
  }
}
