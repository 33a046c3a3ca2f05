import type { ReportFacts, Table } from './facts.ts'

/** Returns a report for a terminal or a log. It has no control characters but line breaks. */
export function textOf({ title, verdict, figures, sections }: ReportFacts): string {
  const width = Math.max(0, ...figures.map(({ name }) => name.length))
  const top = figures.map(({ name, value }) => `  ${name.padEnd(width)}  ${value}`)
  const tables = sections.map(({ table }) => linesOf(table).join('\n'))
  return `${[title, verdict, ...(top.length > 0 ? [top.join('\n')] : []), ...tables].join('\n\n')}\n`
}

function linesOf({ title, columns, rows, note }: Table): string[] {
  const cells = [columns.map(({ name }) => name), ...rows]
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => (row[i] ?? '').length)))
  const lines = cells.map((row) => {
    const padded = columns.map(({ holds }, i) => {
      const cell = row[i] ?? ''
      const width = widths[i] ?? 0
      return holds === 'number' ? cell.padStart(width) : cell.padEnd(width)
    })
    return `  ${padded.join('  ')}`.trimEnd()
  })
  return [title, ...lines, ...(note === undefined ? [] : [`  ${note}`])]
}
