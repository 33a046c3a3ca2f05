/** Draws values over time. Places are parts of the width, so that texts keep their size on any screen. */
import { axisTo, timeMarks } from './axis.ts'
import type { Line, TimeChart } from './facts.ts'
import { type Markup, markup } from './markup.ts'
import { short } from './shown.ts'

const TOP = 22
const HEIGHT = 170
const BOTTOM = TOP + HEIGHT
/** Percent of the width. */
const LEFT = 13
const WIDTH = 83
/** The plot's own units, both ways. */
const FULL = 1_000

/** Returns the drawing, without the svg element around it, and its height in pixels. */
export function timeChart({ kind, timesMs, lines, unit }: TimeChart): {
  readonly body: Markup
  readonly height: number
} {
  const isStack = kind === 'stack'
  const tops = isStack ? stacked(lines) : lines.map(({ values }) => values)
  const y = axisTo(Math.max(...tops.flat()), isStack ? 1 : 0)
  const endMs = Math.max(1, timesMs.at(-1) ?? 1)
  const place = (ms: number): number => LEFT + (WIDTH * ms) / endMs
  const points = tops.map((values) =>
    values.map((value, i) => `${at((timesMs[i] ?? 0) / endMs)},${at(1 - value / y.end)}`),
  )
  const grid = y.marks.map((mark) => {
    const from = (BOTTOM - (HEIGHT * mark) / y.end).toFixed(1)
    return markup`<line class="grid" x1="${LEFT}%" x2="${LEFT + WIDTH}%" y1="${from}" y2="${from}"/><text class="y" x="${LEFT - 1.5}%" y="${from}" dy="4">${short(mark)}</text>`
  })
  const times = timeMarks(endMs).map(
    ({ atMs, label }) =>
      markup`<text class="x" x="${place(atMs).toFixed(2)}%" y="${BOTTOM + 18}">${label}</text>`,
  )
  const shapes = lines.map(({ tone }, i) =>
    isStack ? areaOf(tone, points, i) : lineOf(tone, points[i] ?? []),
  )
  const plot = markup`<svg x="${LEFT}%" y="${TOP}" width="${WIDTH}%" height="${HEIGHT}" viewBox="0 0 ${FULL} ${FULL}" preserveAspectRatio="none">${shapes}</svg>`
  const body = markup`<text class="unit" x="0" y="12">${unit}</text>${grid}${plot}${times}`
  return { body, height: BOTTOM + 26 }
}

function at(share: number): string {
  return String(Math.round(share * FULL))
}

/** Returns for each series the sum of it and of those below it. */
function stacked(lines: readonly Line[]): (readonly number[])[] {
  return lines.map((_, i) =>
    (lines[0]?.values ?? []).map((_value, at) =>
      lines.slice(0, i + 1).reduce((sum, { values }) => sum + (values[at] ?? 0), 0),
    ),
  )
}

function areaOf(tone: string, points: readonly (readonly string[])[], i: number): Markup {
  const first = points[0]?.[0]?.split(',')[0] ?? '0'
  const below =
    i === 0
      ? [`${first},${String(FULL)}`, `${String(FULL)},${String(FULL)}`]
      : (points[i - 1] ?? [])
  const outline = [...(points[i] ?? []), ...below.toReversed()].join(' ')
  return markup`<polygon class="area ${tone}" points="${outline}"/>`
}

function lineOf(tone: string, points: readonly string[]): Markup {
  return markup`<polyline class="line ${tone}" points="${points.join(' ')}" vector-effect="non-scaling-stroke"/>`
}
