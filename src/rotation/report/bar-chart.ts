/** Draws horizontal bars, each with its name above it and its number behind it. */
import type { BarChart } from './facts.ts'
import { type Markup, markup } from './markup.ts'
import { whole } from './shown.ts'

const NAME = 18
const BAR = 14
const GAP = 12
/** Percent of the width of the longest bar: its number has the rest. */
const LONGEST = 78
/** Characters of a name on the narrowest screen; the table beside the chart has all of it. */
const MAX_NAME = 38

/** Returns the drawing, without the svg element around it, and its height in pixels. */
export function barChart({ series, rows }: BarChart): {
  readonly body: Markup
  readonly height: number
} {
  const most = Math.max(1, ...rows.flatMap(({ values }) => values))
  const rowHeight = NAME + series.length * (BAR + 2) + GAP
  const body = rows.map(({ name, values, tone }, i) => {
    const top = i * rowHeight
    const bars = values.map((value, at) => {
      const y = top + NAME + at * (BAR + 2)
      const width = (LONGEST * value) / most
      // A bar of 1 in a million is still seen.
      const seen = value > 0 ? Math.max(0.4, width) : 0
      return markup`<rect class="bar ${tone ?? series[at]?.tone ?? 'new'}" x="0" y="${y}" width="${seen.toFixed(2)}%" height="${BAR}"/><text class="end" x="${(seen + 1.2).toFixed(2)}%" y="${y + BAR - 3}">${whole(value)}</text>`
    })
    return markup`<text class="name" x="0" y="${top + 12}">${shortened(name)}</text>${bars}`
  })
  return { body: markup`${body}`, height: rows.length * rowHeight - GAP + 2 }
}

/** ARNs differ at their end, and begin with what they are. */
function shortened(name: string): string {
  const all = Array.from(name)
  if (all.length <= MAX_NAME) return name
  return [...all.slice(0, 14), '…', ...all.slice(15 - MAX_NAME)].join('')
}
