/** Draws versions and rate over the time of a run. */
import { failuresOf } from '../counts.ts'
import type { Line, Section } from './facts.ts'
import type { ReportParts } from './options.ts'
import { type RotationSample, thinned } from './series.ts'
import { duration, perSecond, short, whole } from './shown.ts'

/** Rows of a table beside a chart over time. */
const ROWS = 12
/** Points of a chart of rates, at most. */
const SPANS = 40
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

/** Returns rewraps and KMS requests for each second, beside the limit of the plan; none for a short run. */
export function rateOverTime({ plan, samples }: ReportParts): Section[] {
  const spans = spansOf(samples)
  if (spans.length < 2) return []
  const timesMs = spans.map(({ to }) => to.atMs)
  const rate = (count: (sample: RotationSample) => number): number[] =>
    spans.map(({ from, to }) => perMs(count(to) - count(from), to.atMs - from.atMs) * 1_000)
  const rewraps = rate(({ counts }) => counts.done)
  const calls = rate(({ counts }) => counts.kmsCalls)
  const most = Math.max(...rewraps, ...calls)
  const limit = plan?.requestsPerSecond ?? Infinity
  const lines: readonly Line[] = [
    { name: 'values rewrapped', tone: 'new', values: rewraps },
    { name: 'KMS requests', tone: 'old', values: calls },
  ]
  const isInView = limit <= most * LIMIT_IN_VIEW
  const name = 'limit of KMS requests'
  const limits: readonly Line[] = isInView
    ? [{ name, tone: 'limit', values: spans.map(() => limit) }]
    : []
  // A last sweep only reads: beside its records a second, the rates of the work would be a flat line.
  const read: Line = { name: 'records read', tone: 'new', values: rate((sample) => sample.read) }
  return [
    {
      table: overTime('Rate', timesMs, [...lines, read], perSecond),
      chart: { kind: 'lines', timesMs, lines: [...lines, ...limits], unit: 'per second' },
      says: `At most ${short(Math.max(...rewraps))} values rewrapped and ${short(Math.max(...calls))} KMS requests each second.`,
    },
  ]
}

function perMs(count: number, ms: number): number {
  return ms > 0 ? Math.max(0, count) / ms : 0
}

/** Returns neighbouring samples, at least a fortieth of the time apart: rates of shorter spans are noise. */
function spansOf(
  samples: readonly RotationSample[],
): { readonly from: RotationSample; readonly to: RotationSample }[] {
  const spans: { readonly from: RotationSample; readonly to: RotationSample }[] = []
  let [from] = samples
  const last = samples.at(-1)
  if (from === undefined || last === undefined) return []
  const least = Math.max(1, (last.atMs - from.atMs) / SPANS)
  for (const to of samples) {
    if (to.atMs - from.atMs < least) continue
    spans.push({ from, to })
    from = to
  }
  return spans
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
      { name: 'Time', holds: 'number' as const },
      ...lines.map(({ name }) => ({ name, holds: 'number' as const })),
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
