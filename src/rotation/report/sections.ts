import type { RotationCensus } from '../census.ts'
import { failuresOf, isFailure, ROTATION_CLASSES } from '../counts.ts'
import type { RotationClass, RotationCounts } from '../rotation-state.ts'
import { versionName } from '../staleness.ts'
import type { Section, Tone } from './facts.ts'
import type { ReportParts } from './options.ts'
import { dollars, moment, safeName, safeVersion, whole } from './shown.ts'

/** Versions, vendors and sources that a report lists. */
const MAX_ROWS = 12
/** Characters of a name. */
const NAME = 60

const MEANING: Readonly<Partial<Record<RotationClass, string>>> = {
  current: 'already current',
  reference: 'by reference',
  empty: 'empty',
  foreign: 'not an envelope',
  outage: 'outage, to be tried again',
  'lost-race': 'lost race, to be tried again',
}

/** Returns how many values there are of each class. */
export function classes({ plan, samples, result }: ReportParts): Section[] {
  const counts = result?.counts ?? samples.at(-1)?.counts ?? plan?.counts
  if (counts === undefined) return []
  const isAhead = counts === plan?.counts || result?.dryRun === true
  const rows = ROTATION_CLASSES.filter((name) => counts[name] > 0).map((name) => ({
    name: name === 'done' ? (isAhead ? 'to rewrap' : 'rewrapped') : (MEANING[name] ?? name),
    values: [counts[name]],
    tone: toneOf(name),
  }))
  if (rows.length === 0) return []
  return [
    {
      table: {
        title: 'Values by class',
        columns: [{ name: 'Class' }, { name: 'Values', holds: 'number' as const }],
        rows: rows.map(({ name, values }) => [name, whole(values[0] ?? 0)]),
      },
      chart: { kind: 'bars', series: [{ name: 'values', tone: 'new' }], rows },
      says: `${rows.map(({ name, values }) => `${whole(values[0] ?? 0)} ${name}`).join(', ')}.`,
    },
  ]
}

function toneOf(name: RotationClass): Tone {
  if (isFailure(name)) return 'bad'
  return name === 'done' || name === 'current' ? 'new' : 'old'
}

/** Returns how many wraps each version has, in the first census and in the last. */
export function versions({ before, after }: ReportParts): Section[] {
  if (before === undefined) return []
  const all = new Map(
    [...before.versions, ...(after?.versions ?? [])].map((one) => [versionName(one), one]),
  )
  const takes = [before, ...(after === undefined ? [] : [after])]
  const wrapsIn = takes.map(
    ({ versions: list }) => new Map(list.map((one) => [versionName(one), one.wraps])),
  )
  const rows = [...all].map(([name, version]) => ({
    name: safeVersion(version),
    values: wrapsIn.map((wraps) => wraps.get(name) ?? 0),
  }))
  rows.sort((a, b) => Math.max(...b.values) - Math.max(...a.values))
  if (rows.length === 0) return []
  const shown = rows.slice(0, MAX_ROWS)
  const titles = after === undefined ? ['Wraps'] : ['Before', 'After']
  const tones: readonly Tone[] = after === undefined ? ['new'] : ['old', 'new']
  return [
    {
      table: {
        title: 'Wraps by version',
        columns: [
          { name: 'Version', holds: 'long' as const },
          ...titles.map((name) => ({ name, holds: 'number' as const })),
        ],
        rows: shown.map(({ name, values }) => [name, ...values.map(whole)]),
        note: noteOf(takes, rows.length - shown.length),
      },
      chart: {
        kind: 'bars',
        series: titles.map((name, i) => ({ name, tone: tones[i] ?? 'new' })),
        rows: shown,
      },
      says: `${shown
        .slice(0, 4)
        .map(({ name, values }) => `${name}: ${values.map(whole).join(', then ')}`)
        .join('; ')}.`,
    },
  ]
}

function noteOf(takes: readonly RotationCensus[], hidden: number): string {
  const times = takes.map(({ atMs }) => moment(atMs)).join(' and ')
  const others = hidden + takes.reduce((sum, { otherWraps }) => sum + (otherWraps > 0 ? 1 : 0), 0)
  return `Census of ${times}.${others > 0 ? ' Versions with fewer wraps are left out.' : ''}`
}

/** Returns requests and money for each vendor. */
export function vendors({ plan }: ReportParts): Section[] {
  if (plan === undefined || plan.requests.length === 0) return []
  return [
    {
      table: {
        title: 'Planned KMS requests',
        columns: [
          { name: 'Provider' },
          { name: 'Requests', holds: 'number' as const },
          { name: 'Cost', holds: 'number' as const },
        ],
        rows: plan.requests
          .slice(0, MAX_ROWS)
          .map(({ provider, requests, usd }) => [
            safeName(provider, NAME),
            whole(requests),
            dollars(usd),
          ]),
        note: 'List prices without free tiers. Retries are not counted.',
      },
    },
  ]
}

/** Returns the counts of each source in the last census. */
export function sources({ before, after }: ReportParts): Section[] {
  const census = after ?? before
  if (census === undefined) return []
  const shown = census.sources.slice(0, MAX_ROWS)
  const columns = ['Records', 'Current', 'Stale', 'Foreign', 'Failed']
  return [
    {
      table: {
        title: 'Sources',
        columns: [
          { name: 'Source' },
          ...columns.map((name) => ({ name, holds: 'number' as const })),
        ],
        rows: shown.map((one) => [
          safeName(one.name, NAME),
          ...[
            one.records,
            one.current,
            one.stale,
            one.foreign,
            failuresOf(one as unknown as RotationCounts),
          ].map(whole),
        ]),
        ...(shown.length < census.sources.length && {
          note: `${whole(shown.length)} of ${whole(census.sources.length)} sources.`,
        }),
      },
    },
  ]
}
