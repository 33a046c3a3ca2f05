import type { Labels } from './series.ts'
import type { KmsMetricsSnapshot } from './snapshot.ts'

/** A snapshot in the Prometheus text format, version 0.0.4: dots become `_`, counters end in `_total`. */
export function prometheusText({ metrics }: KmsMetricsSnapshot): string {
  return metrics
    .map((metric) => {
      const base = metric.name.replaceAll('.', '_')
      const suffix = { counter: '_total', gauge: '', histogram: '_seconds' }[metric.type]
      const name = `${base}${suffix}`
      const head = `# HELP ${name} ${metric.description}\n# TYPE ${name} ${metric.type}\n`
      if (metric.type !== 'histogram')
        return head + metric.samples.map(({ labels, value }) => line(name, labels, value)).join('')
      const lines = metric.samples.map(({ labels, counts, count, sum }) => {
        const buckets = metric.bounds.map((bound, i) =>
          line(`${name}_bucket`, { ...labels, le: String(bound) }, counts[i] ?? 0),
        )
        const all = line(`${name}_bucket`, { ...labels, le: '+Inf' }, count)
        return (
          buckets.join('') +
          all +
          line(`${name}_sum`, labels, sum) +
          line(`${name}_count`, labels, count)
        )
      })
      return head + lines.join('')
    })
    .join('')
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`)
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`
}

/** A provider's name is text of a configuration. */
function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
