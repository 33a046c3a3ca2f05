import { failuresOf } from '../counts.ts'
import { FAILURE_CLASSES } from '../rotation-state.ts'
import type { Section } from './facts.ts'
import type { ReportParts } from './options.ts'
import { safeName, whole } from './shown.ts'

/** Characters of a name: record ids have up to 1,024 bytes. */
const NAME = 60
const ID = 120

const NEXT: Readonly<Record<(typeof FAILURE_CLASSES)[number], string>> = {
  'unknown-key': 'Configure the KMS and the version that wrapped them, then run again.',
  corrupt:
    'If they are many, check contextOf and the key: a wrong one looks like this. If they are few, restore them from a backup.',
  denied: 'Grant the permission or enable the key, then run again.',
}

/** Returns failures by class with what to do; none before anything ran. */
export function failures({ samples, result }: ReportParts): Section[] {
  const counts = result?.counts ?? samples.at(-1)?.counts
  if (counts === undefined) return []
  const all = failuresOf(counts)
  const rows = FAILURE_CLASSES.map((name) => ({ name, values: [counts[name]] }))
  return [
    {
      table: {
        title: 'Failures by class',
        columns: [
          { name: 'Class' },
          { name: 'Values', holds: 'number' as const },
          { name: 'What to do', holds: 'long' as const },
        ],
        rows: FAILURE_CLASSES.map((name) => [
          name,
          whole(counts[name]),
          counts[name] === 0 ? '' : NEXT[name],
        ]),
      },
      ...(all > 0 && {
        chart: { kind: 'bars', series: [{ name: 'values', tone: 'bad' }], rows },
        says: `${whole(all)} values failed: ${rows.map(({ name, values }) => `${whole(values[0] ?? 0)} ${name}`).join(', ')}.`,
      }),
    },
    ...firstFailures(result),
  ]
}

function firstFailures(result: ReportParts['result']): Section[] {
  if (result === undefined || result.samples.length === 0) return []
  const shown = result.samples.slice(0, 20)
  const all = failuresOf(result.counts)
  return [
    {
      table: {
        title: 'First failures',
        columns: [
          { name: 'Source' },
          { name: 'Record', holds: 'long' as const },
          { name: 'Field' },
          { name: 'Class' },
          { name: 'Code' },
        ],
        rows: shown.map(({ source, id, field, class: kind, code }) => [
          safeName(source, NAME),
          safeName(id, ID),
          safeName(field, NAME),
          safeName(kind, NAME),
          safeName(code, NAME),
        ]),
        ...(all > shown.length && {
          note: `${whole(shown.length)} of ${whole(all)}. The option failures of the manager receives all of them.`,
        }),
      },
    },
  ]
}
