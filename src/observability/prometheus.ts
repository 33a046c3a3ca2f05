import type { HistogramSample, Labels, MetricFamily } from './metric-family.ts'

/** Suffixes of Prometheus for units of UCUM. */
const UNIT_SUFFIXES = new Map([
  ['s', '_seconds'],
  ['By', '_bytes'],
])

/**
 * Returns metric families in the Prometheus text format, version 0.0.4.
 *
 * Dots in names become `_`; seconds and bytes end in their unit and counters in `_total`, unless the name
 * has these endings already. Families of one name are written once. If two have a series with the same
 * labels, the first one is written: a scrape refuses duplicates. Label values and help texts are escaped.
 *
 * @example
 * ```ts
 * import { renderPrometheus } from 'edge-kms/observability'
 *
 * const samples = [{ labels: { queue: 'mail' }, value: 3 }]
 * export const text = renderPrometheus([
 *   { name: 'app.jobs', help: 'Jobs that ended.', type: 'counter', unit: '{job}', samples },
 * ])
 * ```
 */
export function renderPrometheus(families: readonly MetricFamily[]): string {
  const blocks = new Map<string, { readonly head: string; readonly series: Map<string, string> }>()
  for (const family of families) {
    const name = nameOf(family)
    const head = `# HELP ${name} ${escapedHelp(family.help)}\n# TYPE ${name} ${family.type}\n`
    const block = blocks.get(name) ?? { head, series: new Map<string, string>() }
    blocks.set(name, block)
    for (const [labels, lines] of seriesOf(name, family))
      if (!block.series.has(labels)) block.series.set(labels, lines)
  }
  return [...blocks.values()]
    .map(({ head, series }) => head + [...series.values()].join(''))
    .join('')
}

function nameOf({ name, type, unit }: MetricFamily): string {
  const base = name.replaceAll(/[^\w:]/g, '_')
  const suffixes = [UNIT_SUFFIXES.get(unit ?? ''), type === 'counter' ? '_total' : undefined]
  return suffixes.reduce<string>(
    (full, suffix = '') => (full.endsWith(suffix) ? full : full + suffix),
    base,
  )
}

/** Each series by its labels. */
function seriesOf(name: string, family: MetricFamily): (readonly [string, string])[] {
  if (family.type === 'histogram')
    return family.samples.map((sample) => [labelsOf(sample.labels), histogram(name, sample)])
  return family.samples.map(({ labels, value }) => [labelsOf(labels), line(name, labels, value)])
}

function histogram(name: string, { labels, value }: HistogramSample): string {
  const { bounds, counts, count, sum } = value
  const buckets = bounds.map((bound, i) => {
    return line(`${name}_bucket`, { ...labels, le: numberOf(bound) }, counts[i] ?? 0)
  })
  const all = line(`${name}_bucket`, { ...labels, le: '+Inf' }, count)
  const ends = line(`${name}_sum`, labels, sum) + line(`${name}_count`, labels, count)
  return buckets.join('') + all + ends
}

function line(name: string, labels: Labels, value: number): string {
  return `${name}${labelsOf(labels)} ${numberOf(value)}\n`
}

function labelsOf(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([label, text]) => `${label.replaceAll(/\W/g, '_')}="${escapedLabel(text)}"`,
  )
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

/** Prometheus writes infinity in its own way. */
function numberOf(value: number): string {
  if (value === Infinity) return '+Inf'
  return value === -Infinity ? '-Inf' : String(value)
}

function escapedHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

/** A provider's name is text of a configuration. */
function escapedLabel(text: string): string {
  return escapedHelp(text).replaceAll('"', '\\"')
}
